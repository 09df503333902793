import { SessionClosedError } from '@zishuo/yamux';
import { describe, expect, it } from 'vitest';
import { UpgradeRefusedError, YamuxWebSocketError } from '../src/errors.ts';
import { redialAfterClose, redialAfterError } from '../src/redial.ts';

const closed = (code: number, reason = '', initiator: 'local' | 'remote' = 'remote') =>
  redialAfterClose({ code, reason, wasClean: code !== 1006, initiator });

describe('dialing again after a close', () => {
  it.each([
    [1000, 'backoff', 0],
    [1001, 'soon', 0],
    [1002, 'backoff', 1],
    [1003, 'backoff', 1],
    [1005, 'backoff', 0],
    [1006, 'backoff', 0],
    [1007, 'backoff', 1],
    [1008, 'fresh', 0],
    [1009, 'leave', 0],
    [1010, 'backoff', 1],
    [1011, 'backoff', 0],
    [1012, 'soon', 0],
    [1013, 'backoff', 0.5],
    [1014, 'backoff', 0],
    [4000, 'backoff', 0],
    [4401, 'fresh', 0],
    [4403, 'fresh', 0],
    [4409, 'replaced', 0],
  ] as const)('with %i is %s, with a pause of at least this share of the longest: %d', (code, how, share) => {
    expect(closed(code)).toEqual({ how, share, wait: 0 });
  });

  it('uses backoff after every code that this end sent', () => {
    for (const code of [1000, 1001, 1009, 4409]) expect(closed(code, '', 'local').how).toBe('backoff');
  });

  it('is rare after GoAway(1), a protocol violation, whatever the close code', () => {
    const goneAway = (goAwayCode: number) =>
      new SessionClosedError('ERR_YAMUX_GO_AWAY', 'gone', { origin: 'remote', goAwayCode });
    const terminated = { code: 1006, reason: '', wasClean: false, initiator: 'local' } as const;
    expect(redialAfterClose(terminated, goneAway(1))).toEqual({ how: 'backoff', share: 1, wait: 0 });
    for (const other of [goneAway(2), new Error('lost'), null]) {
      expect(redialAfterClose(terminated, other)).toEqual({ how: 'backoff', share: 0, wait: 0 });
    }
  });

  it('waits as long as the reason of close code 1013 says', () => {
    expect(closed(1013, '30').wait).toBe(30_000);
    expect(closed(1013, 'overloaded').wait).toBe(0);
    expect(closed(1011, '30').wait).toBe(0);
  });
});

describe('dialing again after a failed dial', () => {
  const refused = (status: number, retryAfter?: string) =>
    redialAfterError(new UpgradeRefusedError(status, { headers: { 'retry-after': retryAfter } }), Date.UTC(2026, 0, 1));

  it.each([
    [200, 'backoff', 1],
    [301, 'backoff', 1],
    [302, 'backoff', 1],
    [400, 'fresh', 0],
    [401, 'fresh', 0],
    [403, 'fresh', 0],
    [404, 'backoff', 1],
    [408, 'backoff', 0],
    [410, 'fresh', 0],
    [426, 'fresh', 0],
    [429, 'backoff', 0],
    [460, 'backoff', 1],
    [499, 'backoff', 1],
    [500, 'backoff', 0],
    [501, 'backoff', 0],
    [503, 'backoff', 0],
    [505, 'backoff', 0],
    [521, 'backoff', 0],
    [522, 'backoff', 0],
    [530, 'backoff', 0],
    [999, 'backoff', 0],
  ])('with HTTP status %i is %s, with a pause of at least this share of the longest: %d', (status, how, share) => {
    expect(refused(status)).toEqual({ how, share, wait: 0 });
  });

  it.each([
    ['7', 7_000],
    ['Thu, 01 Jan 2026 00:02:00 GMT', 120_000],
    ['Thu, 01 Jan 2015 00:00:00 GMT', 0],
    ['soon', 0],
    ['-5', 0],
    ['99999999', 3_600_000],
  ])('waits for Retry-After: %s', (value, wait) => {
    expect(refused(503, value).wait).toBe(wait);
  });

  it("uses backoff if no server answered, and stops if the caller's options are invalid", () => {
    const lost = new YamuxWebSocketError('ERR_YAMUX_WEBSOCKET_DIAL_FAILED', 'nobody');
    expect(redialAfterError(lost, 0).how).toBe('backoff');
    expect(redialAfterError(undefined, 0).how).toBe('backoff');
    expect(redialAfterError(new RangeError('handshakeTimeout'), 0).how).toBe('stop');
    expect(redialAfterError(new YamuxWebSocketError('ERR_YAMUX_WEBSOCKET_WS_MISSING', 'ws'), 0).how).toBe('stop');
  });
});
