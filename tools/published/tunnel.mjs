// The tunnel as who installs it has it: the two programs of the package, with an origin of this process behind them, and then an embedded agent.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';

const name = '@zishuo/tunnel'; // the installed one: this workspace's is not meant
const { serveTunnel } = await import(name);
const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`);
const { bin } = JSON.parse(readFileSync(manifest, 'utf8'));
const home = dirname(manifest);
const SECRET = 'a secret of this test only';
const children = [];
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

function program(name, args) {
  const child = fork(join(home, bin[name]), args, { env: { ...process.env, TUNNEL_SECRET: SECRET }, silent: true });
  children.push(child);
  child.stderr.pipe(process.stderr);
  return child;
}

async function ready(child) {
  child.stdout.resume();
  const [notice] = await once(child, 'message');
  return notice;
}

async function issued(agent, routes) {
  const child = program('tunnel-gateway', ['--issue-token', agent, '--routes', routes]);
  return (await text(child.stdout)).trim();
}

async function ask(port, options) {
  const asked = request({ port, host: '127.0.0.1', agent: false, ...options }).end(options.body);
  const [answer] = await once(asked, 'response');
  return [answer.statusCode, await text(answer)];
}

async function ends(child) {
  const exit = once(child, 'exit');
  child.send({ type: 'stop' });
  assert.deepEqual((await exit)[0], 0);
}

const origin = createServer((incoming, response) => incoming.pipe(response)).listen(0, '127.0.0.1');
await once(origin, 'listening');
const gateway = program('tunnel-gateway', ['--port', '0', '--admin-port', '0']);
const { url, admin } = await ready(gateway);
const port = Number(new URL(url).port);
const connect = `${url.replace('http', 'ws')}/connect`;
const args = ['--gateway', connect, '--target', `http://127.0.0.1:${origin.address().port}`];
const agent = program('tunnel-agent', [...args, '--token', await issued('alpha', 'app.example')]);
await ready(agent);
assert.deepEqual(await ask(port, { headers: { Host: 'app.example' }, method: 'POST', body: 'through' }), [
  200,
  'through',
]);
const page = await ask(Number(new URL(admin).port), { path: '/', headers: { Host: 'localhost' } });
assert.match(String(page), /^200,<!doctype html>/i);

const own = createServer((_incoming, response) => response.end('embedded'));
const embedded = serveTunnel(own, { gateways: [connect], token: await issued('bravo', 'own.example') });
await embedded.connected;
assert.deepEqual(await ask(port, { headers: { Host: 'own.example' } }), [200, 'embedded']);

await embedded.close();
await ends(agent);
await ends(gateway);
origin.close();
console.log(`the tunnel's programs, Node ${process.version}`);
