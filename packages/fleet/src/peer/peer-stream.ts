// A stream over a peer link before the peer has answered. Written data is sent at once. The input begins after the answer. An open that waits for the
// answer uses the link's own stream without this class.
import { Duplex } from 'node:stream';
import type { YamuxStream } from '@zishuo/yamux';
import { readAnswer } from './front.ts';
import type { SessionInfo } from './head.ts';
import { refusalError } from './refusal-error.ts';

export class PeerStream extends Duplex {
  /** The session that serves the stream; undefined until the peer has answered. */
  servedBy: SessionInfo | undefined;
  readonly #stream: YamuxStream;

  constructor(stream: YamuxStream, node: string) {
    super({ readableHighWaterMark: 0 });
    this.#stream = stream;
    stream.on('error', (error) => this.destroy(error));
    readAnswer(stream).then(
      (answer) => {
        if (answer.status !== 'accepted') return this.destroy(refusalError(answer, node));
        this.servedBy = answer.session;
        this.#flow();
        return undefined;
      },
      (error: Error) => this.destroy(error),
    );
  }

  #flow(): void {
    const stream = this.#stream;
    stream.on('readable', () => this.#pull());
    stream.on('end', () => this.push(null));
    stream.on('close', () => {
      if (!stream.readableEnded) this.destroy(stream.errored ?? undefined);
    });
    this.#pull();
  }

  #pull(): void {
    for (;;) {
      const chunk = this.#stream.read() as Buffer | null;
      if (chunk === null || !this.push(chunk)) return;
    }
  }

  override _read(): void {
    if (this.servedBy !== undefined) this.#pull();
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#stream.write(chunk, encoding, callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#stream.end(callback);
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    if (error !== null || !this.#stream.readableEnded || !this.#stream.writableFinished) this.#stream.destroy();
    callback(error);
  }
}
