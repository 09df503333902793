import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { StreamTable } from '../../src/session/stream-table.ts';
import type { WireStream } from '../../src/stream/wire-stream.ts';

interface FakeStream {
  readonly id: number;
  readonly direction: 'inbound' | 'outbound';
  readonly window: { size: number };
  unreadBytes: number;
  isReleased: boolean;
  expelledWith: Error[];
}

/** What the table looks at in a stream. */
function fake(id: number, direction: 'inbound' | 'outbound' = 'inbound'): FakeStream & WireStream {
  const stream = {
    id,
    direction,
    window: { size: 262_144 },
    unreadBytes: 0,
    isReleased: false,
    expelledWith: [] as Error[],
    expel(error: Error): void {
      stream.expelledWith.push(error);
    },
  };
  return stream as unknown as FakeStream & WireStream;
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
  test('are found by id while they are alive on the wire', () => {
    const table = new StreamTable('client');
    const stream = fake(2);
    expect(table.get(2)).toBeUndefined();
    table.add(stream);
    expect(table.get(2)).toBe(stream);
    expect([...table.all()]).toEqual([stream]);
    table.ended(stream);
    expect(table.get(2)).toBeUndefined();
    expect(table.size).toBe(0);
  });

  test('that are over on the wire are kept until the application lets go of them', () => {
    const table = new StreamTable('client');
    const stream = fake(2);
    table.add(stream);
    table.ended(stream);
    expect(table.keptSize).toBe(1);
    expect([...table.all()]).toEqual([stream]);
    table.released(stream);
    expect(table.keptSize).toBe(0);
    expect([...table.all()]).toEqual([]);
  });

  test('that the application has let go of before are gone with their end', () => {
    const table = new StreamTable('client');
    const stream = fake(2);
    table.add(stream);
    stream.isReleased = true;
    table.released(stream);
    expect(table.size).toBe(1);
    expect(table.get(2)).toBe(stream);
    table.ended(stream);
    expect([table.size, table.keptSize, table.inboundHeld]).toEqual([0, 0, 0]);
  });

  test('are counted by direction while they live, the inbound ones until they are released; nothing counts twice', () => {
    const step = fc.record({ kind: fc.constantFrom('add', 'add', 'end', 'release'), at: fc.nat(11) });
    const direction = fc.constantFrom('inbound' as const, 'outbound' as const);
    fc.assert(
      fc.property(fc.array(direction, { minLength: 12, maxLength: 12 }), fc.array(step), (directions, steps) => {
        const table = new StreamTable('client');
        const streams = directions.map((one, index) => fake(index + 1, one));
        const live = new Set<FakeStream>();
        const kept = new Set<FakeStream>();
        const seen = new Set<FakeStream>();
        for (const { kind, at } of steps) {
          const stream = streams[at] as FakeStream & WireStream;
          if (kind === 'add') {
            if (seen.has(stream)) continue;
            seen.add(stream);
            table.add(stream);
            live.add(stream);
          } else if (kind === 'end') {
            table.ended(stream);
            if (live.delete(stream) && !stream.isReleased) kept.add(stream);
          } else if (seen.has(stream)) {
            stream.isReleased = true;
            table.released(stream);
            kept.delete(stream);
          }
          const inbound = [...live, ...kept].filter((one) => one.direction === 'inbound').length;
          const outbound = [...live].filter((one) => one.direction === 'outbound').length;
          expect([table.size, table.keptSize]).toEqual([live.size, kept.size]);
          expect([table.inboundHeld, table.outboundSize]).toEqual([inbound, outbound]);
          expect(new Set(table.all())).toEqual(new Set([...live, ...kept]));
          expect(table.hasLive).toBe([...live].some(({ isReleased }) => !isReleased));
        }
      }),
    );
  });

  test('are not removed by one that had the same id before', () => {
    const table = new StreamTable('client');
    const [before, after] = [fake(2), fake(2)];
    table.add(before);
    table.ended(before);
    table.add(after);
    table.ended(before);
    expect(table.get(2)).toBe(after);
    expect(table.size).toBe(1);
    expect(table.keptSize).toBe(1);
  });

  test('are live unless the application has let go of every one', () => {
    const table = new StreamTable('client');
    expect(table.hasLive).toBe(false);
    const [first, second] = [fake(2), fake(4)];
    table.add(first);
    table.add(second);
    first.isReleased = true;
    expect(table.hasLive).toBe(true);
    second.isReleased = true;
    expect(table.hasLive).toBe(false);
    expect(table.size).toBe(2);
  });

  test('have windows for what may still come, and hold what has come, also when they are over', () => {
    const table = new StreamTable('client');
    const [over, live] = [fake(2), fake(4, 'outbound')];
    for (const stream of [over, live]) table.add(stream);
    live.window.size = 1_000_000;
    over.unreadBytes = 5;
    live.unreadBytes = 70;
    expect([table.windowBytes, table.unreadBytes]).toEqual([1_262_144, 75]);
    table.ended(over);
    expect([table.windowBytes, table.unreadBytes]).toEqual([1_000_000, 75]);
    table.released(over);
    expect([table.windowBytes, table.unreadBytes]).toEqual([1_000_000, 70]);
  });

  test('that are alive are all expelled, also those that leave the table by it; those that are kept are not', () => {
    const table = new StreamTable('client');
    const over = fake(8);
    table.add(over);
    table.ended(over);
    const streams = [fake(2), fake(4), fake(6)];
    for (const stream of streams) {
      const expel = stream.expel.bind(stream);
      stream.expel = (error) => {
        expel(error);
        table.ended(stream);
      };
      table.add(stream);
    }
    const error = new Error('why');
    table.expelAll(error);
    expect(streams.map(({ expelledWith }) => expelledWith)).toEqual([[error], [error], [error]]);
    expect(over.expelledWith).toEqual([]);
    expect(table.size).toBe(0);
  });
});
