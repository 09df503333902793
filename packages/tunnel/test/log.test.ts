import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LineLog } from '../src/log.ts';
import { FileSink, StreamSink } from '../src/log-sink.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Takes nothing until it is let. */
class Pipe extends Writable {
  readonly written: string[] = [];
  #taken: (() => void) | undefined;

  override _write(chunk: Buffer, _encoding: string, taken: () => void): void {
    this.written.push(String(chunk));
    this.#taken = taken;
  }

  take(): void {
    this.#taken?.();
  }
}

function events(texts: readonly string[]): unknown[] {
  return texts.flatMap((text) => text.trim().split('\n')).map((line) => (JSON.parse(line) as { event: unknown }).event);
}

describe('the log', () => {
  it('writes the lines of one turn at once', async () => {
    const pipe = new Pipe();
    const { log } = new LineLog(new StreamSink(pipe));
    log('first', { a: 1 });
    log('second', {});
    expect(pipe.written).toEqual([]);
    await turn();
    expect(pipe.written).toHaveLength(1);
    expect(events(pipe.written)).toEqual(['first', 'second']);
    expect(JSON.parse(pipe.written[0]?.split('\n')[0] ?? '')).toMatchObject({ a: 1, time: expect.any(String) });
  });

  it('has an event and fields of any text in a line of their own, and leaves out what is undefined', async () => {
    const pipe = new Pipe();
    const { log } = new LineLog(new StreamSink(pipe));
    log('a "quoted"\nevent', { text: '{},"\n', none: undefined, list: [1] });
    log('bare', { none: undefined });
    await turn();
    const lines = (pipe.written[0] ?? '').split('\n').slice(0, -1);
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]{12}Z$/);
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { time, event: 'a "quoted"\nevent', text: '{},"\n', list: [1] },
      { time, event: 'bare' },
    ]);
  });

  it('holds no more than its bound while nobody takes the lines, and tells how many were lost', async () => {
    const pipe = new Pipe();
    const { log } = new LineLog(new StreamSink(pipe), 500);
    for (let count = 0; count < 100; count += 1) log('line', { count });
    await turn();
    for (let count = 0; count < 100; count += 1) log('line', { count });
    await turn();
    expect(pipe.writableLength).toBeLessThan(700);
    const kept = events(pipe.written).length;
    pipe.take();
    await turn();
    log('again', {});
    await turn();
    expect(events(pipe.written.slice(1))).toEqual(['log lines lost', 'again']);
    expect(JSON.parse(pipe.written[1]?.split('\n')[0] ?? '')).toMatchObject({ lines: 200 - kept });
  });

  it('outlives a disk that is full: when it has room again, lines go on, behind how many were lost', async () => {
    let isFull = true;
    let written = '';
    const write = (lines: string): boolean => {
      if (!isFull) written += lines;
      return !isFull;
    };
    const { log } = new LineLog({ write, waiting: 0, isOver: false });
    log('one', {});
    log('two', {});
    await turn();
    log('three', {});
    await turn();
    isFull = false;
    log('four', {});
    await turn();
    expect(events([written])).toEqual(['log lines lost', 'four']);
    expect(JSON.parse(written.split('\n')[0] ?? '')).toMatchObject({ lines: 3 });
  });

  it.skipIf(!existsSync('/dev/full'))('is told by a file that a write has failed, and writes on', () => {
    const full = openSync('/dev/full', 'w');
    onTestFinished(() => closeSync(full));
    const sink = new FileSink(full);
    expect([sink.write('lost\n'), sink.isOver]).toEqual([false, false]);
    const folder = mkdtempSync(join(tmpdir(), 'tunnel-log-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = openSync(join(folder, 'log'), 'w');
    expect(new FileSink(file).write('kept\n')).toBe(true);
    closeSync(file);
    expect(readFileSync(join(folder, 'log'), 'utf8')).toBe('kept\n');
  });

  it('begins a line of its own behind one of which only a part fitted on the disk', () => {
    let room = 5;
    let written = '';
    const write = (_descriptor: number, bytes: Buffer, offset: number): number => {
      if (room === 0) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
      const part = bytes.subarray(offset, offset + room);
      room -= part.length;
      written += part.toString();
      return part.length;
    };
    const sink = new FileSink(1, write);
    expect(sink.write('a line\n')).toBe(false);
    expect(sink.write('lost\n')).toBe(false);
    room = 100;
    expect([sink.write('next\n'), sink.write('and next\n')]).toEqual([true, true]);
    expect(written).toBe('a lin\nnext\nand next\n');
  });

  it('outlives a pipe that breaks', async () => {
    const pipe = new Pipe();
    const { log } = new LineLog(new StreamSink(pipe));
    log('one', {});
    await turn();
    pipe.destroy(new Error('EPIPE'));
    await turn();
    log('two', {});
    await turn();
    expect(events(pipe.written)).toEqual(['one']);
  });
});
