import { describe, expect, it } from 'vitest';
import { resolveStreamOptions, type WebSocketStreamOptions } from '../src/options.ts';

describe('the options of a byte stream', () => {
  it('have these defaults', () => {
    expect(resolveStreamOptions()).toEqual({
      maxMessageBytes: 65_536,
      maxInboundMessageBytes: 16 * 1024 * 1024 + 65_536,
      highWaterMark: 1024 * 1024,
      maxBufferedBytes: 16 * 1024 * 1024,
      readPauseBytes: 256 * 1024,
      writeTimeout: 30_000,
      closeTimeout: 5_000,
      wsPing: 0,
      carrier: undefined,
    });
  });

  it('keep given values, and use the default for undefined', () => {
    const options = resolveStreamOptions({
      readPauseBytes: Number.POSITIVE_INFINITY,
      writeTimeout: 0,
      closeTimeout: undefined,
    });
    expect(options).toMatchObject({ readPauseBytes: Number.POSITIVE_INFINITY, writeTimeout: 0, closeTimeout: 5_000 });
  });

  it.each<[WebSocketStreamOptions, string]>([
    [{ maxMessageBytes: 0 }, 'Expected maxMessageBytes to be a whole number from 1 to Infinity, got 0'],
    [{ highWaterMark: 1.5 }, 'Expected highWaterMark to be a whole number from 0 to Infinity, got 1.5'],
    [{ maxBufferedBytes: Number.NaN }, 'Expected maxBufferedBytes to be a whole number from 1 to Infinity, got NaN'],
    [
      { writeTimeout: 2 ** 31 },
      'Expected writeTimeout to be a whole number of milliseconds from 0 to 2147483647, got 2147483648',
    ],
    [{ closeTimeout: 0.5 }, 'Expected closeTimeout to be a whole number of milliseconds from 1 to 2147483647, got 0.5'],
    [{ closeTimeout: 0 }, 'Expected closeTimeout to be a whole number of milliseconds from 1 to 2147483647, got 0'],
  ])('refuse a number out of range: %j', (options, message) => {
    expect(() => resolveStreamOptions(options)).toThrow(new RangeError(message));
  });

  it('refuse a carrier that is not an object', () => {
    expect(() => resolveStreamOptions({ carrier: '127.0.0.1' as never })).toThrow(
      new TypeError('Expected carrier to be the socket below the WebSocket, got a string'),
    );
  });

  it('refuse a value of the wrong type and a name that does not exist', () => {
    const wrongType = { writeTimeout: '30s' } as unknown as WebSocketStreamOptions;
    expect(() => resolveStreamOptions(wrongType)).toThrow(
      new TypeError('Expected writeTimeout to be a number of milliseconds, got "30s"'),
    );
    const misspelt = { writeTimeOut: 5 } as unknown as WebSocketStreamOptions;
    expect(() => resolveStreamOptions(misspelt)).toThrow(
      new TypeError("Unknown option 'writeTimeOut' of the byte stream; did you mean 'writeTimeout'?"),
    );
  });
});
