// One connection of the load: an HTTP client on a bare socket, because that of node:http costs more than some of the measured programs. Like
// bench/go-http/connection.go.
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Load, LoadGroup } from './messages.ts';

const PIECE = Buffer.alloc(65_536);
const END_OF_HEAD = Buffer.from('\r\n\r\n');
const NOTHING = Buffer.alloc(0);

export class LoadConnection {
  readonly #socket: Socket;
  readonly #group: LoadGroup;
  readonly #head: Buffer;
  #received: Buffer = NOTHING;
  /** The remaining bytes of the body; undefined before its head. */
  #left: number | undefined;
  /** The response to an upload. */
  #text = '';
  #resolve: (() => void) | undefined;
  #reject: ((error: Error) => void) | undefined;
  #unsent = 0;

  constructor({ url, host }: Pick<Load, 'url' | 'host'>, group: LoadGroup) {
    const { protocol, hostname, port } = new URL(url);
    const place = { host: hostname, port: Number(port), noDelay: true };
    this.#socket = protocol === 'https:' ? connectTls({ ...place, rejectUnauthorized: false }) : connect(place);
    this.#group = group;
    const what =
      group.uploads > 0
        ? `POST /count HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${group.uploads}`
        : `GET /bytes/${group.answers} HTTP/1.1\r\nHost: ${host}`;
    this.#head = Buffer.from(`${what}\r\n\r\n`);
    this.#socket.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#socket.on('drain', () => this.#send());
    this.#socket.on('error', (error) => this.#reject?.(error));
    this.#socket.on('close', () => this.#reject?.(new Error('the connection ended in the middle of an answer')));
  }

  /** Sends a request and reads its whole response. Call it once at a time. */
  exchange(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#unsent = this.#group.uploads;
      this.#socket.write(this.#head);
      this.#send();
    });
  }

  close(): void {
    this.#reject = undefined;
    this.#socket.destroy();
  }

  #send(): void {
    while (this.#unsent > 0) {
      const piece = PIECE.subarray(0, this.#unsent);
      this.#unsent -= piece.length;
      if (!this.#socket.write(piece)) return;
    }
  }

  #read(chunk: Buffer): void {
    let body = chunk;
    if (this.#left === undefined) {
      this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
      const end = this.#received.indexOf(END_OF_HEAD);
      if (end === -1) return;
      const head = this.#received.toString('latin1', 0, end);
      body = this.#received.subarray(end + END_OF_HEAD.length);
      this.#received = NOTHING;
      const [, length] = /^content-length: *(\d+)/im.exec(head) ?? [];
      if (!head.startsWith('HTTP/1.1 200') || length === undefined) {
        this.#fail(`expected HTTP/1.1 200 with its length, got ${JSON.stringify(head.slice(0, 100))}`);
        return;
      }
      this.#left = Number(length);
      if (this.#group.uploads === 0 && this.#left !== this.#group.answers) {
        this.#fail(`expected an answer of ${this.#group.answers} bytes, got ${length}`);
        return;
      }
    }
    this.#left -= body.length;
    if (this.#group.uploads > 0) this.#text += body.toString('latin1');
    if (this.#left === 0) this.#done();
  }

  #done(): void {
    const text = this.#text;
    this.#left = undefined;
    this.#text = '';
    if (this.#group.uploads > 0 && text !== String(this.#group.uploads)) {
      this.#fail(`${this.#group.uploads} bytes were sent, and the origin says ${text}`);
    } else this.#resolve?.();
  }

  #fail(message: string): void {
    this.#reject?.(new Error(message));
    this.close();
  }
}
