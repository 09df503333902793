// A wire between two programs that the test may cut, or hold still without a word.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net';

export class Wire {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #listening: Promise<unknown> | undefined;
  #isCut = false;

  /** `target`: undefined while nobody is to be reached. */
  constructor(target: () => NetConnectOpts | undefined) {
    this.#server = createServer({ allowHalfOpen: true }, (near) => {
      const to = target();
      if (this.#isCut || to === undefined) return void near.destroy();
      const far = connect({ ...to, allowHalfOpen: true } as NetConnectOpts);
      this.#join(near, far);
      this.#join(far, near);
    });
  }

  /** Of the near end; it listens from the first call on. */
  async port(): Promise<number> {
    if (this.#listening === undefined) {
      this.#listening = once(this.#server, 'listening');
      this.#server.listen(0, '127.0.0.1');
    }
    await this.#listening;
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections break, and there are no new ones. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  /** Nothing goes through the connections that there are, and nobody is told. */
  hold(): void {
    for (const socket of this.#sockets) socket.unpipe().pause();
  }

  async close(): Promise<void> {
    this.cut();
    if (this.#listening === undefined) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.setNoDelay(true);
    from.on('error', () => {});
    from.once('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
    from.pipe(to);
  }
}
