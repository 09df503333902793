// A session with a Go program on hashicorp/yamux, started with `go run`. If that is not possible, the program prints the reason and exits with
// code 0, or with 1 if REQUIRE_GO=1 is set.
import { spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { buffer, text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { client, type YamuxSession } from '@zishuo/yamux';

const folder = fileURLToPath(new URL('../go-server', import.meta.url));

function whyNot(): string | undefined {
  const { error, status, stderr } = spawnSync('go', ['mod', 'download'], { cwd: folder, encoding: 'utf8' });
  if (error) return `go cannot be run: ${error.message}`;
  return status === 0 ? undefined : `the Go modules cannot be fetched: ${stderr.trim()}`;
}

async function talk(session: YamuxSession): Promise<void> {
  // A stream that the Go end opens, and streams that this end opens.
  const greeting = await session.accept();
  console.log('Go says:', await text(greeting.end()));

  const sent = randomBytes(100_000);
  const echoes = [1, 2, 3].map(async () => {
    const stream = await session.open();
    return buffer(stream.end(sent));
  });
  for (const echo of await Promise.all(echoes)) {
    console.log(`Go echoed ${echo.length} bytes, ${sha256(echo) === sha256(sent) ? 'all the same' : 'NOT the same'}`);
  }
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

const reason = whyNot();
if (reason === undefined) {
  const go = spawn('go', ['run', '.'], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(go, 'exit');
  // Its first line is the address. If there is none, it has failed and printed the reason on stderr.
  const [address] = await Promise.race([once(createInterface(go.stdout), 'line'), exited]);
  if (typeof address !== 'string') throw new Error(`go run ended with exit code ${address} before it listened`);

  const { hostname, port } = new URL(`tcp://${address}`);
  const session = client(connect(Number(port), hostname));
  await talk(session);
  await session.close();
  const [code] = await exited;
  console.log(`the Go program ended with exit code ${code}`);
} else {
  console.log(`skipped: ${reason}`);
  process.exitCode = process.env.REQUIRE_GO === '1' ? 1 : 0;
}
