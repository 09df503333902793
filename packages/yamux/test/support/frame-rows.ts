// A table of frames received: what the peer sends, what it hears and what the application sees, whatever the chunks are.

import { describe, expect, test } from 'vitest';
import type { SessionOptions, YamuxSession, YamuxStream } from '../../src/index.ts';
import { settle } from './duplex-pair.ts';
import { facingPeer } from './pairs.ts';

/** What the application saw, in order. */
type Log = string[];

export interface Row {
  readonly name: string;
  readonly send: Buffer[];
  /** What the peer hears; data and credit that a row is not about is none. */
  readonly hears: string[];
  readonly sees: string[];
  /** Streams that our side opens before. */
  readonly opens?: number;
  readonly options?: SessionOptions;
  /** Whether this is still seen before the stream is reset depends on where the chunks end. */
  readonly mayBeSeen?: RegExp;
}

/** Tests every row with its bytes in one chunk, byte by byte, and cut in two at every point. */
export function testRows(role: 'client' | 'server', rows: readonly Row[]): void {
  describe.each(rows)('$name', (row) => {
    const bytes = Buffer.concat(row.send);

    test('in one chunk', () => run(role, row, [bytes]));

    test('byte by byte', () =>
      run(
        role,
        row,
        [...bytes].map((byte) => Buffer.from([byte])),
      ));

    test('cut in two at every point', async () => {
      for (let at = 1; at < bytes.length; at += 1) await run(role, row, [bytes.subarray(0, at), bytes.subarray(at)]);
    });
  });
}

async function run(role: 'client' | 'server', row: Row, chunks: Buffer[]): Promise<void> {
  const { session, peer } = facingPeer(role, row.options);
  const sees = watch(session);
  for (let opened = 0; opened < (row.opens ?? 0); opened += 1) watchStream(await session.open(), sees);
  await settle();
  for (const chunk of chunks) peer.end.write(chunk);
  expect(await peer.heard()).toEqual(row.hears);
  const seen = sees.filter((line) => !row.mayBeSeen?.test(line));
  expect(perStream(seen)).toEqual(perStream(row.sees));
  session.off('error', ignore).on('error', ignore).destroy();
}

const ignore = (): void => {};

function watch(session: YamuxSession): Log {
  const log: Log = [];
  session.on('stream', (stream) => {
    const again = log.filter((line) => line.startsWith(`stream ${stream.id}`)).length;
    const label = `${stream.id}${"'".repeat(again)}`;
    log.push(`stream ${label}`);
    watchStream(stream, log, label);
  });
  session.on('goAway', (code) => log.push(`goAway ${code}`));
  session.on('error', (error) => log.push(`session error ${name(error)}`));
  session.on('close', () => log.push('session close'));
  return log;
}

function watchStream(stream: YamuxStream, log: Log, label = `${stream.id}`): void {
  stream.on('acknowledged', () => log.push(`${label} acknowledged`));
  stream.on('data', (chunk: Buffer) => log.push(`${label} data ${chunk.toString()}`));
  stream.on('end', () => log.push(`${label} end`));
  stream.on('error', (error) => log.push(`${label} error ${name(error)}`));
  stream.on('close', () => log.push(`${label} close`));
}

function name(error: Error): string {
  const { code, errorCode, goAwayCode, refused } = error as {
    code?: string;
    errorCode?: number;
    goAwayCode?: number;
    refused?: boolean;
  };
  const number = errorCode ?? (code === 'ERR_YAMUX_GO_AWAY' ? goAwayCode : undefined);
  return `${code}${number === undefined ? '' : ` ${number}`}${refused ? ' refused' : ''}`;
}

/** Order matters within a stream and within the session; between them it depends on where the chunks end. */
function perStream(log: Log): Record<string, Log> {
  const logs: Record<string, Log> = {};
  for (const line of log) {
    const whose = /^\d+'*/.exec(line.replace('stream ', ''))?.[0] ?? 'session';
    logs[whose] = joinData([...(logs[whose] ?? []), line]);
  }
  return logs;
}

/** Payload may come in any pieces. */
function joinData(log: Log): Log {
  const joined: Log = [];
  for (const line of log) {
    const head = /^\d+'* data /.exec(line)?.[0];
    const last = joined.length - 1;
    if (head && joined[last]?.startsWith(head)) joined[last] += line.slice(head.length);
    else joined.push(line);
  }
  return joined;
}
