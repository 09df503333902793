import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { StreamTable } from '../../src/session/stream-table.ts';
import type { YamuxStream } from '../../src/stream/stream.ts';

interface FakeStream {
  readonly id: number;
  readonly direction: 'inbound' | 'outbound';
  destroyed: boolean;
  destroyedWith: readonly (Error | undefined)[];
}

/** What the table looks at in a stream. */
function fake(id: number, direction: 'inbound' | 'outbound' = 'inbound'): FakeStream & YamuxStream {
  const stream = {
    id,
    direction,
    destroyed: false,
    destroyedWith: [] as (Error | undefined)[],
    destroy(error?: Error): void {
      stream.destroyedWith.push(error);
      stream.destroyed = true;
    },
  };
  return stream as unknown as FakeStream & YamuxStream;
}

const take = (table: StreamTable, count: number): unknown[] => Array.from({ length: count }, () => table.takeId());

describe('ids', () => {
  test('of the client are odd, of the server even, and neither takes one twice', () => {
    expect(take(new StreamTable('client'), 4)).toEqual([1, 3, 5, 7]);
    expect(take(new StreamTable('server'), 4)).toEqual([2, 4, 6, 8]);
  });

  test("of the peer are those of the other role; 0 is nobody's", () => {
    const id = fc.integer({ min: 1, max: 0xffff_ffff });
    fc.assert(
      fc.property(id, (one) => {
        expect(new StreamTable('client').isPeerId(one)).toBe(one % 2 === 0);
        expect(new StreamTable('server').isPeerId(one)).toBe(one % 2 === 1);
      }),
    );
    expect(new StreamTable('client').isPeerId(0)).toBe(false);
    expect(new StreamTable('server').isPeerId(0)).toBe(false);
  });

  describe('at the end of their range', () => {
    afterEach(() => {
      vi.doUnmock('../../src/wire/constants.ts');
      vi.resetModules();
    });

    // 2^31 ids take a quarter of a minute to count through; the range is shortened instead.
    test.each([
      ['client', 9, [1, 3, 5, 7, 9]],
      ['server', 9, [2, 4, 6, 8]],
      ['server', 8, [2, 4, 6, 8]],
    ] as const)('are used up for the %s with %d, and stay so', async (role, last, ids) => {
      vi.resetModules();
      vi.doMock('../../src/wire/constants.ts', async (original) => ({
        ...(await original<object>()),
        MAX_UINT32: last,
      }));
      const { StreamTable: ShortTable } = await import('../../src/session/stream-table.ts');
      const table = new ShortTable(role);
      expect(take(table, ids.length)).toEqual(ids);
      expect(take(table, 2)).toEqual([undefined, undefined]);
    });
  });
});

describe('streams', () => {
  test('are found by id while they are in the table', () => {
    const table = new StreamTable('client');
    const stream = fake(2);
    expect(table.get(2)).toBeUndefined();
    table.add(stream);
    expect(table.get(2)).toBe(stream);
    expect([...table]).toEqual([stream]);
    table.remove(stream);
    expect(table.get(2)).toBeUndefined();
    expect(table.size).toBe(0);
  });

  test('are counted, the inbound ones apart, and a second removal counts nothing', () => {
    const directions = fc.array(fc.constantFrom('inbound' as const, 'outbound' as const), { maxLength: 12 });
    fc.assert(
      fc.property(directions, fc.array(fc.nat(11)), (all, removed) => {
        const table = new StreamTable('client');
        const streams = all.map((direction, index) => fake(index + 1, direction));
        for (const stream of streams) table.add(stream);
        const left = new Set(streams);
        let inbound = all.filter((direction) => direction === 'inbound').length;
        for (const index of removed) {
          const stream = streams[index];
          if (stream === undefined) continue;
          table.remove(stream);
          if (left.delete(stream) && stream.direction === 'inbound') {
            // What it holds is held for the peer until it is read.
            expect(table.inboundHeld).toBe(inbound);
            table.forgetInbound();
            inbound -= 1;
          }
        }
        expect(table.size).toBe(left.size);
        expect(table.inboundHeld).toBe(inbound);
      }),
    );
  });

  test('are not removed by one that had the same id before', () => {
    const table = new StreamTable('client');
    const [before, after] = [fake(2), fake(2)];
    table.add(before);
    table.remove(before);
    table.add(after);
    table.remove(before);
    expect(table.get(2)).toBe(after);
  });

  test('are live unless the application has let go of every one', () => {
    const table = new StreamTable('client');
    expect(table.hasLive).toBe(false);
    const [first, second] = [fake(2), fake(4)];
    table.add(first);
    table.add(second);
    first.destroyed = true;
    expect(table.hasLive).toBe(true);
    second.destroyed = true;
    expect(table.hasLive).toBe(false);
    expect(table.size).toBe(2);
  });

  test('are all destroyed, also those that leave the table by it', () => {
    const table = new StreamTable('client');
    const streams = [fake(2), fake(4), fake(6)];
    for (const stream of streams) {
      const destroy = stream.destroy.bind(stream);
      stream.destroy = (error) => {
        destroy(error);
        table.remove(stream);
        return stream;
      };
      table.add(stream);
    }
    const error = new Error('why');
    table.destroyAll(error);
    expect(streams.map(({ destroyedWith }) => destroyedWith)).toEqual([[error], [error], [error]]);
    expect(table.size).toBe(0);
  });
});
