// Tests of frame-dump that its README does not show: the sources of bytes, and bytes that are not Yamux.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { run } from './program.ts';

const SYN = '0001 0001 00000001 00000000';
const HELLO = '0000 0000 00000001 00000005 68656c6c6f';
const bytes = (...hex: readonly string[]): Buffer => Buffer.from(hex.join('').replaceAll(' ', ''), 'hex');

const BOTH = `       0  WINDOW_UPDATE SYN id=1 len=0
      12  DATA id=1 len=5  'hello'
`;

describe('frame-dump', () => {
  it('reads stdin, however it is split', async () => {
    const all = bytes(SYN, HELLO);
    const chunks = [all.subarray(0, 5), all.subarray(5, 20), all.subarray(20)];
    expect(await run(['frame-dump', '-'], chunks)).toEqual({ code: 0, out: BOTH, err: '' });
  });

  it('reads a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'frame-dump-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'capture.bin');
    writeFileSync(file, bytes(SYN, HELLO));
    expect(await run(['frame-dump', '--file', file])).toEqual({ code: 0, out: BOTH, err: '' });
  });

  it('reads hex digits as people copy them', async () => {
    const args = ['frame-dump', '0x00010001 00:00:00:01', '00000000', HELLO];
    expect(await run(args)).toEqual({ code: 0, out: BOTH, err: '' });
  });

  it('prints its help', async () => {
    const { code, out } = await run(['frame-dump', '--help']);
    expect([code, out]).toEqual([0, expect.stringContaining('Usage: frame-dump')]);
  });

  it.each([
    ['a cut header', bytes(SYN, '0001'), '      12  cut inside a header: 12 bytes expected, got 2 (00 01)'],
    ['a cut payload', bytes(HELLO).subarray(0, 13), 'cut inside a frame: DATA id=1 len=5 (4 bytes of payload missing)'],
    ['an unknown type', bytes('0009 0000 00000001 00000000'), 'no Yamux: a type from 0 to 3 expected, got 9'],
    ['TLS', bytes('160301'), 'It looks like TLS'],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'It looks like HTTP'],
    ['a WebSocket', bytes('820c', SYN), 'It looks like a WebSocket frame'],
    ['nothing', bytes(), 'There are no bytes'],
  ])('says of %s what is wrong, and ends with exit code 1', async (_what, input, problem) => {
    const { code, out } = await run(['frame-dump', '-'], [input]);
    expect([code, out]).toEqual([1, expect.stringContaining(problem)]);
  });

  it.each([
    [['zz'], "got 'z'"],
    [['000'], 'got 3 digits'],
    [[], 'got nothing'],
    [['00', '--file', 'x'], 'got both'],
    [['--file', 'no-such-file'], 'ENOENT'],
    [['--fiel', 'x'], '--fiel'],
  ])('ends with exit code 2 for %j', async (args, why) => {
    const { code, err } = await run(['frame-dump', ...args]);
    expect([code, err]).toEqual([2, expect.stringContaining(why)]);
  });
});
