// One connection to the engine, with a new client whenever it is lost. A failed client is discarded together with its waiting calls, so nothing depends
// on its recovery. Every call has a time limit, because a stopped engine answers neither a command nor a greeting.
import type { RedisClientType } from '@redis/client';
import { FleetError } from '../errors.ts';

export interface ConnectionSettings {
  /** A client that is not connected, and does not connect again by itself. */
  readonly make: () => RedisClientType;
  /** Called when the engine answers, for the first time or again. */
  readonly up: () => void;
  /** Called when the engine answered before and no longer does. */
  readonly lost: (error: Error) => void;
}

/** ms for an answer, and for a connection including its greeting. */
const CALL_TIMEOUT = 1_500;
const SHORTEST_PAUSE = 50;
const LONGEST_PAUSE = 1_000;

/** Calls before there is a connection wait for it. */
interface Waiting {
  readonly promise: Promise<RedisClientType>;
  readonly resolve: (client: RedisClientType) => void;
  readonly reject: (error: Error) => void;
}

export class Connection {
  readonly #settings: ConnectionSettings;
  #waiting: Waiting = waiting();
  /** The client that is connected or connecting. */
  #client: RedisClientType | undefined;
  #isReady = false;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed: FleetError | undefined;

  constructor(settings: ConnectionSettings) {
    this.#settings = settings;
    void this.#connect();
  }

  /** An attempt to connect has failed. */
  get isDown(): boolean {
    return !this.#isReady && this.#failures > 0;
  }

  /** @throws FleetError (`ERR_YAMUX_FLEET_DIRECTORY`) */
  call(args: readonly string[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      let asked: RedisClientType | undefined;
      const timer = setTimeout(() => {
        const error = unanswered(new Error(`No answer within ${CALL_TIMEOUT} ms`));
        reject(error);
        if (asked !== undefined) this.#lose(asked, error);
      }, CALL_TIMEOUT);
      this.#waiting.promise
        .then((client) => {
          asked = client;
          return client.sendCommand(args);
        })
        .then(resolve, (error: unknown) => reject(unanswered(error)))
        .finally(() => clearTimeout(timer));
    });
  }

  /** Waiting calls reject. */
  close(): void {
    if (this.#closed !== undefined) return;
    this.#closed = unanswered(new Error('The directory is closed'));
    clearTimeout(this.#timer);
    this.#waiting.reject(this.#closed);
    const client = this.#client;
    this.#client = undefined;
    client?.destroy();
  }

  async #connect(): Promise<void> {
    const { make, up } = this.#settings;
    const client = make();
    this.#client = client;
    client.on('error', (error: Error) => this.#lose(client, error));
    this.#timer = setTimeout(
      () => this.#lose(client, new Error(`No greeting within ${CALL_TIMEOUT} ms`)),
      CALL_TIMEOUT,
    );
    try {
      await client.connect();
    } catch (error) {
      this.#lose(client, error as Error);
      return;
    }
    if (this.#client !== client) return;
    clearTimeout(this.#timer);
    this.#isReady = true;
    this.#failures = 0;
    this.#waiting.resolve(client);
    up();
  }

  #lose(client: RedisClientType, error: Error): void {
    if (this.#client !== client || this.#closed !== undefined) return;
    this.#client = undefined;
    client.destroy();
    clearTimeout(this.#timer);
    const pause = Math.min(LONGEST_PAUSE, SHORTEST_PAUSE * 2 ** this.#failures);
    this.#failures += 1;
    // Half of the pause is random, so that not all nodes connect at the same time.
    this.#timer = setTimeout(() => void this.#connect(), pause * (0.5 + Math.random() / 2));
    if (!this.#isReady) return;
    this.#isReady = false;
    this.#waiting = waiting();
    this.#settings.lost(unanswered(error));
  }
}

function waiting(): Waiting {
  let resolve: Waiting['resolve'] = () => {};
  let reject: Waiting['reject'] = () => {};
  const promise = new Promise<RedisClientType>((...both) => {
    [resolve, reject] = both;
  });
  // There may be no caller when the connection closes.
  promise.catch(() => {});
  return { promise, resolve, reject };
}

function unanswered(cause: unknown): FleetError {
  if (cause instanceof FleetError) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new FleetError('ERR_YAMUX_FLEET_DIRECTORY', `The engine did not answer: ${why}`, { cause });
}
