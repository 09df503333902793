// Serves a stream of a peer: opens a stream on one of this node's sessions. The session must serve the name, whatever the peer says. A third node is
// never asked.
import type { Duplex } from 'node:stream';
import type { YamuxStream } from '@zishuo/yamux';
import type { Clock, NoAvailableSessionError, SessionRef, SessionSnapshot } from '@zishuo/yamux-balancer';
import type { Holdings } from '../names/holdings.ts';
import type { OpenOwn } from '../own-sessions.ts';
import { readHead } from './front.ts';
import { type Answer, encodeAnswer, type Head, type Refusal, type SessionInfo } from './head.ts';
import { relay } from './relay.ts';

export interface ServerSettings {
  readonly openOwn: OpenOwn;
  readonly clock: Clock;
  readonly holdings: Pick<Holdings, 'placement'>;
  readonly namesOf: (session: SessionSnapshot) => readonly string[];
  readonly infoOf: (session: SessionRef) => SessionInfo;
  readonly isClosing: () => boolean;
  /** Called when a peer asked for a name that is not here. */
  readonly misplaced: (name: string) => void;
  /** Called with the result of each stream of a peer. */
  readonly answered: (status: Answer['status']) => void;
  /** Called when the bytes of a stream begin to flow. */
  readonly forwarded: (name: string, session: SessionRef, stream: Duplex, peer: string) => void;
}

/** ms that a peer has for the head of a stream. */
const HEAD_TIMEOUT = 10_000;
/** Codes of the pool after which no agent has seen the stream, so another node may be asked. */
const GONE: readonly unknown[] = [
  'ERR_YAMUX_GO_AWAY',
  'ERR_YAMUX_SESSION_CLOSED',
  'ERR_YAMUX_POOL_SESSION_CLOSED',
  'ERR_YAMUX_POOL_CLOSED',
];

/** `peer`: the name of the asking node. */
export async function serveStream(stream: YamuxStream, peer: string, settings: ServerSettings): Promise<void> {
  const { openOwn, clock, holdings, namesOf, infoOf, isClosing, misplaced, answered, forwarded } = settings;
  const gone = new AbortController();
  const abort = (): void => gone.abort();
  stream.on('error', ignored);
  stream.once('close', abort);
  const timer = clock.setTimeout(() => stream.destroy(), HEAD_TIMEOUT);
  const answer = (what: Answer): void => {
    answered(what.status);
    if (stream.destroyed) return;
    if (what.status === 'accepted') stream.write(encodeAnswer(what));
    // Nobody needs the input of a refused stream.
    else stream.end(encodeAnswer(what), () => stream.destroy());
  };
  let head: Head;
  try {
    head = await readHead(stream);
  } catch {
    stream.destroy();
    return;
  } finally {
    clock.clearTimeout(timer);
  }
  if (isClosing()) return answer(refusal('gone', 'ERR_YAMUX_FLEET_CLOSED', 'The node is closing'));
  const { name, routing, remainingMs, acknowledged } = head;
  const none = refusal('not-here', 'ERR_YAMUX_FLEET_NOT_HERE', 'No session of this node serves the name');
  if (holdings.placement(name) === undefined) {
    misplaced(name);
    return answer(none);
  }
  try {
    const timeout = remainingMs > 0 ? remainingMs : undefined;
    const opened = await openOwn(name, routing, { signal: gone.signal, timeout, acknowledged, wait: false, peer });
    if (!namesOf(opened.session.snapshot()).includes(name)) {
      opened.stream.destroy();
      return answer(none);
    }
    const accepted: Answer = { status: 'accepted', session: infoOf(opened.session) };
    const begun = (): void => forwarded(name, opened.session, opened.stream, peer);
    connect(stream, opened.stream, accepted, answer, begun);
  } catch (error) {
    answer(answerOf(error));
  }
}

/** Passes the peer's bytes on at once. The answer says whether the agent has accepted the stream. */
function connect(
  stream: Duplex,
  own: Duplex,
  accepted: Answer,
  answer: (what: Answer) => void,
  begun: () => void,
): void {
  const { acknowledged } = own as { readonly acknowledged?: unknown };
  if (acknowledged !== false) {
    answer(accepted);
    relay(stream, own);
    begun();
    return;
  }
  stream.pipe(own);
  const settle = (what: Answer): void => {
    own.off('acknowledged', onAcknowledged).off('error', onEnd).off('close', onEnd);
    stream.off('close', onLeft);
    answer(what);
    stream.unpipe(own);
    if (what === accepted) {
      relay(stream, own);
      begun();
    } else {
      own.on('error', ignored);
      own.destroy();
    }
  };
  const onAcknowledged = (): void => settle(accepted);
  const onEnd = (error?: unknown): void => settle(answerOf(error ?? own.errored));
  const onLeft = (): void => {
    own.off('acknowledged', onAcknowledged).off('close', onEnd);
    own.destroy();
  };
  own.on('acknowledged', onAcknowledged).on('error', onEnd).on('close', onEnd);
  stream.once('close', onLeft);
}

function answerOf(error: unknown): Answer {
  if (!(error instanceof Error)) {
    return refusal('gone', 'ERR_YAMUX_FLEET_GONE', 'The session ended before it took the stream');
  }
  const { code, message: text, refused } = error as Error & { code?: unknown; refused?: unknown };
  if (code === 'ERR_YAMUX_POOL_NO_MATCHING_SESSION') return refusal('not-here', code, text);
  if (code === 'ERR_YAMUX_POOL_NO_AVAILABLE_SESSION') {
    const { counts } = error as unknown as NoAvailableSessionError;
    return { status: 'refused', refusal: { code, message: text, counts: { ...counts } } };
  }
  const isGone = GONE.includes(code) || (code === 'ERR_YAMUX_STREAM_RESET' && refused !== true);
  return refusal(isGone ? 'gone' : 'refused', typeof code === 'string' ? code : 'ERR_YAMUX_FLEET_REFUSED', text);
}

function refusal(status: 'not-here' | 'gone' | 'refused', code: string, message: string): Answer {
  const said: Refusal = { code, message };
  return { status, refusal: said };
}

function ignored(): void {}
