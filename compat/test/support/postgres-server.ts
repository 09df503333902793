// The part of a PostgreSQL server that pg needs: no password, and SELECT n returns n rows of one column.

import net from 'node:net';

const message = (type: string, ...parts: Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
};
const int16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);
const int32 = (value: number): Buffer =>
  Buffer.from([value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]);
const string = (text: string): Buffer => Buffer.from(`${text}\0`);

const READY = message('Z', Buffer.from('I'));
const TEXT_TYPE = 25;
const COLUMN = message(
  'T',
  int16(1),
  string('n'),
  int32(0),
  int16(0),
  int32(TEXT_TYPE),
  int16(-1 & 0xffff),
  int32(-1),
  int16(0),
);

/** Ends a connection without an answer, as a stopped server does. */
export const BYE = 'BYE';

export function postgresServer(): net.Server {
  return net.createServer((socket) => {
    let unread: Buffer = Buffer.alloc(0);
    let hasStarted = false;
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      unread = Buffer.concat([unread, chunk]);
      // The first message has no type.
      for (let skip = hasStarted ? 1 : 0; unread.length >= skip + 4; skip = 1) {
        const length = skip + unread.readInt32BE(skip);
        if (unread.length < length) return;
        const type = hasStarted ? unread.toString('latin1', 0, 1) : 'start';
        answer(socket, type, unread.toString('utf8', skip + 4, length - 1));
        unread = unread.subarray(length);
        hasStarted = true;
      }
    });
  });
}

function answer(socket: net.Socket, type: string, text: string): void {
  if (type === 'start') {
    socket.write(Buffer.concat([message('R', int32(0)), READY]));
  } else if (type === 'X' || text === BYE) {
    socket.end();
  } else {
    const count = Number(text.slice('SELECT '.length));
    const rows = Array.from({ length: count }, (_, row) => {
      const value = Buffer.from(`${row}`);
      return message('D', int16(1), int32(value.length), value);
    });
    socket.write(Buffer.concat([COLUMN, ...rows, message('C', string(`SELECT ${count}`)), READY]));
  }
}
