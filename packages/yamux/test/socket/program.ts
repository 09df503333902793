// What two ends of one connection do: rounds of steps. The steps of a round are taken in one tick, in their order; then everything under
// way comes to rest. What an end sees then does not depend on time, and may be compared between a pair of net.Sockets and of streams.

export type EndName = 'a' | 'b';

/** What read() is given: a number, or what node:stream takes for "all there is". */
export type Size = number | 'nothing' | 'null' | 'NaN';

export type Encoding = 'utf8' | 'hex' | 'base64' | 'latin1';

/** What a program listens for. */
export type Heard = 'data' | 'readable' | 'end' | 'finish' | 'drain' | 'close' | 'error' | 'timeout';

export type Action =
  | { readonly do: 'data' | 'stop reading' | 'pause' | 'resume' }
  /** A 'readable' listener that reads until it gets null. */
  | { readonly do: 'readable'; readonly size: Size }
  /** One read(), now. */
  | { readonly do: 'read'; readonly size: Size }
  /** Waits for 'readable' until read(size) gives something, once: how length-prefixed protocols read. */
  | { readonly do: 'exactly'; readonly size: number }
  | { readonly do: 'unshift'; readonly size: number }
  | { readonly do: 'encoding'; readonly encoding: Encoding }
  /** `self`: an echo. */
  | { readonly do: 'pipe' | 'pipeline'; readonly to: 'sink' | 'slow sink' | 'self' }
  | { readonly do: 'for await' | 'iterator' | 'toWeb' }
  | { readonly do: 'write'; readonly size: number; readonly as: 'buffer' | 'text' | 'callback' | 'throwing callback' }
  /** One buffer, filled anew and written again in each write's callback. */
  | { readonly do: 'reuse'; readonly block: number; readonly blocks: number }
  /** Writes until write() says false, goes on at 'drain', and stops at 12 MiB. */
  | { readonly do: 'fill' }
  | { readonly do: 'cork' | 'uncork' }
  /** `size` 0: without a chunk. Behind a `reuse` under way it waits for that, and has no chunk. */
  | { readonly do: 'end'; readonly size: number }
  | { readonly do: 'destroySoon' | 'reset' }
  | { readonly do: 'destroy'; readonly error: boolean }
  /** This end's process is killed: its connection, whatever is carried in it, breaks. */
  | { readonly do: 'die' }
  /** This end's process goes when all is done: session.close(). Sockets need nothing. */
  | { readonly do: 'leave' }
  /** Nothing happens for six minutes. */
  | { readonly do: 'think' }
  | { readonly do: 'setTimeout'; readonly ms: unknown }
  /** Nothing happens until a short setTimeout() has fired. */
  | { readonly do: 'idle' }
  /** At the first `event`. */
  | {
      readonly do: 'once';
      readonly event: Heard;
      readonly act: 'throw' | 'end' | 'destroy' | 'write' | 'resume' | 'read';
    };

export type Step = { readonly end: EndName } & Action;

/** What the sessions' bytes go through; net.Sockets always have loopback. */
export interface Path {
  /** Bytes a second, each way; 0: as fast as it goes. */
  readonly rate: number;
  /** ms, each way. */
  readonly latency: number;
  /** Bytes of the application's own that the transports still hold when the sessions are made. */
  readonly preamble: number;
}

export interface Program {
  readonly allowHalfOpen: Readonly<Record<EndName, boolean>>;
  readonly path: Path;
  readonly rounds: ReadonlyArray<readonly Step[]>;
}

export const FAST: Path = { rate: 0, latency: 0, preamble: 0 };

export function otherEnd(end: EndName): EndName {
  return end === 'a' ? 'b' : 'a';
}

/** As a person reads it, and the last line as data. */
export function describeProgram(program: Program): string {
  const { allowHalfOpen, path, rounds } = program;
  const ends = (['a', 'b'] as const).filter((end) => !allowHalfOpen[end]).map((end) => `${end}: allowHalfOpen false`);
  const ways = Object.entries(path)
    .filter(([, value]) => value !== 0)
    .map(([name, value]) => `${name} ${value}`);
  return [
    ...[...ends, ...ways].map((line) => `(${line})`),
    ...rounds.map((steps, index) => `${index + 1}. ${steps.map(describeStep).join('; ') || 'nothing'}`),
    `as data: ${JSON.stringify(program)}`,
  ].join('\n  ');
}

function describeStep({ end, do: what, ...rest }: Step): string {
  const details = Object.values(rest).map(String);
  return `${end} ${what}${details.length === 0 ? '' : ` ${details.join(' ')}`}`;
}
