// Holds what both sides saw through the tunnel to what they saw on a straight connection, by the rules.

import type { Message } from './message-reader.ts';
import { bodyOf, bytes, hasBody, type Program } from './program.ts';
import { type Answered, type ClientView, statusOf } from './raw-client.ts';
import type { Asked } from './raw-origin.ts';
import {
  badAnswer,
  badForwarding,
  badVia,
  endsConnection,
  endToEnd,
  framesAnew,
  hearsOfTrailers,
  isUpgradeHeard,
  mayswitch,
  type Refusal,
  type Rule,
  refusalOf,
  trailersOf,
} from './rules.ts';

export interface View {
  readonly client: ClientView;
  readonly asked: readonly Asked[];
}

/** In words, each with its rule. */
export type Finding = `${Rule}: ${string}`;

const REFUSALS = new Set(['400', '405', '421', '431', '501', '505']);
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

export function judge(program: Program, straight: View, tunnel: View): Finding[] {
  const findings: Finding[] = [];
  program.exchanges.forEach((exchange, index) => {
    const find = (rule: Rule, what: string): void => void findings.push(`${rule}: request ${index}: ${what}`);
    const one = new Comparison(program, index, straight, tunnel, find);
    one.answers();
    one.requests();
    const next = tunnel.client.answers[index + 1];
    if (next && endsConnection(exchange.request) && next.connection === tunnel.client.answers[index]?.connection) {
      find('closes', `the next one was answered on its connection, by ${next.final?.start}`);
    }
  });
  if (tunnel.client.lingered) findings.push('connection: the gateway said that it closes, and did not');
  return findings;
}

class Comparison {
  readonly #exchange: Program['exchanges'][number];
  readonly #program: Program;
  readonly #index: number;
  readonly #expected: Answered | undefined;
  readonly #got: Answered | undefined;
  readonly #askedStraight: readonly Asked[];
  readonly #asked: readonly Asked[];
  readonly #sent: number;
  readonly #find: (rule: Rule, what: string) => void;

  constructor(program: Program, index: number, straight: View, tunnel: View, find: (rule: Rule, what: string) => void) {
    this.#program = program;
    this.#exchange = program.exchanges[index] as Program['exchanges'][number];
    this.#index = index;
    this.#expected = straight.client.answers[index];
    this.#got = tunnel.client.answers[index];
    this.#askedStraight = straight.asked.filter((one) => one.index === index);
    this.#asked = tunnel.asked.filter((one) => one.index === index);
    this.#sent = tunnel.client.sent[index] ?? 0;
    this.#find = find;
  }

  // --- what the client saw ---

  answers(): void {
    const { request, answer } = this.#exchange;
    const [expected, got] = [this.#expected, this.#got];
    if (this.#refusal === 'must') {
      this.#mustBeRefused();
      return;
    }
    if (this.#refusal === 'may' && got?.final !== undefined && REFUSALS.has(statusOf(got.final))) return;
    // An upgrade may close the connection on which another answer is awaited.
    const isBeforeUpgrade = this.#program.exchanges
      .slice(this.#index + 1)
      .some(({ request }) => request.upgrade !== '');
    if (isBeforeUpgrade && got?.final === undefined && this.#program.exchanges.length > 1) return;
    if (got === undefined) {
      const refusedBefore = this.#program.exchanges
        .slice(0, this.#index + 1)
        .some(({ request }) => refusalOf(request) !== 'no');
      const mayBeLost =
        this.#program.leaving !== null &&
        (this.#isCutByClient || refusedBefore || this.#isLeftBehind || this.#program.exchanges.length > 1);
      if (expected?.ending === 'whole' && !(mayBeLost && !this.#isHalfClosed))
        this.#find('answer', `expected ${expected.final?.start}, got nothing`);
      return;
    }
    if (got.ending === 'left' && this.#isLeaver) return;
    const isRefused = got.ending !== 'whole' || (got.final !== undefined && REFUSALS.has(statusOf(got.final)));
    if (this.#isCutByClient && (isRefused || expected?.ending !== 'whole')) return;
    if (expected === undefined) return; // the straight connection was over: the plan alone is no measure
    this.#interim(expected, got);
    const bad = badAnswer(answer, request);
    const is502 = got.final !== undefined && statusOf(got.final) === '502';
    if (bad === 'must') {
      if (!is502) this.#find('bad answer', `expected 502, got ${this.#words(got)}`);
      return;
    }
    if (bad === 'may' && is502) return;
    if (framesAnew(answer) && got.ending === 'cut') return; // what its trailers say may come when its head is out
    if (expected.final === undefined || expected.ending === 'left') {
      if (expected.final === undefined && !is502) this.#find('lost', `expected 502, got ${this.#words(got)}`);
      return;
    }
    if (expected.ending === 'cut' && is502) return;
    this.#final(expected, expected.final, got);
  }

  #mustBeRefused(): void {
    const [got] = [this.#got];
    if (this.#asked.length > 0) this.#find('refused', 'expected a refusal, and it reached the origin');
    if (got === undefined || got.ending !== 'whole') return; // the connection was closed instead
    const status = got.final === undefined ? 'nothing' : statusOf(got.final);
    if (!REFUSALS.has(status))
      this.#find('refused', `expected one of ${[...REFUSALS].join(', ')}, got ${this.#words(got)}`);
  }

  #interim(expected: Answered, got: Answered): void {
    if (this.#exchange.request.version === '1.0') {
      if (got.interim.length > 0) this.#find('interim', 'HTTP/1.0 got one');
      return;
    }
    const words = (message: Message): string =>
      [message.start.replace(/^(.{12}).*/, '$1'), ...endToEnd(message, true)].join('\n');
    const [wanted, came] = [expected.interim.map(words), got.interim.map(words)];
    // A client that expects 100 may get one of the gateway's.
    const withoutContinue = (all: string[]): string[] => all.filter((one) => !one.startsWith('HTTP/1.1 100'));
    const expects = this.#exchange.request.expect !== 'no';
    if (!same(expects ? withoutContinue(wanted) : wanted, expects ? withoutContinue(came) : came)) {
      this.#find('interim', `expected ${quote(wanted)}, got ${quote(came)}`);
    }
  }

  #final(expected: Answered, wanted: Message, got: Answered): void {
    const { request, answer } = this.#exchange;
    const came = got.final;
    if (came === undefined) {
      this.#find('answer', `expected ${wanted.start}, got ${this.#words(got)}`);
      return;
    }
    if (statusOf(came) !== statusOf(wanted)) {
      const rule = statusOf(wanted) === '101' ? 'switch' : answer.when === 'head' ? 'early' : 'answer';
      this.#find(rule, `expected ${wanted.start}, got ${this.#words(got)}`);
      return;
    }
    this.#fields(endToEnd(wanted, true), endToEnd(came, false), 'answer');
    // A 204, or a 101, has no Content-Length, whatever the origin says (RFC 9110 §8.6).
    const hasNoBody = !hasBody(request.method, statusOf(wanted)) && !/^(1..|204)$/.test(statusOf(wanted));
    const length = (message: Message): string | undefined =>
      message.fields.find(([name]) => name.toLowerCase() === 'content-length')?.[1];
    if (hasNoBody && length(wanted) !== undefined && length(wanted) !== length(came)) {
      this.#find('framing', `expected Content-Length ${length(wanted)} in an answer without body, got ${length(came)}`);
    }
    if (statusOf(wanted) === '101') {
      this.#switched(expected, got);
      return;
    }
    if (expected.ending === 'cut') {
      if (got.ending === 'whole')
        this.#find(
          'cut',
          `the answer was cut after ${wanted.body.length} bytes, and came whole with ${came.body.length}`,
        );
      else if (!bodyOf(answer, 'said').startsWith(came.body))
        this.#find('cut', 'what came of a cut answer is no beginning of it');
      return;
    }
    // An end of the connection that delimits the answer, while the client sends its next request: the system makes a reset of it. All of
    // the answer has come, and a client that sends on behind such a request cannot rely on more (RFC 9112 §9.6).
    const isEndOverrun = request.version === '1.0' && got.ending === 'cut' && this.#isSentInto;
    if (isEndOverrun && came.body === wanted.body) return;
    if (got.ending !== 'whole') {
      this.#find('answer', `it came cut after ${came.body.length} of ${wanted.body.length} bytes`);
      return;
    }
    if (came.body !== wanted.body) this.#find('answer', `expected ${sized(wanted.body)}, got ${sized(came.body)}`);
    this.#trailers(wanted, came, request.version === '1.0');
  }

  #switched(expected: Answered, got: Answered): void {
    const talk = this.#exchange.answer.talk;
    if (talk === null) return;
    const isCut = talk.how === 'RST';
    if (isCut && talk.ends === 'client') return;
    const whole = bytes(talk.origin, 'origin');
    if (isCut ? !whole.startsWith(got.raw) : got.raw !== whole)
      this.#find('switch', `the client expected ${sized(whole)}, got ${sized(got.raw)}`);
    if (expected.rawEnd !== got.rawEnd)
      this.#find('switch', `the origin ended by ${expected.rawEnd}, the client heard ${got.rawEnd}`);
  }

  // --- what the origin saw ---

  requests(): void {
    const { request, answer } = this.#exchange;
    if (this.#refusal === 'must') return;
    const [whole] = this.#askedStraight.filter(({ message }) => message.isWhole);
    const arrived = this.#asked.filter(({ message }) => message.isWhole);
    const [any] = this.#askedStraight;
    const sentBody = bodyOf(request.framing === 'none' ? { framing: 'none', size: 0 } : request, 'asked');
    for (const { message } of this.#asked) {
      if (any === undefined) continue;
      this.#head(any.message, message);
      if (!sentBody.startsWith(message.body))
        this.#find('request', `expected a beginning of ${sized(sentBody)}, got ${sized(message.body)}`);
      if (!message.isWhole) continue;
      if (this.#isCutByClient)
        this.#find('cut', `the client sent a part of it, and it came whole with ${sized(message.body)}`);
      else if (message.body !== sentBody)
        this.#find('request', `expected ${sized(sentBody)}, got ${sized(message.body)}`);
      if (whole !== undefined) this.#trailers(whole.message, message, false);
    }
    if (!IDEMPOTENT.has(request.method) && this.#asked.length > this.#sent) {
      this.#find('once', `it was sent ${this.#sent} times and came ${this.#asked.length} times`);
    }
    const isAnsweredByOrigin =
      this.#got?.ending === 'whole' && !REFUSALS.has(this.#got.final ? statusOf(this.#got.final) : '');
    const mayBeDropped = answer.when === 'head' || answer.ending === 'closes unread' || answer.talk !== null;
    if (whole !== undefined && isAnsweredByOrigin && !mayBeDropped && arrived.length === 0)
      this.#find('request', 'it did not come whole');
    if (answer.talk !== null) this.#talk(answer.talk, request.behind);
  }

  #head(sent: Message, came: Message): void {
    const target = (start: string): string =>
      start
        .split(' ')
        .slice(0, 2)
        .join(' ')
        .replace(/http:\/\/[^/]*(\/?)/, '/');
    if (target(sent.start) !== target(came.start))
      this.#find('request', `expected ${target(sent.start)}, got ${target(came.start)}`);
    this.#fields(endToEnd(sent, true), endToEnd(came, false), 'request');
    for (const fault of badForwarding(came)) this.#find(/claim/.test(fault) ? 'spoofed' : 'added', fault);
    const via = badVia(came, sent);
    if (via !== undefined) this.#find('via', via);
    if (hearsOfTrailers(sent) && !hearsOfTrailers(came)) this.#find('hop', 'TE: trailers was lost');
    if (this.#exchange.request.expect === 'waits' && !came.fields.some(([name]) => name.toLowerCase() === 'expect')) {
      this.#find('request', 'Expect was lost');
    }
    if (isUpgradeHeard(came) && !mayswitch(this.#exchange.request))
      this.#find('switch', 'the origin heard of an Upgrade that is none');
  }

  #talk(talk: NonNullable<Program['exchanges'][number]['answer']['talk']>, behind: number): void {
    const said = bytes(behind, 'behind') + bytes(talk.client, 'client');
    const isCut = talk.how === 'RST' && talk.ends === 'client';
    const [sent, came] = [this.#askedStraight.at(-1), this.#asked.at(-1)];
    if (
      sent === undefined ||
      came === undefined ||
      this.#got?.final === undefined ||
      statusOf(this.#got.final) !== '101'
    )
      return;
    if (isCut ? !said.startsWith(came.raw) : came.raw !== said)
      this.#find('switch', `the origin expected ${sized(said)}, got ${sized(came.raw)}`);
    if (sent.rawEnd !== undefined && came.rawEnd === 'FIN' && sent.rawEnd === 'RST')
      this.#find('switch', 'the client reset, the origin heard FIN');
    if (sent.rawEnd === 'FIN' && came.rawEnd !== 'FIN')
      this.#find('switch', `the client ended by FIN, the origin heard ${came.rawEnd}`);
  }

  // --- both ---

  #fields(wanted: readonly string[], came: readonly string[], rule: 'answer' | 'request'): void {
    const mayHave = (line: string): boolean =>
      rule === 'answer' && /^date: /i.test(line) && !wanted.some((one) => /^date: /i.test(one));
    const rest = came.filter((line) => !mayHave(line));
    if (same(wanted, rest)) return;
    const missing = without(wanted, rest);
    const added = without(rest, wanted);
    const isHop = missing.length === 0 && added.length > 0;
    this.#find(
      isHop ? 'hop' : rule,
      `fields: missing ${quote(missing)}, not expected ${quote(added)}${missing.length + added.length === 0 ? ', in another order' : ''}`,
    );
  }

  #trailers(wanted: Message, came: Message, mayBeLost: boolean): void {
    const [expected, got] = [trailersOf(wanted, true), trailersOf(came, false)];
    if (mayBeLost && got.length === 0) return;
    if (!same(expected, got)) this.#find('trailers', `expected ${quote(expected)}, got ${quote(got)}`);
  }

  get #refusal(): Refusal {
    return refusalOf(this.#exchange.request);
  }

  /** The client does not wait for this answer before it sends the next request. */
  get #isSentInto(): boolean {
    const next = this.#program.exchanges[this.#index + 1];
    return next !== undefined && next.request.after <= this.#index;
  }

  get #isLeaver(): boolean {
    return this.#program.leaving !== null && !this.#isHalfClosed;
  }

  /** The client goes without having waited for this answer. */
  get #isLeftBehind(): boolean {
    const { leaving } = this.#program;
    return leaving !== null && this.#isLeaver && this.#index >= leaving.after;
  }

  get #isHalfClosed(): boolean {
    return this.#program.leaving?.how === 'half';
  }

  /** The client ended before it had sent all of this request: the straight connection never brought its end. */
  get #isCutByClient(): boolean {
    return this.#program.leaving?.at != null && !this.#askedStraight.some(({ message }) => message.isWhole);
  }

  #words({ final, ending, interim }: Answered): string {
    const before = interim.length > 0 ? ` after ${interim.length} interim` : '';
    return `${final === undefined ? 'no final answer' : `${final.start}, ${ending}`}${before}`;
  }
}

const same = (one: readonly string[], other: readonly string[]): boolean =>
  JSON.stringify(one) === JSON.stringify(other);

function without(all: readonly string[], taken: readonly string[]): string[] {
  const left = [...taken];
  return all.filter((one) => {
    const at = left.indexOf(one);
    if (at !== -1) left.splice(at, 1);
    return at === -1;
  });
}

function quote(lines: readonly string[]): string {
  const shown = lines.slice(0, 4).map((line) => (line.length > 100 ? `${line.slice(0, 100)}…` : line));
  return `${JSON.stringify(shown)}${lines.length > 4 ? ` and ${lines.length - 4} more` : ''}`;
}

function sized(text: string): string {
  return `${text.length} bytes${text.length > 0 ? ` ${JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)}` : ''}`;
}
