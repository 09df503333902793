// Reads the head or the answer from the front of a stream, and leaves the following bytes in it.
import type { Duplex } from 'node:stream';
import { FleetError } from '../errors.ts';
import { type Answer, type Decoded, decodeAnswer, decodeHead, type Head } from './head.ts';

/** Resolves with the value at the front of the stream when it is complete. Rejects if the stream ends before. */
function readFront<Value>(stream: Duplex, decode: (bytes: Buffer) => Decoded<Value> | undefined): Promise<Value> {
  return new Promise((resolve, reject) => {
    let held: Buffer = Buffer.alloc(0);
    const leave = (): void => {
      stream.off('readable', onReadable).off('error', onError).off('end', onEnd).off('close', onEnd);
    };
    const onError = (error: unknown): void => {
      leave();
      reject(error as Error);
    };
    const onEnd = (): void =>
      onError(stream.errored ?? new FleetError('ERR_YAMUX_FLEET_GONE', 'The peer ended the stream before it answered'));
    const onReadable = (): void => {
      for (;;) {
        const chunk = stream.read() as Buffer | null;
        if (chunk === null) return;
        held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
        let decoded: Decoded<Value> | undefined;
        try {
          decoded = decode(held);
        } catch (error) {
          onError(error);
          return;
        }
        if (decoded === undefined) continue;
        leave();
        if (decoded.length < held.length) stream.unshift(held.subarray(decoded.length));
        resolve(decoded.value);
        return;
      }
    };
    stream.on('readable', onReadable).on('error', onError).on('end', onEnd).on('close', onEnd);
  });
}

export function readHead(stream: Duplex): Promise<Head> {
  return readFront(stream, decodeHead);
}

export function readAnswer(stream: Duplex): Promise<Answer> {
  return readFront(stream, decodeAnswer);
}
