import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Lifecycle, StreamState, TRANSITIONS } from '../../src/stream/lifecycle.ts';

const signals = ['finSent', 'finReceived', 'reset'] as const;
type Signal = (typeof signals)[number];

function after(...received: readonly Signal[]): Lifecycle {
  const lifecycle = new Lifecycle();
  for (const signal of received) lifecycle[signal]();
  return lifecycle;
}

describe('each state and each signal', () => {
  test.each<{ by: Signal[]; state: string; finSent: string; finReceived: string; reset: string }>([
    { by: [], state: 'open', finSent: 'half-closed-local', finReceived: 'half-closed-remote', reset: 'reset' },
    {
      by: ['finSent'],
      state: 'half-closed-local',
      finSent: 'half-closed-local',
      finReceived: 'closed',
      reset: 'reset',
    },
    {
      by: ['finReceived'],
      state: 'half-closed-remote',
      finSent: 'closed',
      finReceived: 'half-closed-remote',
      reset: 'reset',
    },
    { by: ['finSent', 'finReceived'], state: 'closed', finSent: 'closed', finReceived: 'closed', reset: 'closed' },
    { by: ['reset'], state: 'reset', finSent: 'reset', finReceived: 'reset', reset: 'reset' },
  ])('$state: FIN sent makes it $finSent, FIN received $finReceived, RST $reset', ({ by, state, ...next }) => {
    expect(after(...by).state).toBe(state);
    for (const signal of signals) expect(after(...by, signal).state).toBe(next[signal]);
  });
});

test('may send until FIN was sent, may receive until FIN was received, neither after RST', () => {
  const facts = ({ canSend, canReceive, ended }: Lifecycle): unknown => ({ canSend, canReceive, ended });
  expect(facts(after())).toEqual({ canSend: true, canReceive: true, ended: false });
  expect(facts(after('finSent'))).toEqual({ canSend: false, canReceive: true, ended: false });
  expect(facts(after('finReceived'))).toEqual({ canSend: true, canReceive: false, ended: false });
  expect(facts(after('finReceived', 'finSent'))).toEqual({ canSend: false, canReceive: false, ended: true });
  expect(facts(after('reset'))).toEqual({ canSend: false, canReceive: false, ended: true });
});

test('every state of the table can be reached, and the two that end stay', () => {
  const reached = new Set<StreamState>([StreamState.Open]);
  for (const state of reached) for (const next of Object.values(TRANSITIONS[state])) reached.add(next);
  expect([...reached].sort()).toEqual(Object.values(StreamState).sort());
  const terminal = Object.values(StreamState).filter((state) => Object.keys(TRANSITIONS[state]).length === 0);
  expect(terminal.sort()).toEqual(['closed', 'reset']);
});

test('any signals in any order leave it where three facts say: FIN sent, FIN received, reset before both', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...signals), { maxLength: 12 }), (received) => {
      const lifecycle = new Lifecycle();
      let isFinSent = false;
      let isFinReceived = false;
      let isReset = false;
      for (const signal of received) {
        const hasEnded: boolean = isReset || (isFinSent && isFinReceived);
        if (!hasEnded) {
          isFinSent ||= signal === 'finSent';
          isFinReceived ||= signal === 'finReceived';
          isReset = signal === 'reset';
        }
        lifecycle[signal]();
        expect(lifecycle.canSend).toBe(!isReset && !isFinSent);
        expect(lifecycle.canReceive).toBe(!isReset && !isFinReceived);
        expect(lifecycle.ended).toBe(isReset || (isFinSent && isFinReceived));
        expect(lifecycle.state === 'reset').toBe(isReset);
      }
    }),
  );
});
