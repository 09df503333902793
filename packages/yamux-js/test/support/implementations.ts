// yamux-js itself and what is to stand in its place, behind the same names; and tests that run one program on each.

import { expect, test } from 'vitest';
import * as theirs from 'yamux-js';
import * as theirConstants from 'yamux-js/lib/constants.js';
import * as theirMux from 'yamux-js/lib/mux.js';
import { Session as TheirSession } from 'yamux-js/lib/session.js';
import * as ours from '../../src/index.ts';

/** What a program imports of either. */
export type YamuxJs = Pick<typeof ours, 'Client' | 'Server' | 'Session' | 'defaultConfig'>;

const implementations: { readonly theirs: YamuxJs; readonly ours: YamuxJs } = {
  theirs: {
    Client: theirs.Client,
    Server: theirs.Server,
    Session: TheirSession,
    defaultConfig: theirMux.defaultConfig,
  } as unknown as YamuxJs,
  ours,
};

export const theirModule: Readonly<Record<string, unknown>> = {
  ...theirs,
  ...theirMux,
  ...theirConstants,
  Session: TheirSession,
};

/** Without timers that yamux-js never stops, and without its lines on the console. */
export const QUIET = { enableKeepAlive: false, logger: (): void => {} };

/** `program` sees the same on both. */
export function alike<Seen>(title: string, program: (yamux: YamuxJs) => Promise<Seen>, expected: NoInfer<Seen>): void {
  differ(title, program, { theirs: expected, ours: expected });
}

/** What `program` sees on each. */
export function differ<Seen>(
  title: string,
  program: (yamux: YamuxJs) => Promise<Seen>,
  expected: { readonly theirs: NoInfer<Seen>; readonly ours: NoInfer<Seen> },
): void {
  test(`${title}: yamux-js 0.2.0`, async () => {
    expect(await program(implementations.theirs)).toEqual(expected.theirs);
  });
  test(`${title}: ours`, async () => {
    expect(await program(implementations.ours)).toEqual(expected.ours);
  });
}
