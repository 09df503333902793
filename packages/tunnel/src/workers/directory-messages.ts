// The messages between a worker and its parent about the directory: numbered calls, their answers, and hints.
import type { Beat, Entry, NodeRecord, Placement } from '@zishuo/yamux-fleet';

export type DirectoryCall =
  | { readonly method: 'beat'; readonly self: NodeRecord; readonly lease: number }
  | { readonly method: 'publish'; readonly entries: readonly Entry[] }
  | { readonly method: 'lookup'; readonly name: string }
  | { readonly method: 'leave'; readonly node: string };

export type DirectoryAnswer = Beat | readonly Placement[] | undefined;

/** Worker to parent. */
export interface DirectoryRequest {
  readonly directory: 'call';
  readonly number: number;
  readonly call: DirectoryCall;
}

/** Parent to worker. */
export type DirectoryReply =
  | { readonly directory: 'answer'; readonly number: number; readonly value: DirectoryAnswer }
  | { readonly directory: 'failed'; readonly number: number; readonly message: string }
  | { readonly directory: 'changed'; readonly name: string };

/** Among all that is said between the two. */
export function isAboutDirectory(message: unknown): message is { readonly directory: string } {
  return typeof (message as { readonly directory?: unknown } | null)?.directory === 'string';
}
