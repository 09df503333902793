// The memory of an idle stream: after a round trip, with four listeners, after garbage collection.

import type { Case } from '../case.ts';
import type { ByteStream, Connection } from '../implementation.ts';
import { usedMemory } from '../memory.ts';
import { WEIGH } from '../serve.ts';
import { MESSAGE_BYTES, message } from './echo.ts';
import { endAll } from './ends.ts';
import { Receipts } from './receipts.ts';

export function idleMemory(streams: number): Case {
  const title = `memory of an idle stream, of ${streams.toLocaleString('en-US')}`;
  return {
    name: 'idle-memory',
    figures: [
      { name: 'idle-memory-opened', title: `${title}, where it was opened`, unit: 'B', better: 'lower' },
      { name: 'idle-memory-accepted', title: `${title}, where it was accepted`, unit: 'B', better: 'lower' },
    ],
    load: { kind: 'idle-memory', streams },

    async drive(connection) {
      const scales = new Scales(await connection.open());
      const before = await scales.weigh();
      const idle = await establish(connection, streams);
      const after = await scales.weigh();
      await endAll([...idle, scales.stream]);
      return after.map((bytes, end) => (bytes - (before[end] ?? Number.NaN)) / streams);
    },
  };
}

/** Streams after their round trip. They share the listener functions, so only their lists of listeners count. */
function establish(connection: Connection, streams: number): Promise<readonly ByteStream[]> {
  return new Promise((resolve, reject) => {
    const idle: ByteStream[] = [];
    let missing = streams * MESSAGE_BYTES;
    const receive = (chunk: Uint8Array): void => {
      missing -= chunk.length;
      if (missing === 0) resolve(idle);
    };
    const ignore = (): void => {};
    const openOne = async (): Promise<void> => {
      const stream = await connection.open();
      stream.on('data', receive);
      for (const event of ['drain', 'end', 'close'] as const) stream.on(event, ignore);
      idle.push(stream);
      stream.write(message);
    };
    Promise.all(Array.from({ length: streams }, openOne)).catch(reject);
  });
}

/** The memory of both ends; the server's end sends its own on a stream. */
class Scales {
  readonly stream: ByteStream;
  readonly #receipts: Receipts;

  constructor(stream: ByteStream) {
    this.stream = stream;
    this.#receipts = new Receipts(stream);
  }

  /** Bytes of the client's process, and of the server's process. */
  async weigh(): Promise<readonly [number, number]> {
    this.stream.write(Buffer.of(WEIGH));
    const theirs = await this.#receipts.next();
    return [await usedMemory(), theirs];
  }
}
