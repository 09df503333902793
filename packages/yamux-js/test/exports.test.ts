// All that programs import of yamux-js is there, with the same values.

import { expect, test } from 'vitest';
import yamux, * as ours from '../src/index.ts';
import { theirModule } from './support/implementations.ts';

const ourModule: Readonly<Record<string, unknown>> = { ...ours };

test.each(Object.keys(theirModule))('%s is exported, and of the same type', (name) => {
  expect(typeof ourModule[name]).toBe(typeof theirModule[name]);
});

test.each(['VERSION', 'TYPES', 'FLAGS', 'STREAM_STATES', 'GO_AWAY_ERRORS', 'initialStreamWindow'])(
  '%s has the same values',
  (name) => {
    expect(ourModule[name]).toEqual(theirModule[name]);
  },
);

test('the errors have the same names and texts', () => {
  expect(ours.ERRORS).toEqual(theirModule.ERRORS);
});

test('the defaults are the same, but for two options that yamux-js lacks', () => {
  const { streamOpenTimeout, streamCloseTimeout, ...shared } = ours.defaultConfig;
  expect(shared).toEqual(theirModule.defaultConfig);
  expect({ streamOpenTimeout, streamCloseTimeout }).toEqual({ streamOpenTimeout: 0, streamCloseTimeout: 300 });
});

test('the default export has the classes', () => {
  const { Client, Server, Session, Stream } = ours;
  expect(yamux).toEqual({ Client, Server, Session, Stream });
});

test('a stream cannot be made', () => {
  expect(() => Reflect.construct(ours.Stream as never, [])).toThrow('Expected streams to be made by open()');
});
