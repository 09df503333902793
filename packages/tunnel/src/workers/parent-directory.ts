// The directory of a worker: passes calls to the parent process, which holds the directory.
import type { Beat, DirectoryListener, Entry, NodeRecord, Placement, SessionDirectory } from '@zishuo/yamux-fleet';
import {
  type DirectoryAnswer,
  type DirectoryCall,
  type DirectoryReply,
  type DirectoryRequest,
  isAboutDirectory,
} from './directory-messages.ts';

/** A process with a channel to its parent. */
export interface Channel {
  send?(message: DirectoryRequest): unknown;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  off(event: 'message', listener: (message: unknown) => void): unknown;
}

interface Pending {
  readonly resolve: (value: DirectoryAnswer) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** ms to wait for a stopped parent. */
const CALL_TIMEOUT = 2_000;

class ParentDirectory implements SessionDirectory {
  readonly #channel: Channel;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Set<DirectoryListener>();
  #number = 0;

  constructor(channel: Channel) {
    this.#channel = channel;
    channel.on('message', this.#onMessage);
  }

  beat(self: NodeRecord, lease: number): Promise<Beat> {
    return this.#call({ method: 'beat', self, lease }) as Promise<Beat>;
  }

  async publish(entries: readonly Entry[]): Promise<void> {
    await this.#call({ method: 'publish', entries });
  }

  lookup(name: string): Promise<readonly Placement[]> {
    return this.#call({ method: 'lookup', name }) as Promise<readonly Placement[]>;
  }

  watch(listener: DirectoryListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async leave(node: string): Promise<void> {
    await this.#call({ method: 'leave', node });
  }

  async close(): Promise<void> {
    this.#channel.off('message', this.#onMessage);
    for (const number of [...this.#pending.keys()]) this.#settle(number)?.reject(new Error('The directory is closed'));
    this.#listeners.clear();
  }

  #call(call: DirectoryCall): Promise<DirectoryAnswer> {
    this.#number += 1;
    const number = this.#number;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#settle(number)?.reject(new Error(`The parent process did not answer within ${CALL_TIMEOUT} ms`));
      }, CALL_TIMEOUT);
      this.#pending.set(number, { resolve, reject, timer });
      try {
        this.#channel.send?.({ directory: 'call', number, call });
      } catch (error) {
        this.#settle(number)?.reject(error as Error); // the IPC channel is closed
      }
    });
  }

  readonly #onMessage = (message: unknown): void => {
    if (!isAboutDirectory(message)) return;
    const reply = message as DirectoryReply;
    if (reply.directory === 'changed') for (const listener of this.#listeners) listener.changed(reply.name);
    else if (reply.directory === 'answer') this.#settle(reply.number)?.resolve(reply.value);
    else this.#settle(reply.number)?.reject(new Error(reply.message));
  };

  /** Takes the pending call with this number, which now has its result. */
  #settle(number: number): Pending | undefined {
    const pending = this.#pending.get(number);
    this.#pending.delete(number);
    clearTimeout(pending?.timer);
    return pending;
  }
}

export function parentDirectory(channel: Channel = process): SessionDirectory {
  return new ParentDirectory(channel);
}
