// What crossed on the wire, as a session of ours saw it: one line a frame, both directions, by diagnostics_channel.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describeHeader } from '../../src/wire/describe.ts';

interface Frame {
  readonly session: object;
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly length: number;
}

const SENT = 'yamux:frame:sent';
const RECEIVED = 'yamux:frame:received';

export class FrameLog {
  readonly sent: string[] = [];
  readonly received: string[] = [];
  readonly #session: object;
  #onFrame: () => void = () => {};

  constructor(session: object) {
    this.#session = session;
    subscribe(SENT, this.#onSent);
    subscribe(RECEIVED, this.#onReceived);
  }

  [Symbol.dispose](): void {
    unsubscribe(SENT, this.#onSent);
    unsubscribe(RECEIVED, this.#onReceived);
  }

  /** Resolves when `holds` does: it is asked after every frame. */
  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#onFrame = () => {
        if (holds()) resolve();
      };
      this.#onFrame();
    });
  }

  readonly #onSent = (frame: unknown): void => this.#note(frame as Frame, this.sent);
  readonly #onReceived = (frame: unknown): void => this.#note(frame as Frame, this.received);

  #note({ session, type, flags, streamId, length }: Frame, log: string[]): void {
    if (session !== this.#session) return;
    log.push(describeHeader(type, flags, streamId, length));
    this.#onFrame();
  }
}
