// Yamux over the stdin and stdout of a child process: parent and child can open many streams at once.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { client } from '@zishuo/yamux';

// The flags of this process let the child run TypeScript too. Its stderr is inherited, for logs.
const program = fileURLToPath(new URL('./child.ts', import.meta.url));
const child = spawn(process.execPath, [...process.execArgv, program], { stdio: ['pipe', 'pipe', 'inherit'] });
const exited = once(child, 'exit');

const session = client(Duplex.from({ readable: child.stdout, writable: child.stdin }));

// The child opens the first stream. This side sends nothing on it and ends it at once.
const greeting = await session.accept();
console.log('the child says:', await text(greeting.end()));

const shouts = ['one', 'two', 'three'].map(async (word) => {
  const stream = await session.open();
  return text(stream.end(word));
});
console.log('the child answers:', (await Promise.all(shouts)).join(' '));

// When the session ends, the stdin of the child ends, and the child exits.
await session.close();
const [code] = await exited;
console.log(`the child ended with exit code ${code}`);
