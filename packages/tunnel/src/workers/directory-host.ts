// The parent's side of the workers' directory: answers their calls, and sends hints about the names that a worker has looked up.
import type { SessionDirectory } from '@zishuo/yamux-fleet';
import {
  type DirectoryAnswer,
  type DirectoryCall,
  type DirectoryReply,
  type DirectoryRequest,
  isAboutDirectory,
} from './directory-messages.ts';

/** A process with a channel to one of its workers. */
export interface WorkerChannel {
  send(message: DirectoryReply): unknown;
  on(event: 'message', listener: (message: unknown) => void): unknown;
}

/** Serves the directory to a worker until the function that it returns is called, when the worker is dead: then its lease ends. */
export function hostDirectory(directory: SessionDirectory, channel: WorkerChannel): () => void {
  /** What it has looked up, and was not told of since. */
  const read = new Set<string>();
  let node: string | undefined;
  let isDead = false;
  const say = (reply: DirectoryReply): void => {
    if (!isDead) channel.send(reply);
  };
  const unwatch = directory.watch({
    changed: (name) => {
      if (read.delete(name)) say({ directory: 'changed', name });
    },
    unsure: () => {},
    up: () => {},
    down: () => {},
  });
  const answerTo = async (call: DirectoryCall): Promise<DirectoryAnswer> => {
    switch (call.method) {
      case 'beat':
        node = call.self.id;
        return directory.beat(call.self, call.lease);
      case 'publish':
        await directory.publish(call.entries);
        return undefined;
      case 'leave':
        await directory.leave(call.node);
        return undefined;
      case 'lookup': {
        const placements = await directory.lookup(call.name);
        if (placements.length > 0) read.add(call.name);
        return placements;
      }
    }
  };
  channel.on('message', (message) => {
    if (!isAboutDirectory(message)) return;
    const { number, call } = message as DirectoryRequest;
    answerTo(call).then(
      (value) => say({ directory: 'answer', number, value }),
      (error: Error) => say({ directory: 'failed', number, message: error.message }),
    );
  });
  return () => {
    isDead = true;
    unwatch();
    if (node !== undefined) void directory.leave(node);
  };
}
