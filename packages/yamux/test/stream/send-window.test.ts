import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SendWindow } from '../../src/stream/send-window.ts';

test('starts at exactly 262144 bytes', () => {
  expect(new SendWindow().available).toBe(262_144);
});

test('holds what was granted less what was spent, for any sequence', () => {
  const step = fc.record({ grants: fc.boolean(), bytes: fc.nat(0xffff_ffff) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const window = new SendWindow();
      let expected = 262_144;
      for (const { grants, bytes } of steps) {
        if (grants) {
          const fits = expected + bytes <= 4_294_967_295;
          expect(window.grant(bytes)).toBe(fits);
          if (fits) expected += bytes;
        } else {
          const spent = bytes % (expected + 1);
          window.spend(spent);
          expected -= spent;
        }
        expect(window.available).toBe(expected);
      }
    }),
  );
});

test('can be granted up to 2^32-1 and not a byte more; a refused grant changes nothing', () => {
  const window = new SendWindow();
  expect(window.grant(0xffff_ffff - 262_144)).toBe(true);
  expect(window.available).toBe(4_294_967_295);
  expect(window.grant(1)).toBe(false);
  expect(window.available).toBe(4_294_967_295);
  window.spend(1);
  expect(window.grant(1)).toBe(true);
});
