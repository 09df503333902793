// When code runs later in a browser: behind the running code, and in a turn of its own.

type Later = <A extends readonly unknown[]>(callback: (...args: A) => void, ...args: A) => unknown;

/** Behind the running code, before anything else of the event loop. What it throws is an uncaught error of the page. */
export const nextTick: Later = (callback, ...args) => queueMicrotask(() => callback(...args));

const tasks: (() => void)[] = [];
let channel: InstanceType<typeof MessageChannel> | undefined;

/** A message comes at once, where a timer is late by milliseconds, and by a second in a hidden tab. */
const byMessage: Later = (callback, ...args) => {
  tasks.push(() => callback(...args));
  if (channel === undefined) {
    channel = new MessageChannel();
    (channel.port1 as { onmessage?: () => void }).onmessage = () => tasks.shift()?.();
  }
  channel.port2.postMessage(null);
};

/** In a turn of its own, behind all microtasks. The runtime's own where there is one: this build may run in Node, in tests of a page. */
export const setImmediate: Later = (globalThis as Partial<typeof globalThis>).setImmediate ?? byMessage;
