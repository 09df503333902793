import { describe, expect, test } from 'vitest';
import { MAX_DELAY, systemClock } from '../../src/clock.ts';

import {
  CLOSE_OPTIONS,
  checkOpenOptions,
  checkOptions,
  checkSessionOptions,
  resolveOptions,
  type SessionOptions,
  WAIT_OPTIONS,
  type WaitOptions,
} from '../../src/session/options.ts';
import { WindowBudget } from '../../src/stream/window-budget.ts';
import { ManualClock } from '../support/manual-clock.ts';

const LONGEST_DELAY = 2_147_483_647;
const defaults = {
  acceptBacklog: 256,
  maxUnacknowledged: 256,
  maxInboundStreams: 1000,
  maxStreamWindow: 16_777_216,
  windowBudget: new WindowBudget(67_108_864),
  maxFramePayload: 32_768,
  flushAt: 'tick',
  keepAliveInterval: 30_000,
  keepAliveTimeout: 10_000,
  writeTimeout: 30_000,
  halfCloseTimeout: 300_000,
  allowHalfOpen: true,
  resetBurst: 1000,
  clock: systemClock,
};

test('nothing given is the defaults', () => {
  expect(resolveOptions()).toEqual(defaults);
  expect(resolveOptions({})).toEqual(defaults);
});

test('undefined is the default', () => {
  const given = Object.fromEntries(Object.keys(defaults).map((name) => [name, undefined]));
  expect(resolveOptions(given)).toEqual(defaults);
});

test('what is given is taken, the rest stays', () => {
  const clock = new ManualClock();
  const resolved = resolveOptions({ acceptBacklog: 3, clock });
  expect(resolved).toEqual({ ...defaults, acceptBacklog: 3, clock });
  expect(resolved.clock).toBe(clock);
});

describe.each<[keyof SessionOptions, number, number]>([
  ['acceptBacklog', 0, Number.POSITIVE_INFINITY],
  ['maxUnacknowledged', 1, Number.POSITIVE_INFINITY],
  ['maxInboundStreams', 0, Number.POSITIVE_INFINITY],
  ['maxStreamWindow', 262_144, 4_294_967_295],
  ['maxFramePayload', 1024, 65_524],
  ['keepAliveTimeout', 0, LONGEST_DELAY],
  ['writeTimeout', 0, LONGEST_DELAY],
  ['halfCloseTimeout', 0, LONGEST_DELAY],
  ['resetBurst', 1, Number.POSITIVE_INFINITY],
])('%s', (name, min, max) => {
  const unit = max === MAX_DELAY ? ' of milliseconds' : '';

  test(`may be ${min} to ${max}, both included`, () => {
    expect(resolveOptions({ [name]: min })[name]).toBe(min);
    expect(resolveOptions({ [name]: max })[name]).toBe(max);
  });

  // Nothing is above infinity.
  const outside = [min - 1, max + 1, min + 0.5, Number.NaN, Number.NEGATIVE_INFINITY].filter((value) => value !== max);
  test.each(outside)('of %s throws RangeError', (value) => {
    expect(() => resolveOptions({ [name]: value })).toThrow(
      new RangeError(`Expected ${name} to be a whole number${unit} from ${min} to ${max}, got ${value}`),
    );
  });

  test.each([['5'], [true], [{}], [5n], [() => 5]])('of %o throws TypeError', (value) => {
    expect(() => resolveOptions({ [name]: value } as SessionOptions)).toThrow(
      new TypeError(`Expected ${name} to be a number${unit}, got ${typeof value}`),
    );
  });
});

describe('keepAliveInterval', () => {
  test.each([0, 100, 30_000, LONGEST_DELAY])('may be %i', (interval) => {
    expect(resolveOptions({ keepAliveInterval: interval }).keepAliveInterval).toBe(interval);
  });

  test.each([1, 30, 99])('of %i throws RangeError: seconds were probably meant', (interval) => {
    expect(() => resolveOptions({ keepAliveInterval: interval })).toThrow(
      new RangeError(
        `Expected keepAliveInterval to be 0 or a whole number of milliseconds from 100 to 2147483647, got ${interval}; if ${interval} seconds were meant, give ${interval}000`,
      ),
    );
  });

  test.each([-1, 0.5, LONGEST_DELAY + 1])('of %d throws RangeError', (interval) => {
    expect(() => resolveOptions({ keepAliveInterval: interval })).toThrow(
      new RangeError(
        `Expected keepAliveInterval to be a whole number of milliseconds from 0 to 2147483647, got ${interval}`,
      ),
    );
  });

  test('of another type throws TypeError', () => {
    expect(() => resolveOptions({ keepAliveInterval: '30s' as unknown as number })).toThrow(
      new TypeError('Expected keepAliveInterval to be a number of milliseconds, got string'),
    );
  });
});

test.each(['maxFramePayloads', 'role', '', 'toString'])(
  'an unknown option, %o, throws TypeError and names it',
  (name) => {
    expect(() => resolveOptions({ [name]: 1 })).toThrow(TypeError);
    expect(() => resolveOptions({ [name]: 1 })).toThrow(`Unknown option '${name}' of the session`);
  },
);

describe('beside an unknown option', () => {
  test.each([
    ['maxFramePayloads', 'maxFramePayload'],
    ['keepalivetimeout', 'keepAliveTimeout'],
    ['maxInbound', 'maxInboundStreams'],
    ['wirteTimeout', 'writeTimeout'],
    ['clok', 'clock'],
    ['backlog', 'acceptBacklog'],
  ])('%s the one that was meant is told', (name, meant) => {
    expect(() => resolveOptions({ [name]: 1 })).toThrow(
      new TypeError(`Unknown option '${name}' of the session; did you mean '${meant}'?`),
    );
  });

  // An empty name is the beginning of every other, and means none of them.
  test.each(['role', ''])('%o, which is like none, all known ones are told', (name) => {
    expect(() => resolveOptions({ [name]: 1 })).toThrow(
      `Unknown option '${name}' of the session; expected one of acceptBacklog, maxUnacknowledged`,
    );
  });
});

test('options are checked without a session as client() and server() check theirs, and by the name of whose they are', () => {
  expect(() => checkSessionOptions(undefined)).not.toThrow();
  expect(() => checkSessionOptions({ acceptBacklog: 5, windowBudget: new WindowBudget(5) })).not.toThrow();
  expect(() => checkSessionOptions({ backlog: 5 } as SessionOptions, 'yamux')).toThrow(
    new TypeError("Unknown option 'backlog' of yamux; did you mean 'acceptBacklog'?"),
  );
  expect(() => checkSessionOptions({ acceptBacklog: -1 })).toThrow(RangeError);
});

test('an unknown option of a method that has only one says which', () => {
  expect(() => checkOptions('accept()', { timeout: 5 }, WAIT_OPTIONS)).toThrow(
    new TypeError("Unknown option 'timeout' of accept(); expected signal"),
  );
  expect(() => checkOpenOptions('open()', { allowHalfOpen: false, signal: undefined })).not.toThrow();
  expect(() => checkOpenOptions('open()', { allowHalfOpen: 'no' as never })).toThrow(
    new TypeError('Expected allowHalfOpen to be true or false, got string'),
  );
  expect(() => checkOptions('close()', { signal: undefined, timeout: 5 }, CLOSE_OPTIONS)).not.toThrow();
});

describe('a signal', () => {
  test.each([
    [{}, 'object'],
    [new AbortController(), 'object'],
    [{ aborted: false }, 'object'],
    [null, 'null'],
    ['now', 'string'],
  ])('%o is none, says every method that takes one', (signal, got) => {
    const message = (of: string): Error =>
      new TypeError(
        `Expected the signal of ${of} to be an AbortSignal (an AbortController has it in .signal), got ${got}`,
      );
    const options = { signal } as unknown as WaitOptions;
    expect(() => checkOpenOptions('open()', options)).toThrow(message('open()'));
    expect(() => checkOptions('ping()', options, WAIT_OPTIONS)).toThrow(message('ping()'));
    expect(() => checkOptions('close()', options, CLOSE_OPTIONS)).toThrow(message('close()'));
  });

  test('may come from elsewhere', () => {
    const foreign = { aborted: false, addEventListener: () => {}, removeEventListener: () => {} };
    expect(() => checkOptions('ping()', { signal: foreign }, WAIT_OPTIONS)).not.toThrow();
    expect(() => checkOptions('ping()', { signal: AbortSignal.timeout(1) }, WAIT_OPTIONS)).not.toThrow();
  });
});

describe('options that are no object', () => {
  test.each([
    [null, 'null'],
    [5, 'number'],
    ['fast', 'string'],
    [[], 'an array'],
  ])('%o throws TypeError and says what was expected of what', (options, got) => {
    expect(() => resolveOptions(options as unknown as SessionOptions, 'client()')).toThrow(
      new TypeError(`Expected the options of client() to be an object, got ${got}`),
    );
  });

  test('a function throws TypeError and says how streams are heard of', () => {
    expect(() => resolveOptions((() => {}) as unknown as SessionOptions, 'server()')).toThrow(
      new TypeError(
        "Expected the options of server() to be an object, got a function; listen with .on('stream', …) instead",
      ),
    );
  });
});

describe('allowHalfOpen', () => {
  test('may be true or false', () => {
    expect(resolveOptions({ allowHalfOpen: false }).allowHalfOpen).toBe(false);
    expect(resolveOptions({ allowHalfOpen: true }).allowHalfOpen).toBe(true);
  });

  test.each([
    [0, 'number'],
    ['false', 'string'],
    [null, 'null'],
  ])('of %o throws TypeError', (allowHalfOpen, got) => {
    expect(() => resolveOptions({ allowHalfOpen } as unknown as SessionOptions)).toThrow(
      new TypeError(`Expected allowHalfOpen to be true or false, got ${got}`),
    );
  });
});

describe('windowBudget', () => {
  test('of a number is a budget of this session alone; one that is given is shared', () => {
    const [one, other] = [resolveOptions({ windowBudget: 1000 }), resolveOptions({ windowBudget: 1000 })];
    expect(one.windowBudget.size).toBe(1000);
    expect(one.windowBudget).not.toBe(other.windowBudget);
    const shared = new WindowBudget(5);
    expect(resolveOptions({ windowBudget: shared }).windowBudget).toBe(shared);
  });

  test.each([-1, 0.5, Number.NaN])('of %s throws RangeError', (windowBudget) => {
    expect(() => resolveOptions({ windowBudget })).toThrow(RangeError);
  });

  test.each([['5'], [null], [{}]])('of %o throws TypeError', (windowBudget) => {
    expect(() => resolveOptions({ windowBudget } as unknown as SessionOptions)).toThrow(TypeError);
  });
});

test("flushAt is 'tick' or 'turn'", () => {
  expect(resolveOptions({ flushAt: 'turn' }).flushAt).toBe('turn');
  expect(() => resolveOptions({ flushAt: 'end' as never })).toThrow(
    new TypeError("Expected flushAt to be 'tick' or 'turn', got end"),
  );
});
