// Frames as bytes, written with Node's own number encoding, so that nothing here can share a mistake with the source.

export const SYN = 1;
export const ACK = 2;
export const FIN = 4;
export const RST = 8;

export function frame(type: number, flags: number, id: number, length: number, payload?: Buffer): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt8(type, 1);
  header.writeUInt16BE(flags, 2);
  header.writeUInt32BE(id, 4);
  header.writeUInt32BE(length, 8);
  return payload ? Buffer.concat([header, payload]) : header;
}

export function data(id: number, payload: string | Buffer = '', flags = 0): Buffer {
  const bytes = Buffer.from(payload);
  return frame(0, flags, id, bytes.length, bytes);
}

export const windowUpdate = (id: number, delta: number, flags = 0): Buffer => frame(1, flags, id, delta);
export const syn = (id: number, delta = 0): Buffer => windowUpdate(id, delta, SYN);
export const ack = (id: number, delta = 0): Buffer => windowUpdate(id, delta, ACK);
export const fin = (id: number): Buffer => windowUpdate(id, 0, FIN);
export const rst = (id: number, errorCode = 0): Buffer => windowUpdate(id, errorCode, RST);
export const ping = (value: number): Buffer => frame(2, SYN, 0, value);
export const pong = (value: number): Buffer => frame(2, ACK, 0, value);
export const goAway = (code: number): Buffer => frame(3, 0, 0, code);
