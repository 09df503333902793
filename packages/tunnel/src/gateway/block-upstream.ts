// The upstream for an agent that speaks blocks, on one stream: the request as a block and a body, and the response likewise. The agent is not trusted:
// this class checks the order and the size of everything that it sends.
import type { YamuxStream } from '@zishuo/yamux';
import { TunnelError, UpstreamError } from '../errors.ts';
import {
  BlockKind,
  type Body,
  encodeBlock,
  NO_BODY,
  PIECES,
  protocolError,
  type RawHeaders,
  type RequestHead,
  readAnswer,
  readFailure,
  readHeaders,
  readStatus,
  requestBlock,
} from '../exchange/block.ts';
import { type BlockListener, BlockReader } from '../exchange/block-reader.ts';
import { BodyWriter } from '../exchange/body-writer.ts';
import { MAX_INTERIM } from '../http/http1-upstream.ts';
import type { Upstream, UpstreamListener } from '../http/upstream.ts';

const NOTHING = Buffer.alloc(0);

export class BlockUpstream implements Upstream, BlockListener {
  readonly #stream: YamuxStream;
  readonly #listener: UpstreamListener;
  readonly #reader: BlockReader;
  #writer: BodyWriter | undefined;
  #requestBody: Body = NO_BODY;
  #isSwitch = false;
  #interim = 0;
  /** Of the answer, once it has begun. */
  #body: Body | undefined;
  /** No further callbacks: the response is complete or no longer needed. */
  #isOver = false;
  /** All of the answer has come. Told when its stream has ended, which costs no time: they come together. */
  #isWhole = false;

  /** `maxHead`: bytes of an answer's head. */
  constructor(stream: YamuxStream, listener: UpstreamListener, maxHead: number) {
    this.#stream = stream;
    this.#listener = listener;
    this.#reader = new BlockReader(this, maxHead);
    stream.on('data', this.#onData);
    stream.on('end', this.#onEnd);
    stream.on('error', this.#onError);
    stream.on('close', this.#onClose);
    stream.on('drain', this.#onDrain);
  }

  send(head: RequestHead): void {
    const block = requestBlock(head);
    this.#requestBody = head.body;
    this.#isSwitch = head.upgrade !== '' || head.method === 'CONNECT';
    this.#writer = new BodyWriter(this.#stream, head.body === PIECES ? 'blocks' : 'none');
    this.#stream.write(block);
  }

  write(chunk: Buffer): boolean {
    if (this.#isOver || this.#stream.destroyed) return true;
    return this.#writer?.write(chunk) ?? true;
  }

  endBody(trailers: RawHeaders): void {
    if (this.#isOver || this.#stream.destroyed) return;
    this.#writer?.flush();
    if (this.#requestBody === PIECES) this.#stream.write(encodeBlock(BlockKind.Trailers, trailers));
  }

  halfClose(): void {
    if (!this.#isOver) this.#stream.end();
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  finish(): void {
    this.#isOver = true;
    this.#reader.stop();
    this.#stream.end();
    this.#stream.resume();
  }

  abort(): void {
    this.#isOver = true;
    this.#reader.stop();
    this.#stream.reset();
  }

  readonly #onData = (chunk: Buffer): void => {
    try {
      this.#reader.read(chunk);
    } catch (error) {
      this.#fail(error as Error);
    }
  };

  // A stream ends also after every complete response. Creating an error there would cost more than the rest of the stream.
  readonly #onEnd = (): void => {
    if (!this.#isOver) this.#fail(lost('the agent ended its stream in the middle of the answer'));
  };

  readonly #onError = (error: Error): void => this.#fail(error);

  readonly #onClose = (): void => {
    if (!this.#isOver) this.#fail(lost('the stream was closed in the middle of the answer'));
  };

  readonly #onDrain = (): void => {
    this.#writer?.drained();
    if (!this.#isOver) this.#listener.drain();
  };

  onBlock(kind: number, text: string): void {
    if (this.#isOver) return;
    if (this.#isWhole) throw protocolError('expected nothing behind the answer');
    if (this.#body !== undefined) {
      if (kind !== BlockKind.Trailers || this.#body !== PIECES)
        throw protocolError(`expected no block of kind ${kind} now`);
      this.#end(readHeaders(text));
      return;
    }
    switch (kind) {
      case BlockKind.Taken:
        this.#listener.taken();
        return;
      case BlockKind.Interim:
        this.#onInterim(text);
        return;
      case BlockKind.Answer:
        this.#onAnswer(text);
        return;
      case BlockKind.Switch:
        this.#onSwitch(text);
        return;
      case BlockKind.Failure: {
        const { code, message, isUnsent } = readFailure(text);
        this.#isOver = true;
        this.#reader.stop();
        this.#stream.end();
        this.#stream.resume();
        this.#listener.failed(new UpstreamError(code, message, isUnsent));
        return;
      }
      default:
        throw protocolError(`expected no block of kind ${kind} now`);
    }
  }

  onBytes(bytes: Buffer): void {
    if (this.#isOver) return;
    if (this.#body === undefined || this.#isWhole) throw protocolError('expected no bytes now');
    this.#listener.data(bytes);
  }

  onRawEnd(): void {
    if (!this.#isOver) this.#end([]);
  }

  #onInterim(text: string): void {
    const { status, reason, headers } = readStatus(text);
    this.#interim += 1;
    if (status > 199 || status === 101) throw protocolError(`expected an interim answer, got ${status}`);
    if (this.#interim > MAX_INTERIM) {
      throw new TunnelError('ERR_TUNNEL_TOO_MANY_INTERIM', `expected at most ${MAX_INTERIM} interim answers`);
    }
    this.#listener.interim(status, reason, headers);
  }

  #onAnswer(text: string): void {
    const head = readAnswer(text);
    if (head.status < 200) throw protocolError(`expected a final answer, got ${head.status}`);
    this.#body = head.body;
    if (head.body > 0) this.#reader.expectRaw(head.body);
    this.#listener.answer(head);
    if (head.body === NO_BODY || head.body === 0) this.#end([]);
  }

  #onSwitch(text: string): void {
    if (!this.#isSwitch)
      throw new TunnelError('ERR_TUNNEL_UNEXPECTED_UPGRADE', 'the agent switched, and nobody had asked for it');
    const head = readStatus(text);
    const stream = this.#stream;
    this.#isOver = true;
    this.#reader.stop();
    stream.off('data', this.#onData).off('end', this.#onEnd).off('drain', this.#onDrain);
    stream.off('error', this.#onError).off('close', this.#onClose);
    this.#listener.switched(head, stream, NOTHING);
  }

  #end(trailers: RawHeaders): void {
    if (this.#isOver) return;
    this.#isWhole = true;
    this.#isOver = true;
    this.#listener.end(trailers);
  }

  #fail(error: Error): void {
    if (this.#isOver) return;
    this.abort();
    this.#listener.failed(error);
  }
}

function lost(message: string): TunnelError {
  return new TunnelError('ERR_TUNNEL_CONNECTION_LOST', message);
}
