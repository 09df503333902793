import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { WebSocketFrames } from '../../src/http/websocket-frames.ts';

class Sink extends Writable {
  readonly #chunks: Buffer[] = [];

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    this.#chunks.push(chunk);
    callback();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}

function frame(opcode: number, payload: Buffer, isMasked = false): Buffer {
  const length =
    payload.length < 126
      ? Buffer.from([payload.length])
      : payload.length < 65_536
        ? Buffer.from([126, payload.length >> 8, payload.length & 255])
        : Buffer.from([127, 0, 0, 0, 0, 0, payload.length >> 16, (payload.length >> 8) & 255, payload.length & 255]);
  length[0] = (length[0] as number) | (isMasked ? 0x80 : 0);
  return Buffer.concat([Buffer.from([0x80 | opcode]), length, isMasked ? Buffer.alloc(4) : Buffer.alloc(0), payload]);
}

const AWAY = Buffer.from([0x88, 2, 3, 0xe9]);
const AWAY_MASKED = Buffer.from([0x88, 0x82, 0, 0, 0, 0, 3, 0xe9]);

describe('the frames of a WebSocket in passing', () => {
  it.each([0, 1, 125, 126, 300, 65_536])(
    'are ended behind the frame of %i bytes that is on its way, wherever it is cut',
    (size) => {
      const first = frame(2, Buffer.alloc(size, 'x'));
      const second = frame(1, Buffer.from('never seen'));
      const cuts = [...new Set([1, 2, 3, Math.ceil(first.length / 2), first.length - 1])].filter(
        (cut) => cut > 0 && cut < first.length,
      );
      for (const cut of cuts) {
        const sink = new Sink();
        const frames = new WebSocketFrames(false);
        frames.pass(first.subarray(0, cut), sink);
        frames.sendAway(sink);
        frames.pass(Buffer.concat([first.subarray(cut), second]), sink);
        frames.pass(second, sink);
        expect(sink.bytes.equals(Buffer.concat([first, AWAY]))).toBe(true);
      }
    },
  );

  it('are ended at once between two, masked where they come from a client', () => {
    const sink = new Sink();
    const frames = new WebSocketFrames(true);
    const said = frame(1, Buffer.from('hello'), true);
    frames.pass(said, sink);
    frames.sendAway(sink);
    frames.sendAway(sink);
    expect(sink.bytes.equals(Buffer.concat([said, AWAY_MASKED]))).toBe(true);
  });

  it('are not ended twice: whoever has said its own close frame is believed', () => {
    const sink = new Sink();
    const frames = new WebSocketFrames(false);
    const close = frame(8, Buffer.from([3, 0xe8]));
    frames.pass(close, sink);
    frames.sendAway(sink);
    expect(sink.bytes.equals(close)).toBe(true);
  });
});
