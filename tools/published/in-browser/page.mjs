// The program of a page, as its author writes it: bundled with the packages by esbuild and by vite. What it leaves in the document's title is
// what went wrong, or 'done'.
import { describeFrame } from '@zishuo/yamux';
import { client, dial, keepConnected } from '@zishuo/yamux-websocket';

const url = `ws://${location.host}/`;
const MIB = 2 ** 20;

function assertEqual(got, expected) {
  const [one, other] = [got, expected].map((value) => JSON.stringify(value));
  if (one !== other) throw new Error(`expected ${other}, got ${one}`);
}

const event = (emitter, name) => new Promise((resolve) => emitter.once(name, resolve));

async function read(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

async function echo(session, bytes) {
  const stream = await session.open();
  const received = read(stream);
  stream.end(bytes);
  return received;
}

async function streams() {
  const session = client(new WebSocket(url));
  const words = 'grüße aus dem Browser';
  assertEqual(new TextDecoder().decode(await echo(session, words)), words);

  const sent = new Uint8Array(5 * MIB).map((_, index) => (index * 7) % 251);
  const received = await echo(session, sent);
  assertEqual(received.length, sent.length);
  assertEqual(
    received.findIndex((byte, index) => byte !== sent[index]),
    -1,
  );

  const numbers = Array.from({ length: 100 }, (_, number) => `stream ${number}`);
  const echoed = await Promise.all(numbers.map((text) => echo(session, text)));
  assertEqual(
    echoed.map((bytes) => new TextDecoder().decode(bytes)),
    numbers,
  );
  assertEqual(typeof (await session.ping()), 'number');

  // What listeners do: text, and back-pressure.
  const stream = session.connect();
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  let writes = 0;
  const drained = event(stream, 'drain');
  while (stream.write('ä'.repeat(5000))) writes += 1;
  await drained;
  stream.end();
  await event(stream, 'close');
  assertEqual(text.length, 5000 * (writes + 1));

  const reset = await session.open();
  const failed = event(reset, 'error');
  reset.write('reset');
  const { code, scope, origin, errorCode } = await failed;
  assertEqual([code, scope, origin, errorCode], ['ERR_YAMUX_STREAM_RESET', 'stream', 'remote', 7]);
  const mine = await session.open();
  mine.write('abort');
  mine.reset(9);
  await event(mine, 'close');

  // The other end opens one too.
  const asking = await session.open();
  const inbound = session.accept();
  asking.end('open');
  const accepted = await inbound;
  accepted.end();
  assertEqual(new TextDecoder().decode(await read(accepted)), 'from the server');

  const live = await session.open();
  const last = echoRest(live);
  const told = event(session, 'goAway');
  (await session.open()).end('goAway');
  assertEqual(await told, 0);
  const refused = await session.open().catch((error) => error.code);
  assertEqual(refused, 'ERR_YAMUX_GO_AWAY');
  live.end('to its end');
  assertEqual(await last, 'to its end');
  await session.close();
  assertEqual(session.errored, null);
}

async function echoRest(stream) {
  return new TextDecoder().decode(await read(stream));
}

async function dials() {
  const session = await dial(url, { subprotocols: ['yamux'] });
  assertEqual(new TextDecoder().decode(await echo(session, 'dialed')), 'dialed');
  await session.close();
  const failure = await dial(`${url}nowhere`).catch((error) => error.code);
  assertEqual(failure, 'ERR_YAMUX_WEBSOCKET_DIAL_FAILED');
  const mistaken = await dial(url, { headers: { a: 'b' } }).catch((error) => error.constructor.name);
  assertEqual(mistaken, 'TypeError');

  const sessions = [];
  await new Promise((resolve) => {
    const kept = keepConnected({
      urls: url,
      onSession: async (next) => {
        sessions.push(next);
        if (sessions.length === 1) (await next.open()).end('goAway');
        else resolve(kept.stop());
      },
    });
  });
  assertEqual(sessions.length, 2);
}

try {
  assertEqual(describeFrame(new Uint8Array([0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0])), 'DATA SYN id=1 len=0');
  await streams();
  await dials();
  document.title = 'done';
} catch (error) {
  document.title = String(error.stack);
}
