// The table of the Go text is complete, and its names and tests exist.

import { readFileSync } from 'node:fs';
import * as balancer from '@zishuo/yamux-balancer';
import { expect, test } from 'vitest';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

const page = read('docs/reference/seed-parity.md');
const [, names = '', rules = '', peers = ''] = page.split(/^## /m);

/** The cells of each row, without the header. */
function rows(section: string): string[][] {
  const lines = section.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const words = (text: string): string[] =>
  Array.from(text.matchAll(/`([^`]+)`/g), ([, code]) => code as string).flatMap((code) => code.match(/\w+/g) ?? []);

/** Every name in the Go text. */
const SEED = `New Config Strategy HealthFailureThreshold HealthProbeInterval FailureClassifier CloseFailedSessions Hooks
  Pool Add SessionOptions ID Label Weight MaxActiveStreams SessionRef Key Drain Resume Remove Update Open OpenStream Stream
  RoutingContext AffinityKey SourceIP SessionKey SessionID RequiredMetadata DrainSession UpdateSession Stats
  RoundRobin Random Weighted LeastConn Affinity WithAffinityTTL WithAffinityFallback WithAffinityMaxBindings
  NewStrategy MustStrategy StrategyName StrategyRoundRobin StrategyRandom StrategyWeighted StrategyLeastConn StrategyAffinity
  WithStrategyAffinityTTL WithStrategyFallback ErrNoMatchingSession ErrInvalidStrategy
  FailureContext FailureDecision FailureDecisionCount FailureDecisionIgnore FailureOperationStreamWrite Operation Err
  DefaultAffinityTTL DefaultAffinityMaxBindings OnHealthChange HealthEvent Snapshot Healthy Reason OnHookPanic
  SessionsAvailable SessionsHealthy SessionsDraining ActiveStreams Draining DrainReason DrainStartedAt
  WithSessionLabel WithSessionWeight ReplaceSessionMetadata MergeSessionMetadata DeleteSessionMetadataKeys
  Server FramedConn CloseChan EOF ErrClosed ErrDeadlineExceeded`.split(/\s+/);

test('every name of the Go text is in the first column', () => {
  const first = new Set(rows(names).flatMap(([cell = '']) => words(cell)));
  expect(SEED.filter((name) => !first.has(name))).toEqual([]);
});

test('every export of the package is on the page, and every name on the page is in the sources', () => {
  const ours = new Set([
    ...rows(names).flatMap(([, cell = '']) => words(cell)),
    ...words(names.split('\n').slice(-3).join(' ')),
  ]);
  expect(Object.keys(balancer).filter((name) => !ours.has(name))).toEqual([]);
  const index = read('packages/balancer/src/index.ts');
  const files = Array.from(index.matchAll(/from '\.\/([^']+)'/g), ([, file]) => read(`packages/balancer/src/${file}`));
  const websocket = read('packages/yamux-websocket/src/index.ts');
  const sources = [index, ...files, websocket].join('\n');
  const elsewhere =
    /^(new|Duplex|close|count|ignore|default|stream|read|write|open|zishuo|yamux|websocket|changes|ERR_\w+|ETIMEDOUT)$/;
  const missing = [...ours].filter((name) => !elsewhere.test(name) && !new RegExp(`\\b${name}\\b`).test(sources));
  expect(missing).toEqual([]);
});

const claims = [
  ...rows(names).map(([, , claim]) => claim),
  ...[...rows(rules), ...rows(peers)].map(([, claim]) => claim),
];

test.each(claims as string[])('%s', (claim) => {
  const [file = '', title = ''] = claim.split(' › ');
  const path = file.startsWith('packages/') ? file : `packages/balancer/test/${file}`;
  const tests = read(path);
  expect(
    [`'${title}'`, `"${title}"`, `\`${title}\``].some((quoted) => tests.includes(quoted)),
    `a test of that title in ${path}`,
  ).toBe(true);
});
