// An agent with connections to several nodes. It answers each request with the hash of its body, and who it is.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { client, type YamuxSession, type YamuxStream } from '@zishuo/yamux';
import type { NodeProcess } from './node-process.ts';

export class RemoteAgent {
  readonly id: string;
  readonly names: readonly string[];
  readonly #sessions = new Map<NodeProcess, YamuxSession>();

  constructor(id: string, names: readonly string[]) {
    this.id = id;
    this.names = names;
  }

  async join(node: NodeProcess): Promise<void> {
    const socket = connect(node.ports.agents, '127.0.0.1');
    socket.setNoDelay(true);
    await once(socket, 'connect');
    socket.write(`${[this.id, ...this.names].join(' ')}\n`);
    const session = client(socket);
    session.on('error', () => {});
    session.on('stream', serve);
    session.once('close', () => {
      if (this.#sessions.get(node) === session) this.#sessions.delete(node);
    });
    this.#sessions.set(node, session);
    await session.ping();
  }

  /** What runs is finished. */
  async leave(node: NodeProcess): Promise<void> {
    await this.#sessions.get(node)?.close({ timeout: 10_000 });
  }

  close(): void {
    for (const session of this.#sessions.values()) session.destroy();
  }
}

function serve(stream: YamuxStream): void {
  const hash = createHash('sha256');
  // Its client may be gone.
  stream.on('error', () => {});
  stream.on('data', (chunk: Buffer) => hash.update(chunk));
  stream.once('end', () => stream.end(hash.digest('hex')));
}
