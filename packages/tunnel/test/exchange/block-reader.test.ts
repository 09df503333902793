import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  answerBlock,
  BlockKind,
  encodeBlock,
  failureBlock,
  MAX_BLOCK,
  PIECES,
  readAnswer,
  readFailure,
  readHeaders,
  readRequest,
  requestBlock,
  writePrefix,
} from '../../src/exchange/block.ts';
import { type BlockListener, BlockReader } from '../../src/exchange/block-reader.ts';

/** Writes down what it hears; bytes that follow each other are one. */
class Heard implements BlockListener {
  readonly blocks: (readonly [number, string])[] = [];
  readonly chunks: Buffer[] = [];
  rawEnds = 0;

  onBlock(kind: number, text: string): void {
    this.blocks.push([kind, text]);
  }

  onBytes(bytes: Buffer): void {
    this.chunks.push(bytes);
  }

  onRawEnd(): void {
    this.rawEnds += 1;
  }

  get bytes(): string {
    return Buffer.concat(this.chunks).toString('latin1');
  }
}

function piece(text: string): Buffer {
  const block = Buffer.alloc(4 + text.length);
  writePrefix(block, BlockKind.Piece, text.length);
  block.write(text, 4, 'latin1');
  return block;
}

/** Of HTTP heads: any byte but those that end a field. */
const field = fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)) });
const headers = fc.array(fc.tuple(field, field), { maxLength: 5 }).map((list) => list.flat());

describe('blocks', () => {
  it('give back the head that was put in, byte for byte', () => {
    fc.assert(
      fc.property(
        field,
        field,
        fc.integer({ min: PIECES, max: 2 ** 40 }),
        field,
        headers,
        (method, target, body, upgrade, list) => {
          const head = { method, target, body, upgrade, headers: list };
          expect(readRequest(requestBlock(head).toString('latin1', 4))).toEqual(head);
        },
      ),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 100, max: 999 }),
        field,
        fc.integer({ min: PIECES, max: 2 ** 40 }),
        headers,
        (status, reason, body, list) => {
          const head = { status, reason, body, headers: list };
          expect(readAnswer(answerBlock(head).toString('latin1', 4))).toEqual(head);
        },
      ),
    );
  });

  it('are the same however they are cut, between bodies too', () => {
    const said = Buffer.concat([
      encodeBlock(BlockKind.Interim, ['103', '', 'Link', '</a>']),
      encodeBlock(BlockKind.Taken, []),
      piece('hello '),
      piece(''),
      piece('world'),
      encodeBlock(BlockKind.Trailers, ['X-Sum', '5']),
    ]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 })), (sizes) => {
        const heard = new Heard();
        const reader = new BlockReader(heard, 100);
        let at = 0;
        for (const size of sizes) {
          reader.read(said.subarray(at, at + size));
          at += size;
        }
        reader.read(said.subarray(at));
        expect(heard.blocks).toEqual([
          [BlockKind.Interim, '103\n\nLink\n</a>'],
          [BlockKind.Taken, ''],
          [BlockKind.Trailers, 'X-Sum\n5'],
        ]);
        expect(heard.bytes).toBe('hello world');
      }),
    );
  });

  it('give way to so many raw bytes as are expected, and come again behind them', () => {
    const heard = new Heard();
    const reader = new BlockReader(heard, 100);
    reader.expectRaw(5);
    reader.read(Buffer.concat([Buffer.from('he')]));
    reader.read(Buffer.concat([Buffer.from('llo'), encodeBlock(BlockKind.Taken, [])]));
    expect([heard.bytes, heard.rawEnds, heard.blocks]).toEqual(['hello', 1, [[BlockKind.Taken, '']]]);
  });

  it('of more than the bound are refused before anything of them is kept', () => {
    const prefix = Buffer.alloc(4);
    writePrefix(prefix, BlockKind.Answer, 101);
    expect(() => new BlockReader(new Heard(), 100).read(prefix)).toThrow(
      expect.objectContaining({ code: 'ERR_TUNNEL_PROTOCOL' }),
    );
    expect(() => encodeBlock(BlockKind.Answer, ['x'.repeat(MAX_BLOCK + 1)])).toThrow(
      expect.objectContaining({ code: 'ERR_TUNNEL_PROTOCOL' }),
    );
  });

  it('with ten thousand pieces of one byte are handed on as few buffers', () => {
    const heard = new Heard();
    const crumbs = Buffer.concat(Array.from({ length: 10_000 }, () => piece('x')));
    new BlockReader(heard, 100).read(crumbs);
    expect(heard.bytes).toBe('x'.repeat(10_000));
    expect(heard.chunks.length).toBeLessThan(3);
  });

  it('that make no sense are refused, whatever they say', () => {
    const refused = expect.objectContaining({ code: 'ERR_TUNNEL_PROTOCOL' });
    for (const text of ['', 'GET', 'GET\n/\nx\n', 'GET\n/\n-3\n', 'GET\n/\n1\n\nHost']) {
      expect(() => readRequest(text)).toThrow(refused);
    }
    for (const text of ['', '20\nOK\n0', '2000\nOK\n0', '099\n\n0', '200\nOK\n']) {
      expect(() => readAnswer(text)).toThrow(refused);
    }
    expect(() => readFailure('not a code\n')).toThrow(refused);
    expect(() => readHeaders('a')).toThrow(refused);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const heard = new Heard();
        try {
          new BlockReader(heard, 100).read(Buffer.from(bytes));
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_TUNNEL_PROTOCOL' });
        }
      }),
    );
  });

  it('of a failure carry any message, in plain characters', () => {
    const block = failureBlock({ code: 'ECONNREFUSED', message: 'größer\nals', isUnsent: true });
    expect(readFailure(block.toString('latin1', 4))).toEqual({
      code: 'ECONNREFUSED',
      message: 'gr??er?als',
      isUnsent: true,
    });
  });
});
