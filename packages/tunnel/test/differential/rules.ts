// What a gateway must change, or may. Whatever differs from a straight connection and is not excused by a rule here is a fault. Each
// finding names the rule that it breaks.
import { type Field, lists, type Message, valuesOf } from './message-reader.ts';
import { type AnswerPlan, HOST, type RequestPlan, TAG } from './program.ts';

export const RULES = {
  answer: 'a whole answer comes whole and once, with its status, fields, body, in the order of the requests',
  cut: 'a message that was cut looks cut, and what came of it is a beginning of it',
  request: 'a request that was sent whole, and is not refused, arrives whole, with its method, target, fields and body',
  once: 'what is not idempotent arrives once for each time that it was sent',
  lost: 'where the origin ends before a final answer has begun, the client gets 502; where it ends in mid-answer, also that, or a cut',
  interim: 'interim answers come before the final one, all, in order; to HTTP/1.0 none does',
  trailers:
    'trailers go on, but for fields that are none; to HTTP/1.0, or where the body is not chunked, none need go on',
  added:
    'to requests are added X-Forwarded-*, to both X-Request-Id, to answers X-Served-By; Via and Date may be added to answers',
  via: 'to requests is added one Via, behind those that they have',
  hop: 'hop-by-hop fields, and those that Connection names, go no further; TE: trailers does',
  spoofed: 'what a client says of itself in the X-Forwarded family, by any spelling, in head or trailers, is replaced',
  framing:
    'framing may be chosen anew: Content-Length counts only in answers to HEAD and in 304, where there is no body to count',
  connection:
    'the gateway may keep a connection that the origin ends, and end one after an answer that says so or refuses',
  closes:
    'after a request that ends the connection (close, HTTP/1.0 without keep-alive, faulty framing), nothing is answered on it',
  refused: 'a request that is faulty or not for a gateway gets 400, 405, 421, 431, 501 or 505 and reaches nobody',
  'bad answer': 'an answer that can be read in two ways, or in none that we know, is a 502',
  switch:
    'a connection is switched for who asked for it, in HTTP/1.1 and without a body; then bytes and ends pass as they are; one that is pipelined may close the connection',
  large: 'a head with more than 900 fields or 14,000 bytes may be too much: 431 for a request, 502 for an answer',
  early:
    'an answer that comes before all of the request was read comes through; the rest of the request may be dropped',
  hangs: 'nothing hangs, on either side',
  lives: 'gateway and agent live, and no exception escapes',
  leaves: 'no request, stream or socket is left',
} as const;

export type Rule = keyof typeof RULES;

const HOP_BY_HOP = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'te', 'upgrade', 'trailer'],
  ...['proxy-authenticate', 'proxy-authorization', 'content-length', 'expect'],
]);
const CLIENT_FAMILY = /^(x[-_](forwarded[-_].*|real[-_]ip)|forwarded)$/i;
const ADDED = new Set(['x-request-id', 'x-served-by', TAG.toLowerCase(), 'via', 'host']);
/** No trailers, whoever sends them as such: they frame, route, authenticate, or belong to one connection. */
const NO_TRAILERS = new Set([...HOP_BY_HOP, ...ADDED, 'authorization', 'cookie', 'set-cookie', 'content-type']);

/** The fields that must come through, in order, one a line. `named`: also without those that Connection names. */
export function endToEnd({ fields }: Message, named: boolean): string[] {
  const stripped = named ? namedByConnection(fields) : new Set<string>();
  return linesOf(
    fields.filter(([name]) => {
      const key = name.toLowerCase();
      return !HOP_BY_HOP.has(key) && !ADDED.has(key) && !CLIENT_FAMILY.test(key) && !stripped.has(key);
    }),
  );
}

export function trailersOf({ trailers }: Message, named: boolean): string[] {
  return linesOf(
    trailers.filter(([name]) => {
      const isNone = NO_TRAILERS.has(name.toLowerCase()) || CLIENT_FAMILY.test(name);
      return !named || !isNone;
    }),
  );
}

/** In place of what the client said of itself: one address, one protocol, one host. */
export function badForwarding(message: Message): string[] {
  const one = (name: string): string => valuesOf(message.fields, name).join(' | ');
  const faults: string[] = [];
  const expect = (name: string, value: string): void => {
    if (one(name) !== value) faults.push(`${name}: expected "${value}", got "${one(name)}"`);
  };
  expect('x-forwarded-for', '127.0.0.1');
  expect('x-forwarded-proto', 'http');
  expect('x-forwarded-host', HOST);
  expect('host', HOST);
  for (const [name, value] of [...message.fields, ...message.trailers]) {
    if (CLIENT_FAMILY.test(name) && value.includes(SPOOF)) faults.push(`${name}: ${value} is the client's own claim`);
  }
  if (valuesOf(message.fields, 'x-request-id').length !== 1) faults.push('expected one X-Request-Id');
  return faults;
}

export function badVia(message: Message, asked: Message): string | undefined {
  const via = (of: Message): string[] =>
    valuesOf(of.fields, 'via')
      .flatMap((value) => value.split(','))
      .map((one) => one.trim());
  const [sent, came] = [via(asked), via(message)];
  const isRight = came.length === sent.length + 1 && sent.every((one, index) => one === came[index]);
  return isRight ? undefined : `Via: expected one more than ${JSON.stringify(sent)}, got ${JSON.stringify(came)}`;
}

/** In every value by which a client of these programs claims to be somebody else. */
export const SPOOF = '6.6.6.6';

function namedByConnection(fields: readonly Field[]): Set<string> {
  return new Set(
    valuesOf(fields, 'connection')
      .flatMap((value) => value.toLowerCase().split(','))
      .map((name) => name.trim()),
  );
}

export function hearsOfTrailers({ fields }: Message): boolean {
  return valuesOf(fields, 'te').some((value) => /(^|,) *trailers *(,|$)/i.test(value));
}

const linesOf = (fields: readonly Field[]): string[] => fields.map(([name, value]) => `${name}: ${value}`);

/** `must` be refused, `may` be, or neither. */
export type Refusal = 'must' | 'may' | 'no';

export function refusalOf(plan: RequestPlan): Refusal {
  if (plan.method === 'CONNECT' || plan.host !== 'one') return 'must';
  if (plan.framing === 'gzip, chunked') return 'must';
  const hasFaultyFraming = plan.framing === 'both' || (plan.version === '1.0' && plan.framing === 'chunked');
  if (hasFaultyFraming || framesAnew(plan) || isLarge(plan.fields)) return 'may';
  return 'no';
}

/**
 * Its trailers frame it once more. They may be dropped, and the parser of node:http refuses them: who sends that tries to have one message
 * read as two (RFC 9110 §6.5.1 forbids to send it).
 */
export function framesAnew({ framing, trailers }: Pick<RequestPlan | AnswerPlan, 'framing' | 'trailers'>): boolean {
  return framing === 'chunked' && trailers.some(([name]) => /^(transfer-encoding|content-length)$/i.test(name));
}

/** After which no request may be answered on its connection. */
export function endsConnection(plan: RequestPlan): boolean {
  const tokens = plan.connection.toLowerCase().split(/[ ,]+/);
  const isOldAndShort = plan.version === '1.0' && !tokens.includes('keep-alive');
  const isFaulty = plan.framing === 'both' || (plan.version === '1.0' && plan.framing === 'chunked');
  return tokens.includes('close') || isOldAndShort || isFaulty;
}

/** An answer that the gateway refuses to pass on. */
export function badAnswer(answer: AnswerPlan, request: RequestPlan): Refusal {
  if (answer.framing === 'gzip, chunked' || answer.framing === 'two sizes') return 'must';
  if (answer.status === '101' && !mayswitch(request)) return 'must';
  // A switch may be left out where it can be: then nobody asked for the 101.
  if (answer.status === '101' && (request.framing !== 'none' || request.upgrade === 'h2c')) return 'may';
  if (answer.framing === 'both' || /^0/.test(answer.status) || isLarge(answer.fields)) return 'may';
  if (framesAnew(answer)) return 'may';
  if (answer.interim.some(({ fields }) => isLarge(fields))) return 'may';
  return 'no';
}

export function mayswitch({ upgrade, version }: RequestPlan): boolean {
  return upgrade !== '' && version === '1.1';
}

function isLarge(fields: readonly Field[]): boolean {
  return fields.length > 900 || fields.reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0) > 14_000;
}

export function isUpgradeHeard(message: Message): boolean {
  return lists(message.fields, 'connection', 'upgrade') && valuesOf(message.fields, 'upgrade').length > 0;
}
