import { describe, expect, it } from 'vitest';
import { Readiness } from '../../src/gateway/readiness.ts';

describe('readiness', () => {
  it('that waits for no session is there from the start', () => {
    const readiness = new Readiness(0);
    expect([readiness.state, readiness.reason]).toEqual(['serving', undefined]);
  });

  it('comes when so many sessions are there at once, and says how many are missing until then', () => {
    const readiness = new Readiness(2);
    expect([readiness.state, readiness.reason]).toEqual(['waiting', expect.stringMatching(/^0 of the 2 sessions/)]);
    readiness.sessions(1);
    readiness.sessions(0);
    readiness.sessions(1); // the same agent again is no second one
    expect([readiness.state, readiness.reason]).toEqual(['waiting', expect.stringMatching(/^1 of the 2 sessions/)]);
    readiness.sessions(2);
    expect([readiness.state, readiness.reason]).toEqual(['serving', undefined]);
  });

  it('stays when sessions leave, and ends for good when the gateway drains', () => {
    const readiness = new Readiness(1);
    readiness.sessions(1);
    readiness.sessions(0);
    expect(readiness.state).toBe('serving');
    readiness.drain();
    readiness.sessions(1);
    expect([readiness.state, readiness.reason]).toEqual(['draining', expect.stringContaining('asked to stop')]);
  });

  it('never comes to a gateway that drains before its sessions are there', () => {
    const readiness = new Readiness(1);
    readiness.drain();
    readiness.sessions(1);
    expect(readiness.state).toBe('draining');
  });
});
