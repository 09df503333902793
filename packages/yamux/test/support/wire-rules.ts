// What a session may put on the wire (docs/explanation/protocol.md, “What we send”), held against all that it did put there. Ids must not be used twice
// in what is looked at.

import { ACK, FIN, RST, SYN } from './frames.ts';

const INITIAL_WINDOW = 262_144;
const [DATA, WINDOW_UPDATE, PING, GO_AWAY] = [0, 1, 2, 3];

interface StreamRecord {
  hasSyn: boolean;
  hasAck: boolean;
  hasFin: boolean;
  hasRst: boolean;
  sent: number;
  granted: number;
}

/** Everything that one side sent, by stream. */
export class WireRecord {
  readonly streams: Map<number, StreamRecord> = new Map();
  readonly goAways: number[] = [];
  /** Bytes of a frame that was cut off at the end. */
  readonly rest: number;
  readonly #ours: 0 | 1;

  /** @throws {Error} naming the frame that breaks a rule. */
  constructor(role: 'client' | 'server', bytes: Buffer, maxFramePayload = 32_768) {
    this.#ours = role === 'client' ? 1 : 0;
    let at = 0;
    while (bytes.length - at >= 12) {
      const type = bytes.readUInt8(at + 1);
      const length = bytes.readUInt32BE(at + 8);
      const end = at + 12 + (type === DATA ? length : 0);
      if (bytes.readUInt8(at) !== 0) throw new Error(`version ${bytes.readUInt8(at)}`);
      if (type === DATA && length > maxFramePayload) throw new Error(`a frame of ${length} bytes`);
      if (end > bytes.length) break;
      this.#frame(type, bytes.readUInt16BE(at + 2), bytes.readUInt32BE(at + 4), length);
      at = end;
    }
    this.rest = bytes.length - at;
  }

  #frame(type: number, flags: number, id: number, length: number): void {
    const rule = (holds: boolean, name: string): void => {
      if (!holds) throw new Error(`${name}: type ${type}, flags ${flags}, stream ${id}, length ${length}`);
    };
    if (type === GO_AWAY) {
      rule(flags === 0 && id === 0, 'GoAway is about the session, without flags');
      this.goAways.push(length);
    } else if (type === PING) {
      rule(id === 0 && (flags === SYN || flags === ACK), 'a ping has exactly one of SYN and ACK, on stream 0');
    } else if (type === WINDOW_UPDATE || type === DATA) {
      rule(id !== 0, 'stream 0 is the session');
      rule(type === WINDOW_UPDATE ? [0, SYN, ACK, FIN, RST].includes(flags) : flags === 0, 'a flag has its own frame');
      this.#streamFrame(type, flags, id, length, rule);
    } else {
      throw new Error(`type ${type}`);
    }
  }

  #streamFrame(
    type: number,
    flags: number,
    id: number,
    length: number,
    rule: (holds: boolean, name: string) => void,
  ): void {
    const isOurs = id % 2 === this.#ours;
    const stream = this.streams.get(id) ?? {
      hasSyn: false,
      hasAck: false,
      hasFin: false,
      hasRst: false,
      sent: 0,
      granted: INITIAL_WINDOW,
    };
    this.streams.set(id, stream);
    rule(!stream.hasRst, 'nothing follows RST');
    if (flags === SYN) {
      rule(isOurs && !stream.hasSyn, 'SYN once, on an id of ours');
      stream.hasSyn = true;
    }
    rule(!isOurs || stream.hasSyn, 'SYN comes first');
    if (flags === ACK) {
      rule(!isOurs && !stream.hasAck && !stream.hasFin && stream.sent === 0, 'ACK once, first, on an id of the peer');
      stream.hasAck = true;
    }
    rule(isOurs || stream.hasAck || flags === RST, 'ACK or RST comes first');
    if (flags === FIN) {
      rule(!stream.hasFin && length === 0, 'FIN once');
      stream.hasFin = true;
    }
    if (type === DATA) {
      rule(!stream.hasFin && length > 0, 'no data after FIN, none that is empty');
      stream.sent += length;
    } else if (flags === 0) {
      rule(length >= INITIAL_WINDOW / 2, 'credit comes by half windows');
      stream.granted += length;
    }
    if (flags === RST) stream.hasRst = true;
  }
}
