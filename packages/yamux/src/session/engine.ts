// One session without its public API: connects its parts, and owns its life. frame-router.ts has the meaning of frames, outbox.ts the order of
// sending, streams.ts the opening and ending of streams.

import type { Duplex } from 'node:stream';
import type { Clock } from '../clock.ts';
import type { YamuxStream } from '../duplex/yamux-stream.ts';
import { ProtocolError, type SessionClosedError } from '../errors.ts';
import { throwOutside } from '../throw-outside.ts';
import type { Trace } from '../trace.ts';
import { Flag, FrameType, GoAwayCode, SESSION_ID } from '../wire/constants.ts';
import * as endings from './endings.ts';
import { FrameRouter } from './frame-router.ts';
import { GoAway } from './go-away.ts';
import { KeepAlive, type LinkFigures } from './keep-alive.ts';
import { CLOSED, CLOSING, ENDING, errorOf, failedWith, isOver, isRunning, type Life, OPEN } from './life.ts';
import type { ResolvedOptions } from './options.ts';
import { Outbox } from './outbox.ts';
import type { SessionStats } from './stats.ts';
import type { Role } from './stream-table.ts';
import { Streams } from './streams.ts';
import { Transport } from './transport.ts';
import { WriteProgress } from './write-progress.ts';
import { WriteWatch } from './write-watch.ts';

export interface EnginePort {
  hasStreamListeners(): boolean;
  stream(stream: YamuxStream): void;
  goAway(code: number): void;
  /** The last events of all streams were emitted: the session has ended, because of `error` if that was unclean. */
  finished(error: Error | null): void;
}

export class Engine {
  readonly streams: Streams;
  readonly keepAlive: KeepAlive;
  readonly goAway: GoAway = new GoAway();
  readonly transport: Transport;
  readonly #outbox: Outbox;
  readonly #router: FrameRouter;
  readonly #writeProgress: WriteProgress;
  readonly #writeWatch: WriteWatch;
  readonly #clock: Clock;
  readonly #port: EnginePort;
  #life: Life = OPEN;

  constructor(role: Role, transport: Duplex, options: ResolvedOptions, trace: Trace, port: EnginePort) {
    const { clock } = options;
    this.#clock = clock;
    this.#port = port;
    this.transport = new Transport(transport, clock, {
      received: (chunk) => this.#router.receive(chunk),
      ended: () => this.#transportEnded(),
      failed: (error) => this.#transportFailed(error),
      closed: () => this.#transportClosed(),
    });
    const outbox = new Outbox(transport, options, trace, {
      ahead: () => this.#writeProgress.ahead,
      handedOver: () => this.#handedOver(),
      progressed: () => this.#progressed(),
      peerStalled: () => this.fail(endings.peerStalled()),
    });
    this.#outbox = outbox;
    this.#writeProgress = new WriteProgress(
      transport,
      () => outbox.bytesSent,
      () => outbox.bytesTaken,
    );
    this.#writeWatch = new WriteWatch(transport, this.#writeProgress, options, () =>
      this.fail(endings.writeTimedOut(options.writeTimeout)),
    );
    const link = linkFigures(this.transport, outbox, this.#writeProgress);
    this.keepAlive = new KeepAlive(options, link, {
      sendPing: (value) => outbox.control(FrameType.Ping, Flag.Syn, SESSION_ID, value),
      peerIsDead: () => this.fail(endings.peerDied(options.keepAliveTimeout)),
    });
    this.streams = new Streams(transport, role, options, outbox, trace, {
      refusesInbound: () => this.goAway.isKnown || this.#life.phase !== 'open',
      hasListeners: () => port.hasStreamListeners(),
      emit: (stream) => port.stream(stream),
      roundTrip: () => this.keepAlive.rtt,
      measureRoundTrip: () => this.keepAlive.measure(),
      emptied: () => {
        if (this.#life.phase === 'closing') process.nextTick(this.#endIfDone);
      },
    });
    this.#router = new FrameRouter(this.streams.table, trace, {
      openInbound: (id) => this.streams.openInbound(id),
      answerPing: (value) => outbox.control(FrameType.Ping, Flag.Ack, SESSION_ID, value),
      pong: (value) => this.keepAlive.pong(value),
      goAway: (code) => this.#goAwayReceived(code),
      violated: (error) => this.fail(error),
    });
  }

  get state(): 'open' | 'draining' | 'closed' {
    if (!this.isRunning) return 'closed';
    const saidGoAway = this.goAway.isSent || this.goAway.received !== undefined;
    return this.#life.phase === 'closing' || saidGoAway || this.streams.opens.isExhausted ? 'draining' : 'open';
  }

  /** Frames are received, and streams live. */
  get isRunning(): boolean {
    return isRunning(this.#life);
  }

  /** The reason of an unclean end; else null. */
  get errored(): Error | null {
    return errorOf(this.#life);
  }

  /** ms for which written data has waited for the transport or for credit without progress. */
  get stalledFor(): number {
    if (!this.isRunning) return 0;
    const { idleSince } = this.#writeProgress;
    const forTransport = idleSince === undefined ? 0 : this.#clock.now() - idleSince;
    return Math.max(forTransport, this.streams.creditWait.ms);
  }

  stats(): SessionStats {
    const { table, opens, accepts } = this.streams;
    const { size, outboundSize } = table;
    return {
      streams: size,
      inboundStreams: size - outboundSize,
      outboundStreams: outboundSize,
      backlog: accepts.backlog,
      unacknowledged: opens.unacknowledged,
      waitingOpens: opens.waiting,
      bytesReceived: this.transport.bytesReceived,
      bytesSent: this.#outbox.bytesSent,
      framesReceived: this.#router.framesReceived,
      framesSent: this.#outbox.framesSent,
      receiveWindows: table.windowBytes,
      keptStreams: table.keptSize,
      unreadBytes: table.unreadBytes,
      queuedBytes: this.#outbox.queuedBytes,
      rtt: this.keepAlive.rtt,
    };
  }

  /** The reason why no stream can be opened; undefined while one can. */
  refusalToOpen(): SessionClosedError | undefined {
    if (this.#life.phase !== 'open') return endings.sessionClosed(this.errored);
    if (this.goAway.received !== undefined) return endings.goneAway(this.goAway.received);
    return this.streams.opens.isExhausted ? endings.idsUsedUp() : undefined;
  }

  sayGoAway(): void {
    if (!this.isRunning || this.goAway.isSent) return;
    this.goAway.send();
    this.#outbox.control(FrameType.GoAway, 0, SESSION_ID, GoAwayCode.Normal);
    this.keepAlive.afterRoundTrip(() => this.goAway.settle());
  }

  /** Begins the graceful end, unless the session is already ending or has ended. */
  close(): void {
    if (this.#life.phase !== 'open') return;
    this.#life = CLOSING;
    this.streams.opens.failAll(endings.sessionClosed(null));
    // The application will not accept these streams any more. The peer may open them elsewhere.
    for (const stream of this.streams.accepts.takeBacklog()) stream.breakOff(0);
    process.nextTick(this.#endIfDone);
  }

  /** Ends the session now, without an error of the session. */
  destroy(): void {
    if (isOver(this.#life)) return;
    this.#life = CLOSED;
    this.#stop(endings.sessionDestroyed());
    this.#outbox.close();
    this.transport.destroy();
    this.#finish();
  }

  /** Ends the session now, with an error. */
  fail(error: Error): void {
    if (isOver(this.#life)) return;
    if (this.#life.phase === 'ending' && !this.#outbox.hasUntakenData) {
      // Everything was sent and taken, so an error of the transport no longer matters.
      this.transport.destroy();
      return;
    }
    this.#life = failedWith(error);
    this.#stop(error);
    if (error instanceof ProtocolError) {
      this.#outbox.end(GoAwayCode.ProtocolError);
      this.transport.closeSoon(() => this.transport.destroy(error));
    } else {
      this.#outbox.close();
      this.transport.destroy(error);
    }
    this.#finish();
  }

  #handedOver(): void {
    // Most transports have taken the bytes by now.
    if (this.#writeProgress.backlog === 0) return;
    this.#writeProgress.begin(this.#clock.now());
    this.#writeWatch.begin();
  }

  #progressed(): void {
    if (this.#writeProgress.isWaiting) this.#writeProgress.advanced(this.#clock.now());
    this.#writeWatch.progressed();
    this.keepAlive.progressed();
    this.transport.progressed();
  }

  #goAwayReceived(code: number): void {
    // A peer may repeat it.
    if (code === this.goAway.received) return;
    this.goAway.receive(code);
    try {
      this.#port.goAway(code);
    } catch (error) {
      throwOutside(error);
    }
    const error = endings.goneAway(code);
    if (code === GoAwayCode.Normal) this.streams.opens.failAll(error);
    else this.fail(error);
  }

  #transportEnded(): void {
    if (!this.isRunning) return;
    if (this.#router.isInsideFrame) {
      this.fail(endings.transportEndedInFrame());
    } else if (this.streams.table.hasLive) {
      this.fail(endings.transportEndedUnder(this.streams.table.size));
    } else {
      this.#endWithTransport();
    }
  }

  /** Go peers close their connection with a reset as often as with an end. After a GoAway and without live streams, both are clean. */
  #transportFailed(error: Error): void {
    const isGoodbye = this.goAway.received === GoAwayCode.Normal && !this.#router.isInsideFrame;
    if (this.isRunning && isGoodbye && !this.streams.table.hasLive) this.#endWithTransport();
    else this.fail(endings.transportFailed(error));
  }

  #endWithTransport(): void {
    this.#life = ENDING;
    this.#stop(endings.sessionClosed(null));
    // The transport may still take bytes that were handed over.
    this.#outbox.silence();
    this.transport.duplex.end();
    this.#closeTransport();
  }

  #transportClosed(): void {
    // The transport takes nothing any more: tell the writers that wait for it.
    this.#outbox.close();
    if (this.#life.phase !== 'ending') return;
    if (this.#outbox.hasUntakenData) {
      this.fail(endings.lostAtClose());
      return;
    }
    this.#life = CLOSED;
    this.#finish();
  }

  readonly #endIfDone = (): void => {
    if (this.#life.phase !== 'closing' || this.streams.table.size > 0) return;
    this.#life = ENDING;
    this.#outbox.end(GoAwayCode.Normal);
    this.#stop(endings.sessionClosed(null));
    this.#closeTransport();
  };

  #closeTransport(): void {
    const unanswered = this.#outbox.bytesSent - this.keepAlive.answeredUntil;
    this.transport.closeWithin(this.#writeProgress, unanswered, () => this.transport.destroy());
  }

  /** Stops receiving, waiting and timers; every remaining stream ends with `error`. */
  #stop(error: Error): void {
    this.#router.stop();
    if (this.#life.phase !== 'ending') this.#writeWatch.stop();
    const closed = endings.sessionClosed(this.errored);
    this.keepAlive.stop(closed);
    this.goAway.settle();
    this.streams.stop(closed, error);
  }

  // The streams emit their last events on the next tick, held ones in the next setImmediate, which was asked for before this one.
  #finish(): void {
    this.#writeWatch.stop();
    setImmediate(() => this.#port.finished(this.errored));
  }
}

function linkFigures(transport: Transport, outbox: Outbox, progress: WriteProgress): LinkFigures {
  return {
    get bytesReceived() {
      return transport.bytesReceived;
    },
    get bytesDone() {
      return progress.done;
    },
    get bytesTaken() {
      return outbox.bytesTaken;
    },
    get controlEnd() {
      return outbox.controlEnd;
    },
  };
}
