// The subpath ./browser: replaces the parts of Node that this package and its WebSocket carrier use. In the builds for a bundler's `browser`
// condition, every `node:` module is this one.

import { Buffer } from './browser/bytes.ts';
import { Duplex } from './browser/duplex.ts';
import { EventEmitter } from './browser/event-emitter.ts';
import { nextTick, setImmediate } from './browser/turns.ts';

export { Buffer, Duplex, EventEmitter, setImmediate };

/** What is used of it. */
export const process: {
  readonly nextTick: typeof nextTick;
  readonly env: Readonly<Record<string, string>>;
  readonly versions: Readonly<Record<string, string>>;
  emitWarning(warning: string | Error): void;
} = { nextTick, env: {}, versions: {}, emitWarning: (warning) => console.warn(warning) };

/** Of node:util: only Node's console asks for what is at `inspect.custom`. */
export const inspect: typeof String & { readonly custom: symbol } = Object.assign(String, {
  custom: Symbol.for('nodejs.util.inspect.custom'),
});

/** Of node:util: prints nothing. */
export const debuglog = (): (() => void) & { readonly enabled: boolean } => Object.assign(() => {}, { enabled: false });

/** Of node:diagnostics_channel: nobody subscribes. */
export const channel = (): { readonly hasSubscribers: boolean; publish(): void } => ({
  hasSubscribers: false,
  publish() {},
});

/** Of node:async_hooks: there are no stores, and so none of these. */
export class AsyncResource {}

/** Of node:async_hooks. */
export const executionAsyncResource = (): object => ({});

/** Of node:http: a browser tells no status. */
export const STATUS_CODES: Readonly<Record<number, string>> = {};
