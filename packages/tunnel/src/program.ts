// The common parts of the programs: flags, stopping, and messages with the process that forked them, if one did.
import { isatty } from 'node:tty';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { describe } from './errors.ts';
import { jsonLog } from './log.ts';

/**
 * Percent by which a small heap may grow before V8 collects all of it. V8's own limit for a small heap is a few MiB. Buffers that were read count as
 * growth although the next minor collection frees them, so every few MiB of bodies cost a major collection, which took as much CPU as all the rest.
 */
const SMALL_HEAP_GROWTH = 500;
/** Bytes. Above this size V8's own limit is used: it is large enough, and sixfold growth could use up the memory of a machine. */
const SMALL_HEAP = 64 * 1024 * 1024;
/** Milliseconds between two looks at the size of the heap. */
const HEAP_INTERVAL = 5_000;

/** The commands of a parent process. Windows has no SIGTERM, so 'stop' is one of them. */
export type Command =
  | { readonly type: 'stop' | 'measure' }
  | { readonly type: 'drain' | 'resume'; readonly agent: string };

/** What it is told. */
export type Notice =
  /** `admin`: the address of a gateway's dashboard, with the token that it acts by; undefined where there is none. */
  | {
      readonly type: 'ready';
      readonly url: string;
      /** The URL for agents at a gateway. */
      readonly agents?: string | undefined;
      readonly admin?: string | undefined;
    }
  /** A worker of a gateway has become ready: at the start, and each time that it was started again. */
  | { readonly type: 'worker'; readonly worker: number; readonly pid: number }
  /** The command of that type has taken effect. Bytes: the most memory that the process ever had (resident set). */
  | { readonly type: 'done'; readonly command: Command['type']; readonly peakMemory: number };

export function notify(notice: Notice): void {
  process.send?.(notice);
}

/** Calls `listener` for each command and then says that it is done. */
export function onCommand(listener: (command: Command) => void): void {
  process.on('message', (command: Command | { readonly type?: undefined }) => {
    if (command.type === undefined) return; // a message of the workers' directory
    listener(command);
    notify({ type: 'done', command: command.type, peakMemory: process.resourceUsage().maxRSS * 1024 });
  });
}

/**
 * Runs `stop` once, on SIGTERM, Ctrl-C, a 'stop' command, or when the process that forked us is gone; the process ends by itself
 * when nothing is left to do. A second signal ends it at once.
 */
export function onStop(stop: () => Promise<void>): void {
  let stopping = false;
  const begin = (): void => {
    if (stopping) return;
    stopping = true;
    stop()
      .catch((error: unknown) => {
        console.error(describe(error));
        process.exitCode = 1;
      })
      .finally(() => {
        if (process.connected) process.disconnect(); // the channel would keep the process alive
      });
  };
  const onSignal = (): void => {
    if (stopping) process.exit(1);
    begin();
  };
  process.on('SIGTERM', onSignal);
  // A terminal also sends Ctrl-C to forked processes. The parent decides when they stop.
  process.on('SIGINT', process.send === undefined ? onSignal : () => {});
  process.on('disconnect', begin);
  process.on('message', (command: Command) => {
    if (command.type === 'stop') begin();
  });
}

/** Calls `reload` on SIGHUP, as service managers ask for it. On a terminal that signal says that the terminal is gone, and ends the process. */
export function onReload(reload: () => void): void {
  if (!isatty(0)) process.on('SIGHUP', reload);
}

/**
 * Runs a program. An error of `configure` is wrong usage: printed in one line, with exit code 2. A later unexpected error is logged and does not end the
 * process: it affects only the request or session that it came from.
 */
export function run<T>(configure: () => T, main: (config: T) => Promise<void>): void {
  limitCollections();
  let config: T;
  try {
    config = configure();
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\nSee --help.`);
    process.exit(2);
  }
  process.on('uncaughtException', (error: unknown) => {
    jsonLog('unforeseen error', { error: describe(error), stack: error instanceof Error ? error.stack : undefined });
  });
  main(config).catch((error: unknown) => {
    console.error(describe(error));
    process.exit(1);
  });
}

/** The flags of a program. For --help it prints `help` and ends the process. */
export function flags<T extends NonNullable<ParseArgsConfig['options']>>(
  help: string,
  options: T,
): ReturnType<typeof parseArgs<{ options: T }>>['values'] {
  if (process.argv.includes('--help')) {
    process.stdout.write(help);
    process.exit(0);
  }
  return parseArgs({ options }).values;
}

export function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text === '' || !Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`expected --${name} to be a whole number from ${min} to ${max}, got "${text}"`);
  }
  return value;
}

function limitCollections(): void {
  if (process.versions.bun !== undefined) return; // Bun's engine is not V8 and has no such flag
  const adjust = (): void => {
    const growth = getHeapStatistics().used_heap_size < SMALL_HEAP ? SMALL_HEAP_GROWTH : 0;
    setFlagsFromString(`--heap-growing-percent=${growth}`);
  };
  adjust();
  setInterval(adjust, HEAP_INTERVAL).unref();
}
