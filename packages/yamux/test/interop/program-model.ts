// What may come of a program. What arrives is a prefix of what was sent, and whole if it ended cleanly; where nobody cut anything, all
// of it arrives and everything ends cleanly; whatever does not is accounted for by a step of the program or a known way of hashicorp's.
import type { Transfer } from './go-peer.ts';
import type { OurStreamReport } from './our-stream.ts';
import { payload, sha256 } from './payload.ts';
import { type Program, type StreamPlan, type StreamReport, seedOf, sizeOf } from './program.ts';
import type { Result } from './program-run.ts';

const RESET = 'connection reset';
const BY_US = /^(ERR_STREAM_PREMATURE_CLOSE|ERR_YAMUX_STREAM_DESTROYED|given up)$/;
const BY_SESSION = /^ERR_YAMUX_(TRANSPORT_ENDED|TRANSPORT_FAILED|SESSION_CLOSED)$/;
const BY_GO = /^ERR_YAMUX_STREAM_RESET$/;
/** What hashicorp says of frames that were on their way when one end gave the stream up, or refused it. */
const LATE = /Discarding data for stream|frame for missing stream|backlog exceeded/;
/** What hashicorp meets when it is still at work on streams that we have given up, and our session closes. */
const SHUTDOWN = 'session shutdown';
const CLOSED = /Failed to write (header|body): .*(closed network connection|broken pipe|reset by peer)/;
/** hashicorp gives the slot of an unanswered stream back twice if it takes it down by force, and then another's is missing. */
const MISCOUNTED = /SYN tracking out of sync|without inflight SYN \(didn't have semaphore\)/;
/**
 * hashicorp marks a stream that it takes down by force as closed some time before it forgets it, and a FIN that comes in between
 * kills the session: with a GoAway, if that still gets out.
 */
const KILLED_BY_FIN = /unexpected FIN flag in state 6/;
const BY_KILLED_SESSION = /^ERR_YAMUX_(TRANSPORT_ENDED|TRANSPORT_FAILED|SESSION_CLOSED|GO_AWAY)$/;

/** Every way in which the result is none that the program can have; empty if all is well. */
export function judge(program: Program, result: Result): string[] {
  return new Judgement(program, result).wrongs;
}

class Judgement {
  readonly wrongs: string[] = [];
  readonly #program: Program;
  readonly #result: Result;
  /** The session may end before the streams do. */
  readonly #isAbrupt: boolean;
  /** With what, then, the session and its streams may end here. */
  readonly #bySession: RegExp;
  /** hashicorp takes half-closed streams down. */
  readonly #reaps: boolean;
  readonly #goRefuses: boolean;
  readonly #weRefuse: boolean;
  /** We close the session when our streams are over; Go may not have seen that yet of those which we gave up. */
  readonly #weClose: boolean;

  constructor(program: Program, result: Result) {
    this.#program = program;
    this.#result = result;
    const { ourSteps, goSteps, config, options, streams } = program;
    this.#reaps = config.closeTimeout !== undefined;
    const wasKilled = this.#reaps && result.goEnding.complaints.some((line) => KILLED_BY_FIN.test(line));
    this.#isAbrupt = goSteps.includes('close') || ourSteps.includes('destroy') || wasKilled;
    this.#bySession = wasKilled ? BY_KILLED_SESSION : BY_SESSION;
    const outbound = streams.filter(({ opener }) => opener === 'us').length;
    this.#goRefuses = goSteps.includes('goAway') || outbound > (config.acceptBacklog ?? 256);
    const inbound = streams.filter(({ opener }) => opener === 'go').length;
    const isFull = inbound > (options.maxInboundStreams ?? 1000);
    this.#weClose = ourSteps.includes('close');
    this.#weRefuse = ourSteps.includes('goAway') || this.#weClose || isFull;
    for (const plan of streams) this.#judgeStream(plan);
    this.#judgeSession();
  }

  #judgeStream(plan: StreamPlan): void {
    const us = this.#result.us.streams.find(({ id }) => id === plan.id);
    const go = this.#result.go.streams.find(({ id }) => id === plan.id);
    const name = `stream ${plan.id}`;
    if (us) this.#bytes(`${name}, Go to us`, us.received, seedOf.go(plan.id), sizeOf(plan.go));
    if (go) this.#bytes(`${name}, us to Go`, go.received, seedOf.us(plan.id), us?.sent.bytes ?? sizeOf(plan.us));
    if (us) this.#ourEnd(name, plan, us, go);
    if (us && go) this.#bothEnds(name, plan, us, go);
    else if (!this.#isAbrupt) this.#oneEnd(name, plan, us, go);
  }

  /** A prefix of what was sent. */
  #bytes(name: string, received: Transfer, seed: number, most: number): void {
    this.#rule(received.bytes <= most, `${name}: ${received.bytes} bytes came of ${most}`);
    const isPrefix = received.sha256 === sha256(payload(seed, received.bytes));
    this.#rule(isPrefix, `${name}: the ${received.bytes} bytes that came are not those that were sent`);
  }

  /** Our reader never sees a clean end of a part, and every other end has a cause. */
  #ourEnd(name: string, plan: StreamPlan, us: OurStreamReport, go: StreamReport | undefined): void {
    if (us.received.outcome === 'eof') {
      const isWhole = us.received.bytes === sizeOf(plan.go) && go?.sent.outcome === 'sent';
      this.#rule(isWhole, `${name}: a clean end after ${us.received.bytes} of ${sizeOf(plan.go)} bytes`);
    }
    for (const { outcome } of [us.received, us.sent]) {
      if (outcome === 'eof' || outcome === 'sent') continue;
      const isCaused =
        (us.wasCut && BY_US.test(outcome)) ||
        (this.#isAbrupt && this.#bySession.test(outcome)) ||
        ((this.#reaps || (this.#goRefuses && !go)) && BY_GO.test(outcome));
      this.#rule(isCaused, `${name}: nothing in the program causes ${outcome}`);
    }
  }

  #bothEnds(name: string, plan: StreamPlan, us: OurStreamReport, go: StreamReport): void {
    // hashicorp shows a clean end where the session died, and where it takes a stream down itself; its RST may overtake its FIN.
    if (this.#isAbrupt || this.#reaps) return;
    if (!us.wasCut) {
      this.#expect(`${name}, Go to us`, us.received, { bytes: sizeOf(plan.go), outcome: 'eof' });
      this.#expect(`${name}, we sent`, us.sent, { bytes: sizeOf(plan.us), outcome: 'sent' });
      this.#expect(`${name}, Go sent`, go.sent, { bytes: sizeOf(plan.go), outcome: 'sent' });
      this.#expect(`${name}, us to Go`, go.received, { bytes: sizeOf(plan.us), outcome: 'eof' });
    } else {
      const ends = this.#weClose ? [RESET, SHUTDOWN] : [RESET];
      this.#rule(['eof', ...ends].includes(go.received.outcome), `${name}: Go's reader sees ${go.received.outcome}`);
      this.#rule(['sent', ...ends].includes(go.sent.outcome), `${name}: Go's writer sees ${go.sent.outcome}`);
      const isWhole = us.hasEnded && go.received.bytes === us.sent.bytes;
      const isClean = go.received.outcome === 'eof' && !this.#weClose;
      this.#rule(isWhole || !isClean, `${name}: Go sees a clean end of a part`);
    }
  }

  /** A stream that one end opened and the other's application never had. */
  #oneEnd(name: string, plan: StreamPlan, us: OurStreamReport | undefined, go: StreamReport | undefined): void {
    if (us && plan.opener === 'us') {
      const isRefused = this.#goRefuses && us.received.outcome === 'ERR_YAMUX_STREAM_RESET';
      this.#rule(isRefused || us.wasCut, `${name}: Go never accepted it`);
    } else if (go && plan.opener === 'go') {
      this.#rule(this.#weRefuse, `${name}: we never had it`);
      const isReset =
        go.received.outcome === RESET || ((this.#weClose || this.#reaps) && go.received.outcome === 'eof');
      this.#rule(go.received.bytes === 0 && isReset, `${name}: not refused by us`);
    } else if (us || go) {
      this.#rule(false, `${name}: accepted, and never opened`);
    } else {
      const mayStayUnopened = plan.opener === 'us' ? this.#goRefuses || this.#weClose : this.#weRefuse;
      this.#rule(mayStayUnopened, `${name}: never opened`);
    }
  }

  #judgeSession(): void {
    const { us, go, goEnding } = this.#result;
    const { ourSteps, closer, streams } = this.#program;
    if (this.#isAbrupt) {
      const { errored } = us;
      this.#rule(errored === null || this.#bySession.test(errored), `our session ended with ${errored}`);
      return;
    }
    this.#rule(us.errored === null, `our session ended with ${us.errored}`);
    const closedByUs = closer === 'us' || this.#weClose;
    const expected = closedByUs ? 'EOF' : 'session shutdown';
    this.#rule(goEnding.outcome === expected, `Go's session ended with ${goEnding.outcome}, not ${expected}`);
    this.#rule(us.live === 0, `${us.live} streams are left with us`);
    this.#rule(go.live === 0, `${go.live} streams are left with Go`);

    for (const code of us.failures) {
      const isCaused =
        (this.#goRefuses && code === 'ERR_YAMUX_GO_AWAY') || (this.#weClose && code === 'ERR_YAMUX_SESSION_CLOSED');
      this.#rule(isCaused, `with us a call failed with ${code}`);
    }
    const isToldToStop = ourSteps.includes('goAway') || this.#weClose;
    for (const failure of go.failures) {
      const isCaused =
        (isToldToStop && failure === 'remote end is not accepting connections') ||
        (this.#weClose && /session shutdown|broken pipe|EOF/.test(failure));
      this.#rule(isCaused, `in Go a call failed with ${failure}`);
    }
    const isAnyCut = streams.some(({ us }) => us.cut) || this.#reaps || this.#goRefuses || this.#weRefuse;
    for (const line of goEnding.complaints) {
      const isCaused =
        (isAnyCut && LATE.test(line)) || (this.#weClose && CLOSED.test(line)) || (this.#reaps && MISCOUNTED.test(line));
      this.#rule(isCaused, `hashicorp complains: ${line}`);
    }
  }

  #expect(name: string, got: Transfer, expected: Omit<Transfer, 'sha256'>): void {
    const isSo = got.bytes === expected.bytes && got.outcome === expected.outcome;
    this.#rule(isSo, `${name}: ${got.bytes} bytes, ${got.outcome}; expected ${expected.bytes}, ${expected.outcome}`);
  }

  #rule(holds: boolean, otherwise: string): void {
    if (!holds) this.wrongs.push(otherwise);
  }
}
