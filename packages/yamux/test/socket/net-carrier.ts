// The reference: a pair of net.Sockets over loopback.

import { once } from 'node:events';
import net from 'node:net';
import type { Carrier } from './carrier.ts';
import type { EndName, Program } from './program.ts';
import { quiet } from './pulse.ts';

/** What of node:net says whether it still waits for the kernel. It is only asked when something is at rest, never what a program sees. */
interface Handle {
  readonly reading?: boolean;
  readonly bytesWritten: number;
  readonly writeQueueSize: number;
}

/** ms after which what does not come to rest is taken for standing still. Reached by no program that was seen. */
const PATIENCE = 2000;

export class NetListener {
  readonly #server = net.createServer({ allowHalfOpen: true });

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async connect({ allowHalfOpen }: Program): Promise<NetCarrier> {
    const { port } = this.#server.address() as net.AddressInfo;
    const a = net.connect({ port, host: '127.0.0.1', allowHalfOpen: allowHalfOpen.a });
    const [[b]] = (await Promise.all([once(this.#server, 'connection'), once(a, 'connect')])) as [
      [net.Socket],
      unknown,
    ];
    b.allowHalfOpen = allowHalfOpen.b;
    return new NetCarrier(a, b);
  }

  async close(): Promise<void> {
    this.#server.close();
    await once(this.#server, 'close');
  }
}

export class NetCarrier implements Carrier {
  readonly ends: Readonly<Record<EndName, net.Socket>>;

  constructor(a: net.Socket, b: net.Socket) {
    this.ends = { a, b };
  }

  async settle(): Promise<void> {
    const { a, b } = this.ends;
    const deadline = performance.now() + PATIENCE;
    do await quiet(6);
    while ((isUnderWay(a, b) || isUnderWay(b, a)) && performance.now() < deadline);
  }

  /** libuv resets no socket that was shut down, and then its handle stays: there destroy() comes nearest, for what the peer writes is reset. */
  reset(end: EndName): void {
    const socket = this.ends[end];
    if (socket.writableEnded) socket.destroy();
    else socket.resetAndDestroy();
  }

  die(end: EndName): void {
    this.ends[end].destroy();
  }

  leave(): void {}

  async think(): Promise<void> {}

  async idle(end: EndName, ms: number): Promise<void> {
    const socket = this.ends[end];
    if (socket.destroyed) return;
    socket.setTimeout(ms);
    await new Promise((resolve) =>
      socket.prependOnceListener('timeout', resolve).prependOnceListener('close', resolve),
    );
    socket.setTimeout(0);
  }

  async neighbour(): Promise<string> {
    return 'well';
  }

  async close(): Promise<string[]> {
    for (const socket of Object.values(this.ends)) socket.destroy();
    await this.settle();
    return [];
  }
}

function handleOf(socket: net.Socket): Handle | null {
  return (socket as unknown as { _handle: Handle | null })._handle;
}

/** Something that `from` did has still to reach `to`, who reads, or itself. */
function isUnderWay(from: net.Socket, to: net.Socket): boolean {
  const [sender, receiver] = [handleOf(from), handleOf(to)];
  if (from.destroyed && !from.closed) return true;
  // Node leaves `reading` as it is when the end has come.
  if (!receiver?.reading || hasHeardEnd(to)) return false;
  const mustEnd = from.destroyed || from.writableFinished;
  if (sender === null || mustEnd) return mustEnd;
  return (
    sender.writeQueueSize > 0 || sender.bytesWritten > to.bytesRead || (from.writableEnded && from.writableCorked === 0)
  );
}

function hasHeardEnd(socket: net.Socket): boolean {
  return (socket as unknown as { readonly _readableState: { readonly ended: boolean } })._readableState.ended;
}
