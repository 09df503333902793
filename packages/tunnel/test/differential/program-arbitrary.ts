// What fast-check makes programs of: plans in which all is plain but what a family varies, and the parts that vary.
import fc from 'fast-check';
import type { Field } from './message-reader.ts';
import type { AnswerPlan, Cut, InterimPlan, Leaving, Pieces, Program, RequestPlan, Talk } from './program.ts';
import { consistent } from './program-consistent.ts';
import { SPOOF } from './rules.ts';

type Choices<Plan> = { [Key in keyof Plan]: fc.Arbitrary<Plan[Key]> };
export const just: typeof fc.constant = fc.constant;
export const among = <T extends string | number | boolean | null>(...values: T[]): fc.Arbitrary<T> =>
  fc.constantFrom(...values);
export const rarely = <T>(usual: fc.Arbitrary<T>, rare: fc.Arbitrary<T>, weight = 8): fc.Arbitrary<T> =>
  fc.oneof({ weight, arbitrary: usual }, { weight: 1, arbitrary: rare });

export const pieces: fc.Arbitrary<Pieces> = among('one', 'parts', 'bytes');
export const size: fc.Arbitrary<number> = fc.oneof(
  { weight: 6, arbitrary: fc.nat(300) },
  { weight: 1, arbitrary: among(0, 70_000) },
);
export const large: fc.Arbitrary<number> = among(0, 10, 3_000, 300_000);
export const chunk: fc.Arbitrary<number> = among(1_000_000, 100, 7, 1);
export const extension: fc.Arbitrary<string> = among('', '', ';a', ';a=1;b="2"');

const plainRequest: Choices<RequestPlan> = {
  method: just('GET'),
  target: just('origin'),
  version: just('1.1'),
  host: just('one'),
  fields: just([]),
  connection: just(''),
  upgrade: just(''),
  behind: just(0),
  expect: just('no'),
  framing: just('none'),
  size: just(0),
  chunk: just(100),
  extension: just(''),
  trailers: just([]),
  after: just(0),
};

const plainAnswer: Choices<AnswerPlan> = {
  when: just('body'),
  delay: just(0),
  interim: just([]),
  status: just('200'),
  fields: just([]),
  connection: just(''),
  framing: just('sized'),
  size: just(5),
  chunk: just(100),
  extension: just(''),
  trailers: just([]),
  beyond: just(0),
  cut: just(null),
  ending: just('keep'),
  pieces: just('one'),
  talk: just(null),
};

interface FamilyPlan {
  readonly request?: Partial<Choices<RequestPlan>>;
  readonly answer?: Partial<Choices<AnswerPlan>>;
  /** Exchanges, at most. Default 2. */
  readonly atMost?: number;
  readonly pieces?: fc.Arbitrary<Pieces>;
  readonly leaving?: fc.Arbitrary<Leaving | null>;
}

export function programs({
  request = {},
  answer = {},
  atMost = 2,
  pieces = just('one'),
  leaving = just(null),
}: FamilyPlan): fc.Arbitrary<Program> {
  const exchange = fc.record({
    request: fc.record({ ...plainRequest, ...request }),
    answer: fc.record({ ...plainAnswer, ...answer }),
  });
  return fc
    .record({ exchanges: fc.array(exchange, { minLength: 1, maxLength: atMost }), pieces, leaving })
    .map(consistent);
}

// --- parts ---

const token = among(
  'X-A',
  'x-a',
  'Accept',
  'Cookie',
  'X-b',
  "!#$%&'*+-.^_`|~",
  'Set-Cookie2',
  'X-Long-Name-Of-A-Field',
  'ETag',
  'Range',
);
const text = among(
  '',
  '1',
  'a, b',
  'two  blanks',
  '"quoted"',
  'caf\xe9 \xff\x80',
  'a\tb',
  'x'.repeat(300),
  'a=b; c=d',
  'W/"1"',
);
export const field: fc.Arbitrary<Field> = fc.tuple(token, text);
export const someFields: fc.Arbitrary<Field[]> = fc.array(field, { maxLength: 5 });
export const many: fc.Arbitrary<Field[]> = fc
  .tuple(among(50, 990, 1_000, 1_100, 2_200), among('a', 'X-Many'))
  .map(([count, name]) => Array.from({ length: count }, (): Field => [name, 'b']));
export const long: fc.Arbitrary<Field[]> = among(4_000, 8_000, 13_000, 15_000, 16_000, 16_300, 20_000).map(
  (length): Field[] => [['X-Long', 'x'.repeat(length)]],
);
export const claim: fc.Arbitrary<Field> = fc.tuple(
  among(
    'X-Forwarded-For',
    'x-forwarded-for',
    'X_Forwarded_For',
    'X-Forwarded_For',
    'X-Real-IP',
    'X_Real_IP',
    'X-Forwarded-Port',
    'X-Forwarded-Prefix',
    'X-Forwarded-Host',
    'X-Forwarded-Proto',
    'X-Forwarded-Server',
    'Forwarded',
  ),
  among(SPOOF, `${SPOOF}, 7.7.7.7`, `for=${SPOOF}`),
);
export const hop: fc.Arbitrary<Field> = fc.constantFrom<Field>(
  ['X-Hop', '1'],
  ['Keep-Alive', 'timeout=5'],
  ['Proxy-Connection', 'keep-alive'],
  ['TE', 'trailers'],
  ['Via', '1.1 somebody'],
  ['X-Request-Id', SPOOF],
  ['Trailer', 'X-Sum'],
);
export const connection: fc.Arbitrary<string> = among(
  '',
  '',
  'X-Hop',
  'x-hop, TE',
  'close, X-Hop',
  'keep-alive',
  'Keep-Alive, X-Hop',
  'close',
  'X-Forwarded-For',
  'Host, Content-Length',
  'TE',
);

const goodTrailer = fc.constantFrom<Field>(
  ['X-Sum', '5'],
  ['x-sum', ''],
  ['Grpc-Status', '0'],
  ['Server-Timing', 'a;dur=1'],
);
const badTrailer = fc.constantFrom<Field>(
  ...(
    [
      'Host',
      'Authorization',
      'Content-Length',
      'Transfer-Encoding',
      'Connection',
      'Keep-Alive',
      'TE',
      'X-Request-Id',
    ] as const
  ).map((name): Field => [name, '3']),
);
export const requestTrailers: fc.Arbitrary<Field[]> = fc.array(
  fc.oneof({ weight: 4, arbitrary: goodTrailer }, badTrailer, claim),
  { maxLength: 4 },
);
export const answerTrailers: fc.Arbitrary<Field[]> = fc.array(
  fc.oneof({ weight: 4, arbitrary: goodTrailer }, badTrailer),
  { maxLength: 4 },
);

export const interim: fc.Arbitrary<InterimPlan> = fc.record({
  status: among(100, 102, 103, 104, 199),
  fields: fc.array(
    fc.constantFrom<Field>(
      ['Link', '</a.css>; rel=preload'],
      ['Link', '</a>; rel=preload, </b>; rel=preload; as=style'],
      ['X-A', 'caf\xe9'],
      ['Location', '/upload/1'],
    ),
    { maxLength: 2 },
  ),
});
export const noInterim: fc.Arbitrary<InterimPlan[]> = just([]);
export const cut: fc.Arbitrary<Cut> = fc.record({ at: fc.nat(2_000), how: among('FIN', 'RST') });
export const talk: fc.Arbitrary<Talk> = fc.record({
  client: size,
  origin: size,
  ends: among('client', 'origin'),
  how: among('FIN', 'FIN', 'RST'),
});
export const method: fc.Arbitrary<string> = among('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD');
export const requestFraming: fc.Arbitrary<'none' | 'sized' | 'chunked'> = among('none', 'sized', 'chunked');
export const answerFraming: fc.Arbitrary<'sized' | 'chunked' | 'close' | 'none'> = among(
  'sized',
  'chunked',
  'close',
  'none',
);
export const status: fc.Arbitrary<string> = among('200', '201', '206', '301', '404', '413', '500', '599');
export const leaving: fc.Arbitrary<Leaving> = fc.record({
  how: among('half', 'close', 'reset'),
  at: fc.option(fc.nat(2_000)),
  after: fc.nat(3),
});
