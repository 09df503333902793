// EventEmitter of node:events, as far as sessions and streams are used.

// biome-ignore lint/suspicious/noExplicitAny: as in Node, each event has arguments of its own
type Listener = ((...args: any[]) => void) & { listener?: Listener };
type EventName = string | symbol;

export class EventEmitter {
  readonly #listeners = new Map<EventName, readonly Listener[]>();

  on(event: EventName, listener: Listener): this {
    return this.#add(event, listener, false);
  }

  addListener(event: EventName, listener: Listener): this {
    return this.on(event, listener);
  }

  prependListener(event: EventName, listener: Listener): this {
    return this.#add(event, listener, true);
  }

  once(event: EventName, listener: Listener): this {
    return this.on(event, this.#onceOnly(event, listener));
  }

  prependOnceListener(event: EventName, listener: Listener): this {
    return this.prependListener(event, this.#onceOnly(event, listener));
  }

  #onceOnly(event: EventName, listener: Listener): Listener {
    checkListener(listener);
    const once: Listener = (...args) => {
      this.off(event, once);
      listener.apply(this, args);
    };
    once.listener = listener;
    return once;
  }

  off(event: EventName, listener: Listener): this {
    const list = this.#of(event);
    const at = list.map((one) => one === listener || one.listener === listener).lastIndexOf(true);
    if (at < 0) return this;
    this.#set(
      event,
      list.filter((_, index) => index !== at),
    );
    if (event !== 'removeListener') this.emit('removeListener', event, listener);
    return this;
  }

  removeListener(event: EventName, listener: Listener): this {
    return this.off(event, listener);
  }

  removeAllListeners(event?: EventName): this {
    for (const name of event === undefined ? this.eventNames() : [event]) {
      for (const listener of this.#of(name)) this.off(name, listener);
    }
    return this;
  }

  /** @throws the error of an 'error' to which nobody listens. */
  emit(event: EventName, ...args: readonly unknown[]): boolean {
    const list = this.#of(event);
    if (list.length === 0 && event === 'error') throw args[0];
    for (const listener of list) listener.apply(this, [...args]);
    return list.length > 0;
  }

  listenerCount(event: EventName): number {
    return this.#of(event).length;
  }

  listeners(event: EventName): Listener[] {
    return this.#of(event).map((one) => one.listener ?? one);
  }

  eventNames(): EventName[] {
    return [...this.#listeners.keys()];
  }

  /** Does nothing: nobody is warned of many listeners. */
  setMaxListeners(_count: number): this {
    return this;
  }

  #add(event: EventName, listener: Listener, isFirst: boolean): this {
    checkListener(listener);
    if (this.#listeners.has('newListener')) this.emit('newListener', event, listener.listener ?? listener);
    const list = this.#of(event);
    this.#set(event, isFirst ? [listener, ...list] : [...list, listener]);
    return this;
  }

  #of(event: EventName): readonly Listener[] {
    return this.#listeners.get(event) ?? [];
  }

  /** The lists are never changed: who is called while one is gone through is decided at its beginning. */
  #set(event: EventName, list: readonly Listener[]): void {
    if (list.length > 0) this.#listeners.set(event, list);
    else this.#listeners.delete(event);
  }
}

function checkListener(listener: unknown): void {
  if (typeof listener === 'function') return;
  throw new TypeError(`Expected listener to be a function, got ${listener === null ? 'null' : typeof listener}`);
}
