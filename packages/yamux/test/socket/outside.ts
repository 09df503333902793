// Listens to what the process hears while programs run: exceptions that nobody caught, and warnings.

type Event = 'uncaughtException' | 'unhandledRejection' | 'warning';
const EVENTS: readonly Event[] = ['uncaughtException', 'unhandledRejection', 'warning'];

type Listener = (...args: unknown[]) => void;

export class Outside {
  readonly uncaught: unknown[] = [];
  readonly warnings: string[] = [];
  readonly #others = new Map<Event, Listener[]>();

  /** Nobody else hears anything until restore(). */
  constructor() {
    for (const event of EVENTS) {
      this.#others.set(event, process.listeners(event as 'warning') as Listener[]);
      process.removeAllListeners(event);
    }
    process.on('uncaughtException', (error) => this.uncaught.push(error));
    process.on('warning', ({ name }) => this.warnings.push(name));
    // Promises of toWeb() that a program does not look at.
    process.on('unhandledRejection', () => {});
  }

  restore(): void {
    for (const event of EVENTS) {
      process.removeAllListeners(event);
      for (const listener of this.#others.get(event) ?? []) process.on(event, listener);
    }
  }
}
