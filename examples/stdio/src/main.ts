// Yamux over the stdin and stdout of a child: any number of conversations with it at once, and either side may begin one.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { client } from '@zishuo/yamux';

// The flags of this process let the child read TypeScript, too; its stderr stays what it is, for people.
const program = fileURLToPath(new URL('./child.ts', import.meta.url));
const child = spawn(process.execPath, [...process.execArgv, program], { stdio: ['pipe', 'pipe', 'inherit'] });
const exited = once(child, 'exit');

const session = client(Duplex.from({ readable: child.stdout, writable: child.stdin }));

// The child begins with a stream of its own. Nothing goes back on it, so this side ends at once.
const greeting = await session.accept();
console.log('the child says:', await text(greeting.end()));

const shouts = ['one', 'two', 'three'].map(async (word) => {
  const stream = await session.open();
  return text(stream.end(word));
});
console.log('the child answers:', (await Promise.all(shouts)).join(' '));

// The end of the session is the end of the child's stdin, and so of the child.
await session.close();
const [code] = await exited;
console.log(`the child ended with exit code ${code}`);
