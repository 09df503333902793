import { once } from 'node:events';
import { Duplex, duplexPair } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { relay } from '../../src/peer/relay.ts';
import { turn } from '../support/world.ts';

class Resettable extends Duplex {
  resetWith: number | undefined;

  reset(errorCode: number): void {
    this.resetWith = errorCode;
    this.destroy();
  }

  override _read(): void {}
}

async function received(stream: Duplex): Promise<string> {
  let text = '';
  stream.on('data', (chunk) => {
    text += String(chunk);
  });
  await once(stream, 'end');
  return text;
}

describe('relay()', () => {
  it('passes bytes and ends on, each direction by itself', async () => {
    const [caller, one] = duplexPair();
    const [other, agent] = duplexPair();
    relay(one, other);
    const [asked, answered] = [received(agent), received(caller)];
    caller.end('question');
    expect(await asked).toBe('question');
    agent.end('answer');
    expect(await answered).toBe('answer');
    await turn();
    expect([one.errored, other.errored]).toEqual([null, null]);
  });

  it('breaks the one off when the other breaks, with the code of the reset', async () => {
    const [one, other] = [new Resettable(), new Resettable()];
    relay(one, other);
    one.destroy(Object.assign(new Error('reset'), { errorCode: 7 }));
    await turn();
    expect([other.destroyed, other.resetWith]).toEqual([true, 7]);
  });

  it('breaks the one off when the other is closed before its end, without an error', async () => {
    const [one, other] = [new Resettable(), new Resettable()];
    relay(one, other);
    other.destroy();
    await turn();
    expect([one.destroyed, one.resetWith]).toEqual([true, undefined]);
  });
});
