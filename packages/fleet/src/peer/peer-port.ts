// The port on which peers dial this node. Streams of peers are opened only on sessions of this node, so a stream takes at most one hop. No field of the
// protocol asks a node to forward.
import { server, type YamuxSession, type YamuxStream } from '@zishuo/yamux';
import type { Clock } from '@zishuo/yamux-balancer';
import type { NodeRecord } from '../directory/directory.ts';
import { welcome } from './greeting.ts';
import { type Claim, Verdict } from './handshake.ts';
import { linkOptions } from './link-session.ts';
import type { InboundConnection, PeerListener, PeerNetwork } from './network.ts';

export interface PeerPortSettings {
  readonly network: PeerNetwork;
  readonly clock: Clock;
  readonly secret: string;
  readonly self: () => NodeRecord;
  readonly serve: (stream: YamuxStream, from: Claim) => void;
}

/** ms that a peer has for its claim. */
const HANDSHAKE_TIMEOUT = 5_000;
/** Connections without a claim so far. */
const MAX_HANDSHAKES = 256;

export class PeerPort {
  /** Connections that were refused. */
  rejected = 0;
  readonly #settings: PeerPortSettings;
  readonly #sessions = new Set<YamuxSession>();
  #listener: PeerListener | undefined;
  #handshakes = 0;
  #isClosing = false;

  constructor(settings: PeerPortSettings) {
    this.#settings = settings;
  }

  get port(): number | undefined {
    return this.#listener?.port;
  }

  /** Links from peers to this node. */
  get size(): number {
    return this.#sessions.size;
  }

  async listen(): Promise<void> {
    this.#listener = await this.#settings.network.listen((connection) => void this.#accept(connection));
  }

  /** Refuses new streams of peers. Open streams may continue for this many milliseconds. */
  async close(timeout: number): Promise<void> {
    this.#isClosing = true;
    await Promise.all(Array.from(this.#sessions, (session) => session.close({ timeout }).catch(() => {})));
    await this.#listener?.close();
  }

  async #accept({ socket, mayBe }: InboundConnection): Promise<void> {
    const { clock, secret } = this.#settings;
    if (this.#handshakes >= MAX_HANDSHAKES || this.#isClosing) return void socket.destroy();
    this.#handshakes += 1;
    const timer = clock.setTimeout(() => socket.destroy(), HANDSHAKE_TIMEOUT);
    socket.on('error', ignored);
    try {
      const claim = await welcome(socket, secret, (one) => this.#judge(one, mayBe));
      socket.off('error', ignored);
      this.#take(server(socket, linkOptions(clock)), claim);
    } catch {
      this.rejected += 1;
      socket.end(() => socket.destroy());
    } finally {
      clock.clearTimeout(timer);
      this.#handshakes -= 1;
    }
  }

  #judge(claim: Claim, mayBe: (name: string) => boolean): Verdict {
    const self = this.#settings.self();
    if (this.#isClosing) return Verdict.Closing;
    if (claim.from === self.id) return Verdict.Itself;
    if (claim.to !== self.id) return Verdict.NotMe;
    return mayBe(claim.name) ? Verdict.Welcome : Verdict.WrongName;
  }

  #take(session: YamuxSession, from: Claim): void {
    this.#sessions.add(session);
    session.on('error', ignored);
    session.once('close', () => this.#sessions.delete(session));
    session.on('stream', (stream) => this.#settings.serve(stream, from));
  }
}

function ignored(): void {}
