import { describe, expect, it } from 'vitest';
import { Outbox } from '../../src/names/outbox.ts';

describe('Outbox', () => {
  it('tells a name once however often it has changed, in batches, one at a time', () => {
    const outbox = new Outbox();
    for (const name of ['a', 'b', 'a', 'c']) outbox.mark(name);
    expect(outbox.take(2)).toEqual({ names: ['a', 'b'], firstSeq: 1 });
    expect(outbox.take(2)).toBeUndefined();
    outbox.succeeded();
    expect(outbox.take(2)).toEqual({ names: ['c'], firstSeq: 3 });
    outbox.succeeded();
    expect(outbox.take(2)).toBeUndefined();
    expect(outbox.size).toBe(0);
  });

  it('tells what failed again, with higher numbers than the batch that may still arrive', () => {
    const outbox = new Outbox();
    outbox.mark('a');
    outbox.take(10);
    outbox.mark('b');
    outbox.failed();
    expect(outbox.take(10)).toEqual({ names: ['b', 'a'], firstSeq: 2 });
  });

  it('tells a name again that has changed while its batch was under way', () => {
    const outbox = new Outbox();
    outbox.mark('a');
    outbox.take(10);
    outbox.mark('a');
    outbox.succeeded();
    expect(outbox.take(10)).toEqual({ names: ['a'], firstSeq: 2 });
  });

  it('has lost something when the directory holds less than it has confirmed, and says so once', () => {
    const outbox = new Outbox();
    outbox.mark('a');
    outbox.take(10);
    expect(outbox.hasLost(0)).toBe(false);
    outbox.succeeded();
    expect(outbox.hasLost(1)).toBe(false);
    expect(outbox.hasLost(0)).toBe(true);
    outbox.markAll(['a', 'b']);
    expect(outbox.hasLost(0)).toBe(false);
    expect(outbox.take(10)).toEqual({ names: ['a', 'b'], firstSeq: 2 });
  });

  it('tells again what was never confirmed, also names that are not held any more', () => {
    const outbox = new Outbox();
    outbox.mark('kept');
    outbox.take(10);
    outbox.succeeded();
    outbox.confirmed(1);
    outbox.mark('withdrawn');
    outbox.take(10);
    outbox.succeeded();
    expect(outbox.hasLost(1)).toBe(true);
    outbox.markAll(['kept']);
    expect(outbox.take(10)).toEqual({ names: ['kept', 'withdrawn'], firstSeq: 3 });
  });
});
