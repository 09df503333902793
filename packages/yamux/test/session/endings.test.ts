// What a session's errors say to somebody who has never heard of them: what happened, why, and what to do.
import { describe, expect, test } from 'vitest';
import * as endings from '../../src/session/endings.ts';

describe('the message of an ending tells what happened and what to do about it', () => {
  test.each([
    [endings.sessionClosed(null), 'The session is closed or closing: open a new one'],
    [
      endings.sessionClosed(endings.writeTimedOut(5)),
      'The session is closed: open a new one. It ended with: The transport took nothing for 5 ms (writeTimeout); if 5 seconds were meant, give 5000',
    ],
    [endings.sessionDestroyed(), 'The session was destroyed at this end'],
    [endings.goneAway(0), 'The peer takes no new streams (GoAway 0): open them on another session'],
    [endings.goneAway(1), 'The peer ended the session (GoAway 1): it says that this end broke the protocol'],
    [endings.goneAway(2), 'The peer ended the session (GoAway 2): it had an internal error'],
    [endings.goneAway(9), 'The peer ended the session (GoAway 9): a reason unknown to Yamux'],
    [endings.idsUsedUp(), 'All stream ids of this session are used up: open a new session'],
    [endings.transportEndedInFrame(), 'The transport ended in the middle of a frame: what was received is not whole'],
    [endings.transportEndedUnder(1), 'The transport ended under 1 live stream: what was received may not be whole'],
    [endings.transportEndedUnder(3), 'The transport ended under 3 live streams: what was received may not be whole'],
    [endings.transportFailed(new Error('read ECONNRESET')), 'The transport failed: read ECONNRESET'],
    [endings.peerDied(1000), 'The peer sent nothing for 1000 ms after a ping (keepAliveTimeout): it is taken for dead'],
    [
      endings.peerDied(10),
      'The peer sent nothing for 10 ms after a ping (keepAliveTimeout): it is taken for dead; if 10 seconds were meant, give 10000',
    ],
  ])('$message', (error, message) => {
    expect(error.message).toBe(message);
  });

  test('and the session it was is the cause', () => {
    const cause = endings.peerStalled();
    expect(endings.sessionClosed(cause).cause).toBe(cause);
  });
});
