// Tracing of a session and its frames: NODE_DEBUG=yamux prints a line per frame, and diagnostics_channel informs subscribers. Without
// either, no object is created.

import { channel } from 'node:diagnostics_channel';
import { debuglog } from 'node:util';
import { FrameType } from './wire/constants.ts';
import { describeHeader } from './wire/describe.ts';

/** The message on yamux:frame:sent and yamux:frame:received. */
export interface FrameMessage {
  /** The YamuxSession. */
  readonly session: object;
  /** A {@link FrameType}. */
  readonly type: number;
  /** A sum of SYN 1, ACK 2, FIN 4 and RST 8. */
  readonly flags: number;
  /** 0 for frames of the session itself. */
  readonly streamId: number;
  /** The header's length field: bytes of payload, credit, or a code, by the type. */
  readonly length: number;
}

/** The message on yamux:stream:open and yamux:stream:close. */
export interface StreamMessage {
  /** The YamuxSession. */
  readonly session: object;
  /** The YamuxStream. */
  readonly stream: object;
}

/** The message on yamux:session:open and yamux:session:close. */
export interface SessionMessage {
  /** The YamuxSession. */
  readonly session: object;
}

const debug = debuglog('yamux');
/** Whether NODE_DEBUG asks for it. It is read here, because in workerd every debuglog is enabled. */
const prints = Boolean(process.env.NODE_DEBUG) && debug.enabled;
const frameSent = channel('yamux:frame:sent');
const frameReceived = channel('yamux:frame:received');
const streamOpen = channel('yamux:stream:open');
const streamClose = channel('yamux:stream:close');
const sessionOpen = channel('yamux:session:open');
const sessionClose = channel('yamux:session:close');

let sessions = 0;

export class Trace {
  readonly #session: object;
  readonly #name: string;

  constructor(session: object) {
    sessions += 1;
    this.#session = session;
    this.#name = `s#${sessions}`;
  }

  sessionOpened(): void {
    if (sessionOpen.hasSubscribers) sessionOpen.publish({ session: this.#session } satisfies SessionMessage);
  }

  sessionClosed(): void {
    if (sessionClose.hasSubscribers) sessionClose.publish({ session: this.#session } satisfies SessionMessage);
  }

  streamOpened(stream: object): void {
    if (streamOpen.hasSubscribers) streamOpen.publish({ session: this.#session, stream } satisfies StreamMessage);
  }

  streamClosed(stream: object): void {
    if (streamClose.hasSubscribers) streamClose.publish({ session: this.#session, stream } satisfies StreamMessage);
  }

  /** Whether frames are traced: a cheap check before the two methods below. */
  get wantsFrames(): boolean {
    return prints || frameSent.hasSubscribers || frameReceived.hasSubscribers;
  }

  /** `window`: the credit, before this frame, that a Data frame spends. */
  received(type: number, flags: number, streamId: number, length: number, window?: number): void {
    if (prints) this.#print('<-', type, flags, streamId, length, window);
    if (frameReceived.hasSubscribers) frameReceived.publish(this.#message(type, flags, streamId, length));
  }

  sent(type: number, flags: number, streamId: number, length: number, window?: number): void {
    if (prints) this.#print('->', type, flags, streamId, length, window);
    if (frameSent.hasSubscribers) frameSent.publish(this.#message(type, flags, streamId, length));
  }

  #print(arrow: string, type: number, flags: number, streamId: number, length: number, window?: number): void {
    const spends = type === FrameType.Data && window !== undefined;
    const left = spends ? ` window=${window - length}` : '';
    debug('%s %s %s%s', this.#name, arrow, describeHeader(type, flags, streamId, length), left);
  }

  #message(type: number, flags: number, streamId: number, length: number): FrameMessage {
    return { session: this.#session, type, flags, streamId, length };
  }
}
