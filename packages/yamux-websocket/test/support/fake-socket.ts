// A MessageSocket that does nothing by itself: the test plays the network.
import { WebSocketByteStream } from '../../src/byte-stream.ts';
import type { MessageData, MessageListener, MessageSocket } from '../../src/message-socket.ts';
import { resolveStreamOptions, type WebSocketStreamOptions } from '../../src/options.ts';

export class FakeSocket implements MessageSocket {
  state: MessageSocket['state'] = 'open';
  bufferedAmount = 0;
  backlog: number | undefined;
  /** How a sent message changes `bufferedAmount`. */
  onSend: () => void = () => {};
  paused = false;
  /** Every sent message, as text. */
  readonly sent: string[] = [];
  /** Every call that closes or terminates the socket. */
  readonly ends: string[] = [];
  pings = 0;
  readonly #unsent: ((error?: Error | null) => void)[] = [];
  #listener: MessageListener | undefined;

  attach(listener: MessageListener): void {
    this.#listener = listener;
  }

  get listener(): MessageListener {
    if (this.#listener === undefined) throw new Error('nothing is attached');
    return this.#listener;
  }

  send(message: Uint8Array, sent: (error?: Error | null) => void): void {
    this.sent.push(Buffer.from(message).toString());
    this.#unsent.push(sent);
    this.onSend();
  }

  close(code: number, reason: string): void {
    this.ends.push(`close ${code}${reason && ` ${reason}`}`);
    this.state = 'closing';
  }

  terminate(): void {
    this.ends.push('terminate');
    this.state = 'closing';
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  ping(): void {
    this.pings += 1;
  }

  open(): void {
    this.state = 'open';
    this.listener.onOpen();
  }

  /** Reports the oldest message as sent; with `all` every message. */
  taken(all = true): void {
    for (const sent of this.#unsent.splice(0, all ? Number.POSITIVE_INFINITY : 1)) sent();
  }

  /** Reports that the oldest message could not be sent. */
  failed(error: Error): void {
    for (const sent of this.#unsent.splice(0, 1)) sent(error);
  }

  receive(data: MessageData | string): void {
    this.listener.onMessage(typeof data === 'string' ? Buffer.from(data) : data);
  }

  closed(code: number, reason = ''): void {
    this.state = 'closed';
    this.listener.onClose(code, reason);
  }
}

export function streamOverFake(
  options: WebSocketStreamOptions = {},
  state: FakeSocket['state'] = 'open',
): { readonly socket: FakeSocket; readonly stream: WebSocketByteStream } {
  const socket = new FakeSocket();
  socket.state = state;
  return { socket, stream: new WebSocketByteStream(socket, resolveStreamOptions(options)) };
}
