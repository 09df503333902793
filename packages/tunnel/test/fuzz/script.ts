// What a hostile peer does with a connection, or a stream: a list of acts. Its bytes are HTTP that was mutated, floods, and any bytes.
import type { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';

export type Act =
  | { readonly says: string; readonly times: number }
  | { readonly waits: number }
  | { readonly ends: 'FIN' | 'RST' };

/** Up to so many copies: enough to see that one more costs nothing. */
const FLOOD = 400;

/** A change of a text: at `at` (modulo its length) `removed` characters go, `added` come. */
const mutation = (words: readonly string[]): fc.Arbitrary<{ at: number; removed: number; added: string }> =>
  fc.record({
    at: fc.nat(2_000),
    removed: fc.oneof(fc.constant(0), fc.nat(5), fc.nat(60)),
    added: fc.oneof(
      fc.constant(''),
      fc.constantFrom(...words),
      fc.uint8Array({ maxLength: 4 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    ),
  });

/** `whole` are texts that are right, `words` what is put into them. */
export function acts(whole: readonly string[], words: readonly string[]): fc.Arbitrary<Act[]> {
  const mutated = fc
    .tuple(fc.constantFrom(...whole), fc.array(mutation(words), { maxLength: 3 }))
    .map(([text, mutations]) =>
      mutations.reduce((all, { at, removed, added }) => {
        const from = at % (all.length + 1);
        return all.slice(0, from) + added + all.slice(from + removed);
      }, text),
    );
  const once = fc.record({ says: mutated, times: fc.constant(1) });
  const flood = fc.record({
    says: fc.oneof(fc.constantFrom(...words), mutated),
    times: fc.integer({ min: 2, max: FLOOD }),
  });
  const any = fc.record({
    says: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    times: fc.constant(1),
  });
  const act: fc.Arbitrary<Act> = fc.oneof(
    { weight: 10, arbitrary: once },
    { weight: 2, arbitrary: flood },
    { weight: 2, arbitrary: any },
    { weight: 4, arbitrary: fc.record({ waits: fc.nat(15) }) },
    { weight: 1, arbitrary: fc.record({ ends: fc.constantFrom('FIN' as const, 'RST' as const) }) },
  );
  return fc.array(act, { minLength: 1, maxLength: 8 });
}

/** Plays it; `reset` is how such a connection is reset. Writes no more than the peer takes: the hostile one keeps its own memory small. */
export async function play(connection: Duplex, acts: readonly Act[], reset: () => void): Promise<void> {
  for (const act of acts) {
    if (connection.destroyed || connection.writableEnded) return;
    if ('waits' in act) for (let count = 0; count < act.waits; count += 1) await turn();
    else if ('says' in act) connection.write(Buffer.from(act.says.repeat(act.times), 'latin1'));
    else if (act.ends === 'FIN') connection.end();
    else {
      reset(); // of a socket that still connects it takes effect later; to end it meanwhile would leak its descriptor
      return;
    }
  }
}

/** As a person reads it. */
export function describeActs(acts: readonly Act[]): string {
  return acts
    .map((act) => {
      if ('waits' in act) return `waits ${act.waits} turns`;
      if ('ends' in act) return act.ends;
      return `${act.times === 1 ? '' : `${act.times} × `}${JSON.stringify(act.says)}`;
    })
    .join(', ');
}
