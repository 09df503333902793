import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { BodyWriter } from '../../src/exchange/body-writer.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Takes a write only when it is let. */
class Slow extends Writable {
  readonly written: Buffer[] = [];
  #taken: (() => void) | undefined;

  constructor(highWaterMark: number) {
    super({ highWaterMark });
  }

  override _write(chunk: Buffer, _encoding: string, taken: () => void): void {
    this.written.push(chunk);
    this.#taken = taken;
  }

  take(): void {
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
  }
}

describe('a body on its way out', () => {
  it('goes on in crumbs while they are taken', async () => {
    const out = new Slow(1_000_000);
    const writer = new BodyWriter(out, 'none');
    writer.write(Buffer.from('a'));
    out.take();
    await turn();
    writer.write(Buffer.from('b'));
    expect(out.written.map(String)).toEqual(['a', 'b']);
  });

  it('is joined while nobody takes it: ten thousand crumbs wait as a few chunks', async () => {
    const out = new Slow(1_000_000);
    const writer = new BodyWriter(out, 'none');
    for (let count = 0; count < 10_000; count += 1) writer.write(Buffer.from('x'));
    writer.flush();
    for (let taken = 0; taken < 10; taken += 1) {
      out.take();
      await turn();
    }
    expect(Buffer.concat(out.written).toString()).toBe('x'.repeat(10_000));
    expect(out.written.length).toBeLessThan(5);
  });

  it('keeps its order, whatever the sizes', async () => {
    const out = new Slow(1_000_000);
    const writer = new BodyWriter(out, 'none');
    const said = ['a', 'b', 'C'.repeat(3_000), 'd', 'e', 'F'.repeat(9_000), 'g'];
    for (const text of said) writer.write(Buffer.from(text));
    writer.flush();
    for (let taken = 0; taken < 10; taken += 1) {
      out.take();
      await turn();
    }
    expect(Buffer.concat(out.written).toString()).toBe(said.join(''));
  });

  it('says when no more is taken, for crumbs as for large chunks', () => {
    const out = new Slow(10_000);
    const writer = new BodyWriter(out, 'none');
    expect(writer.write(Buffer.alloc(5_000))).toBe(true);
    expect(writer.write(Buffer.alloc(5_000))).toBe(false);
    expect(writer.write(Buffer.from('x'))).toBe(false);
  });
});
