// Bytes one way, as fast as they go. When the time is over each stream is ended, and its receiver answers with how many bytes it
// counted: the clock stops at the last of these receipts, so what is still in buffers and windows earns nothing.

import type { Case } from '../case.ts';
import type { ByteStream } from '../implementation.ts';

const MIB = 1_048_576;

export function bulk(streams: number, bytesPerWrite: number): Case {
  const chunk = Buffer.alloc(bytesPerWrite, 'yamux');
  return {
    name: `bulk-${streams}`,
    title: `bulk, ${streams} stream${streams === 1 ? '' : 's'}, ${bytesPerWrite / 1024} KiB writes`,
    unit: 'MiB/s',
    better: 'higher',
    serve: countAndReport,

    async drive(connection, ms) {
      const opened = await Promise.all(Array.from({ length: streams }, () => connection.open()));
      const start = performance.now();
      const sent = await Promise.all(opened.map((stream) => send(stream, chunk, start + ms)));
      const seconds = (performance.now() - start) / 1000;
      return sent.reduce((total, bytes) => total + bytes) / MIB / seconds;
    },
  };
}

function countAndReport(stream: ByteStream): void {
  let received = 0;
  stream.on('data', (chunk) => {
    received += chunk.length;
  });
  stream.on('end', () => {
    const receipt = Buffer.alloc(8);
    receipt.writeDoubleBE(received);
    stream.write(receipt);
    stream.end();
  });
}

/** Writes until the deadline. Resolves with the number of bytes once the peer has confirmed it. */
function send(stream: ByteStream, chunk: Uint8Array, deadline: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let sent = 0;
    const receipt: Uint8Array[] = [];
    const write = (): void => {
      while (performance.now() < deadline) {
        sent += chunk.length;
        if (!stream.write(chunk)) return;
      }
      stream.end();
    };
    stream.on('drain', write);
    stream.on('data', (part) => receipt.push(part));
    stream.on('close', () => {
      const bytes = Buffer.concat(receipt);
      const received = bytes.length === 8 ? bytes.readDoubleBE() : undefined;
      if (received === sent) resolve(sent);
      else reject(new Error(`${sent} bytes were sent, and the receiver says ${received ?? 'nothing'}`));
    });
    write();
  });
}
