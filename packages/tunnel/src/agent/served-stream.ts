// One stream of a gateway, on the agent's side: an HTTP request for a local target, or raw TCP. The gateway and the agent exchange blocks and bodies, and
// an HTTP client speaks with the target.
import type { YamuxStream } from '@zishuo/yamux';
import { codeOf, describe, TunnelError, UpstreamError } from '../errors.ts';
import {
  type AnswerHead,
  answerBlock,
  BlockKind,
  type Body,
  encodeBlock,
  failureBlock,
  HELD_BODY,
  MAX_BLOCK,
  NO_BODY,
  PIECES,
  protocolError,
  type RawHeaders,
  type RequestHead,
  readHeaders,
  readRequest,
  statusBlock,
} from '../exchange/block.ts';
import { type BlockListener, BlockReader } from '../exchange/block-reader.ts';
import { BodyWriter } from '../exchange/body-writer.ts';
import { type Connection, type Joined, join } from '../http/connection.ts';
import type { Upstream, UpstreamListener } from '../http/upstream.ts';
import type { Log } from '../log.ts';

/** The interface of the agent for a stream. */
export interface Places {
  /** The way to the target of a request, and the head for it. Throws where there is none. */
  open(head: RequestHead, listener: UpstreamListener): { readonly upstream: Upstream; readonly head: RequestHead };
  readonly log: Log;
  /** Connections that were joined, until they end. */
  readonly joined: Set<Joined>;
}

const TAKEN = encodeBlock(BlockKind.Taken, []);

export class ServedStream implements BlockListener, UpstreamListener {
  readonly #stream: YamuxStream;
  readonly #places: Places;
  readonly #reader: BlockReader;
  /** The first byte has come. */
  #hasBegun = false;
  #head: RequestHead | undefined;
  #upstream: Upstream | undefined;
  #isBodyWhole = false;
  #answerBody: Body = NO_BODY;
  #isAnswering = false;
  #writer: BodyWriter | undefined;
  /** The response is sent, or there will be none: the remaining input is read and dropped. */
  #isOver = false;

  constructor(stream: YamuxStream, places: Places) {
    this.#stream = stream;
    this.#places = places;
    this.#reader = new BlockReader(this, MAX_BLOCK);
    stream.on('data', this.#onData);
    stream.on('end', this.#onEnd);
    stream.on('drain', this.#onDrain);
    stream.on('error', () => {}); // 'close' follows
    stream.on('close', () => this.#upstreamIsUnwanted());
  }

  readonly #onData = (chunk: Buffer): void => {
    const isFirst = !this.#hasBegun;
    this.#hasBegun = true;
    // The first byte tells blocks from HTTP/1.1: the kind of a block is not a printable character, a method is.
    if (isFirst && (chunk[0] as number) >= 0x20) {
      this.#refuseForeign();
      return;
    }
    try {
      this.#reader.read(chunk);
    } catch (error) {
      this.#break(error);
    }
  };

  readonly #onEnd = (): void => {
    if (this.#isOver) return;
    if (this.#isBodyWhole) this.#upstream?.halfClose();
    else this.#break(new TunnelError('ERR_TUNNEL_CONNECTION_LOST', 'the request ended in its middle'));
  };

  readonly #onDrain = (): void => {
    this.#writer?.drained();
    this.#upstream?.resume();
  };

  onBlock(kind: number, text: string): void {
    if (this.#isOver) return;
    if (this.#head === undefined && kind === BlockKind.Request) this.#begin(readRequest(text));
    else if (this.#head?.body === PIECES && kind === BlockKind.Trailers && !this.#isBodyWhole) {
      this.#isBodyWhole = true;
      this.#upstream?.endBody(readHeaders(text));
    } else throw protocolError(`expected no block of kind ${kind} now`);
  }

  onBytes(bytes: Buffer): void {
    if (this.#isOver) return;
    if (this.#head === undefined || this.#isBodyWhole) throw protocolError('expected no bytes now');
    if (this.#upstream?.write(bytes) === false) this.#stream.pause();
  }

  onRawEnd(): void {
    this.#isBodyWhole = true;
    if (!this.#isOver) this.#upstream?.endBody([]);
  }

  #begin(asked: RequestHead): void {
    this.#head = asked;
    this.#isBodyWhole = asked.body === NO_BODY || asked.body === 0;
    if (asked.body > 0) this.#reader.expectRaw(asked.body);
    try {
      const { upstream, head } = this.#places.open(asked, this);
      this.#upstream = upstream;
      upstream.send(head);
    } catch (error) {
      // Nothing was sent. A head that cannot be sent is an error of the request, and would fail at any agent.
      const isUnsent = codeOf(error, '') === 'ERR_TUNNEL_NO_TARGET';
      this.failed(new UpstreamError(codeOf(error, 'ERR_TUNNEL_BAD_REQUEST'), (error as Error).message, isUnsent));
    }
  }

  taken(): void {
    const { body = NO_BODY } = this.#head ?? {};
    if ((body === PIECES || body > HELD_BODY) && !this.#isOver) this.#stream.write(TAKEN);
  }

  interim(status: number, reason: string, headers: RawHeaders): void {
    if (!this.#isOver) this.#stream.write(statusBlock(BlockKind.Interim, status, reason, headers));
  }

  answer(head: AnswerHead): void {
    if (this.#isOver) return;
    this.#isAnswering = true;
    this.#answerBody = head.body;
    this.#writer = new BodyWriter(this.#stream, head.body === PIECES ? 'blocks' : 'none');
    const block = answerBlock(head);
    // In one frame with the bytes of the body that have arrived already.
    this.#stream.cork();
    process.nextTick(() => this.#stream.uncork());
    this.#stream.write(block);
  }

  data(chunk: Buffer): void {
    if (!this.#isOver && this.#writer?.write(chunk) === false) this.#upstream?.pause();
  }

  end(trailers: RawHeaders): void {
    if (this.#isOver) return;
    this.#writer?.flush();
    if (this.#answerBody === PIECES) this.#stream.write(encodeBlock(BlockKind.Trailers, trailers));
    this.#over();
    this.#upstream?.finish();
    this.#stream.end();
  }

  switched(head: Omit<AnswerHead, 'body'>, connection: Connection, early: Buffer): void {
    const stream = this.#stream;
    if (this.#isOver || stream.destroyed) {
      connection.destroy();
      return;
    }
    this.#isOver = true;
    this.#upstream = undefined;
    stream.off('data', this.#onData).off('end', this.#onEnd).off('drain', this.#onDrain);
    stream.write(statusBlock(BlockKind.Switch, head.status, head.reason, head.headers));
    if (early.length > 0) stream.write(early);
    // The gateway's limits apply: when it gives up, it resets the stream, and this exchange ends.
    const joined = join(stream, connection, 0, this.#head?.upgrade.toLowerCase() === 'websocket');
    this.#places.joined.add(joined);
    void joined.ended.then((ending) => {
      this.#places.joined.delete(joined);
      if (ending.kind === 'cut') this.#log('connection cut', ending.error);
    });
  }

  failed(error: Error): void {
    if (this.#isOver) return;
    this.#log(this.#isAnswering ? 'response cut' : 'request failed', error);
    if (this.#isAnswering) {
      this.#break(error);
      return;
    }
    this.#over();
    const isUnsent = error instanceof UpstreamError && error.isUnsent;
    const code = codeOf(error, 'ERR_TUNNEL_TARGET_FAILED');
    const known = /^[A-Z][A-Z\d_]{0,63}$/.test(code) ? code : 'ERR_TUNNEL_TARGET_FAILED';
    this.#stream.write(failureBlock({ code: known, message: error.message, isUnsent }));
    this.#stream.end();
  }

  drain(): void {
    this.#stream.resume();
  }

  /** The rest of the request is read and dropped until the gateway has the response. */
  #over(): void {
    this.#isOver = true;
    this.#stream.resume();
  }

  #break(error: unknown): void {
    if (this.#isOver) return;
    if (!this.#isAnswering) this.#log('request failed', error);
    this.#upstreamIsUnwanted();
    this.#reader.stop();
    this.#stream.reset();
  }

  #upstreamIsUnwanted(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#upstream?.abort();
  }

  #refuseForeign(): void {
    this.#isOver = true;
    this.#reader.stop();
    this.#log(
      'request failed',
      protocolError('the gateway is older than this agent: it sends HTTP/1.1 on its streams'),
    );
    const body = '{"error":{"code":"ERR_TUNNEL_PROTOCOL","message":"The agent is newer than its gateway"}}\n';
    const head = `HTTP/1.1 502 Bad Gateway\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
    this.#stream.end(head + body);
    this.#stream.resume();
  }

  #log(event: string, error: unknown): void {
    const { target, headers = [] } = this.#head ?? {};
    let requestId: string | undefined;
    for (let index = 0; index < headers.length; index += 2) {
      if (headers[index]?.toLowerCase() === 'x-request-id') requestId = headers[index + 1];
    }
    this.#places.log(event, { requestId, url: target, error: describe(error) });
  }
}
