// A program: what a client says on one connection, and what the origin answers to each of its requests. Plain data, which becomes bytes
// here; who runs it is raw-client.ts and raw-origin.ts.
import type { Field } from './message-reader.ts';

export const HOST = 'app.example';
/** The field by which the origin knows which request it has: it comes first, so that it is there when others get lost. */
export const TAG = 'N';

export interface RequestPlan {
  readonly method: string;
  readonly target: 'origin' | 'absolute' | 'asterisk' | 'authority';
  readonly version: '1.0' | '1.1';
  readonly host: 'one' | 'none' | 'two' | 'bad';
  readonly fields: readonly Field[];
  /** The Connection field, without what other plans need in it. */
  readonly connection: string;
  /** The protocol that it asks for, or ''. */
  readonly upgrade: string;
  /** Bytes right behind its head, which are for the protocol that it asks for. */
  readonly behind: number;
  /** Whether the body waits for 100 Continue, or is announced so and sent. */
  readonly expect: 'no' | 'waits' | 'sends';
  readonly framing: 'none' | 'sized' | 'chunked' | 'both' | 'gzip, chunked';
  readonly size: number;
  /** Bytes of a chunk, and what stands behind its size. */
  readonly chunk: number;
  readonly extension: string;
  readonly trailers: readonly Field[];
  /** So many answers must be there before it is sent; with 0 it is sent at once. */
  readonly after: number;
}

export interface InterimPlan {
  readonly status: number;
  readonly fields: readonly Field[];
}

export interface Cut {
  /** Bytes before it, modulo all of them and one. */
  readonly at: number;
  readonly how: 'FIN' | 'RST';
}

/** After 101: the client says so many bytes, then the origin. */
export interface Talk {
  readonly client: number;
  readonly origin: number;
  readonly ends: 'client' | 'origin';
  readonly how: 'FIN' | 'RST';
}

export interface AnswerPlan {
  /** Answers when the head of the request is there, or all of it. */
  readonly when: 'head' | 'body';
  /** ms that it takes to answer: others may be faster. */
  readonly delay: number;
  readonly interim: readonly InterimPlan[];
  readonly status: string;
  readonly fields: readonly Field[];
  readonly connection: string;
  readonly framing: 'none' | 'sized' | 'chunked' | 'close' | 'both' | 'gzip, chunked' | 'two sizes';
  readonly size: number;
  readonly chunk: number;
  readonly extension: string;
  readonly trailers: readonly Field[];
  /** Bytes after its end. */
  readonly beyond: number;
  readonly cut: Cut | null;
  /** What becomes of the connection: kept, ended, reset, or closed with what was not read of the request. */
  readonly ending: 'keep' | 'FIN' | 'RST' | 'closes unread';
  readonly pieces: Pieces;
  /** For status 101, where it was asked for. */
  readonly talk: Talk | null;
}

/** Everything by one write, each part by its own, or byte by byte. */
export type Pieces = 'one' | 'parts' | 'bytes';

export interface Leaving {
  /** Half-closes and goes on to read; closes; resets. */
  readonly how: 'half' | 'close' | 'reset';
  /** Bytes of all requests that were sent before, modulo all of them and one. null is all. */
  readonly at: number | null;
  /** So many answers came before. */
  readonly after: number;
}

export interface Program {
  readonly exchanges: readonly { readonly request: RequestPlan; readonly answer: AnswerPlan }[];
  readonly pieces: Pieces;
  readonly leaving: Leaving | null;
}

/** The head, the body, or what is behind the head. */
export interface Parts {
  readonly head: string;
  readonly body: readonly string[];
}

export function requestParts(plan: RequestPlan, tag: string, path: string): Parts {
  const asTarget = { origin: path, absolute: `http://${HOST}${path}`, asterisk: '*', authority: `${HOST}:80` };
  const host: Record<RequestPlan['host'], string[]> = {
    one: [`Host: ${HOST}`],
    none: [],
    two: [`Host: ${HOST}`, `Host: ${HOST}`],
    bad: ['Host: app.example, other.example'],
  };
  const connection = [plan.upgrade === '' ? '' : 'Upgrade', plan.connection].filter((one) => one !== '').join(', ');
  const head = [
    `${plan.method} ${asTarget[plan.target]} HTTP/${plan.version}`,
    ...host[plan.host],
    `${TAG}: ${tag}`,
    ...linesOf(plan.fields),
    ...(plan.upgrade === '' ? [] : [`Upgrade: ${plan.upgrade}`]),
    ...(connection === '' ? [] : [`Connection: ${connection}`]),
    ...(plan.expect === 'no' ? [] : ['Expect: 100-continue']),
    ...framingLines(plan),
  ];
  const behind = plan.behind > 0 ? [bytes(plan.behind, 'behind')] : [];
  const body = bodyParts(plan.framing === 'none' ? { ...plan, framing: 'close', size: 0 } : plan, 'asked');
  return { head: textOf(head), body: [...body, ...behind] };
}

/** `hasBody`: whether it is an answer to a request, and of a status, that may have one. */
export function answerParts(plan: AnswerPlan, hasBody: boolean): Parts {
  const switching = plan.status === '101' ? ['Upgrade: echo'] : [];
  const connection = [switching.length > 0 ? 'Upgrade' : '', plan.connection].filter((one) => one !== '').join(', ');
  const head = [
    `HTTP/1.1 ${plan.status} As Planned`,
    ...linesOf(plan.fields),
    ...switching,
    ...(connection === '' ? [] : [`Connection: ${connection}`]),
    ...framingLines(plan),
  ];
  const beyond = plan.beyond > 0 ? [bytes(plan.beyond, '!')] : [];
  return { head: textOf(head), body: [...(hasBody ? bodyParts(plan, 'said') : []), ...beyond] };
}

export function interimText({ status, fields }: InterimPlan): string {
  return textOf([`HTTP/1.1 ${status} In Between`, ...linesOf(fields)]);
}

export function hasBody(method: string, status: string): boolean {
  return method !== 'HEAD' && !/^(1..|204|304)$/.test(status);
}

/** The body of a plan, as its reader should have it. */
export function bodyOf({ framing, size }: Pick<AnswerPlan | RequestPlan, 'framing' | 'size'>, word: string): string {
  return framing === 'none' ? '' : bytes(size, word);
}

function framingLines({ framing, size }: Pick<AnswerPlan | RequestPlan, 'framing' | 'size'>): string[] {
  const byFraming: Record<AnswerPlan['framing'], string[]> = {
    none: [],
    close: [],
    sized: [`Content-Length: ${size}`],
    chunked: ['Transfer-Encoding: chunked'],
    both: ['Content-Length: 3', 'Transfer-Encoding: chunked'],
    'gzip, chunked': ['Transfer-Encoding: gzip, chunked'],
    'two sizes': [`Content-Length: ${size}`, `Content-Length: ${size + 1}`],
  };
  return byFraming[framing];
}

type BodyPlan = Pick<AnswerPlan, 'framing' | 'size' | 'chunk' | 'extension' | 'trailers'>;

function bodyParts(plan: BodyPlan, word: string): string[] {
  const whole = bodyOf(plan, word);
  if (plan.framing === 'none') return [];
  if (plan.framing === 'sized' || plan.framing === 'close' || plan.framing === 'two sizes')
    return whole === '' ? [] : [whole];
  const parts: string[] = [];
  for (let at = 0; at < whole.length; at += plan.chunk) {
    const piece = whole.slice(at, at + plan.chunk);
    parts.push(`${piece.length.toString(16)}${plan.extension}\r\n${piece}\r\n`);
  }
  parts.push(textOf([`0${plan.extension}`, ...linesOf(plan.trailers)]));
  return parts;
}

/** Every eight bytes differ, so that none can be lost, doubled or moved unseen. */
export function bytes(size: number, word: string): string {
  const parts: string[] = [];
  for (let at = 0; at < size; at += 8) parts.push(`${word.slice(0, 1)}${(at / 8).toString(36).padStart(7, '0')}`);
  return parts.join('').slice(0, size);
}

const linesOf = (fields: readonly Field[]): string[] => fields.map(([name, value]) => `${name}: ${value}`);
const textOf = (lines: readonly string[]): string => `${lines.join('\r\n')}\r\n\r\n`;
