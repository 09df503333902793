// Observes the response on a stream that another gateway uses, because this gateway's pool must know whether the target of its agent accepts connections. It
// consumes nothing, and ends with the first block that answers this.
import type { Duplex } from 'node:stream';
import { BlockKind, readFailure } from '../exchange/block.ts';
import { type BlockListener, BlockReader } from '../exchange/block-reader.ts';
import type { AgentSession, Routes } from './routes.ts';

export class ForwardedWatch implements BlockListener {
  readonly #stream: Duplex;
  readonly #reader: BlockReader;
  readonly #session: AgentSession;
  readonly #service: string;
  readonly #routes: Pick<Routes, 'refused' | 'served'>;

  constructor(
    stream: Duplex,
    maxHead: number,
    session: AgentSession,
    service: string,
    routes: Pick<Routes, 'refused' | 'served'>,
  ) {
    this.#stream = stream;
    this.#reader = new BlockReader(this, maxHead);
    this.#session = session;
    this.#service = service;
    this.#routes = routes;
    stream.on('data', this.#onData);
  }

  readonly #onData = (chunk: Buffer): void => {
    try {
      this.#reader.read(chunk);
    } catch {
      this.#leave(); // the gateway that reads the stream reports the error
    }
  };

  onBlock(kind: number, text: string): void {
    if (kind === BlockKind.Taken || kind === BlockKind.Interim) return;
    if (kind === BlockKind.Failure) {
      if (readFailure(text).isUnsent) this.#routes.refused(this.#session, this.#service);
    } else this.#routes.served(this.#session, this.#service);
    this.#leave();
  }

  onBytes(): void {
    this.#leave();
  }

  onRawEnd(): void {}

  #leave(): void {
    this.#reader.stop();
    this.#stream.off('data', this.#onData);
  }
}
