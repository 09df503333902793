// The reference pages match the comments in the sources, and the documented defaults match the code.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { poolSettings } from '../../packages/balancer/src/options.ts';
import { resolveOptions } from '../../packages/yamux/src/session/options.ts';
import { resolveStreamOptions } from '../../packages/yamux-websocket/src/options.ts';
import { defaultsOf } from '../src/defaults.ts';
import { root } from '../src/pages.ts';
import { referencePages } from '../src/reference.ts';

test.each([...referencePages()])('%s is up to date (else: pnpm docs:reference)', (page, text) => {
  expect(readFileSync(join(root, page), 'utf8')).toBe(text);
});

test('the defaults of a session', () => {
  const { windowBudget, clock, ...numbers } = resolveOptions();
  expect(defaultsOf('packages/yamux', 'SessionOptions')).toEqual({ ...numbers, windowBudget: windowBudget.size });
});

test('the defaults of a byte stream', () => {
  const { maxInboundMessageBytes, carrier, ...numbers } = resolveStreamOptions();
  expect(defaultsOf('packages/yamux-websocket', 'WebSocketStreamOptions')).toEqual(numbers);
  expect(maxInboundMessageBytes).toBe(16 * 1024 * 1024 + 64 * 1024);
});

test('the defaults of a pool', () => {
  const { strategy, health, failureClassifier, attemptTimeout, outliers, hooks, clock, random, ...rest } = poolSettings(
    {},
  );
  expect([attemptTimeout, outliers]).toEqual([undefined, undefined]);
  expect(random).toBe(Math.random);
  expect(defaultsOf('packages/balancer', 'PoolOptions')).toEqual({
    ...rest,
    outliers: false,
    strategy: strategy.name,
    healthFailureThreshold: health.threshold,
    healthProbeInterval: health.probeInterval,
    probeTimeout: health.probeTimeout,
  });
});

test.each([
  ['packages/yamux-websocket', 'BackoffOptions', 'backoff.ts'],
  ['packages/yamux-websocket', 'DialOptions', 'dial.ts'],
  ['packages/yamux-websocket', 'KeepConnectedOptions', 'reconnect.ts'],
  ['packages/yamux-websocket', 'UpgradeOptions', 'upgrade.ts'],
  ['packages/balancer', 'SessionOptions', 'options.ts'],
  ['packages/balancer', 'OpenOptions', 'options.ts'],
  ['packages/balancer', 'OutlierOptions', 'options.ts'],
  ['packages/balancer', 'PeakEwmaOptions', 'choosing/strategies/peak-ewma.ts'],
  ['packages/balancer', 'RendezvousOptions', 'choosing/strategies/rendezvous.ts'],
  ['packages/balancer', 'PoolMetricsOptions', 'prometheus.ts'],
  ['packages/fleet', 'FleetOptions', 'options.ts'],
  ['packages/fleet', 'PeerOptions', 'options.ts'],
  ['packages/fleet', 'FleetOpenOptions', 'options.ts'],
])('the defaults of %s %s, as they stand in %s', (folder, name, file) => {
  const source = readFileSync(join(root, folder, 'src', file), 'utf8').replace(/(?<=\d)_(?=\d)/g, '');
  const defaults = Object.entries(defaultsOf(folder, name));
  expect(defaults.length).toBeGreaterThan(0);
  const wrong = defaults.filter(([option, value]) => {
    const literal = typeof value === 'string' ? `'${value}'` : String(value);
    return !source.includes(`${option} = ${literal}`) && !source.includes(`${option} ?? ${literal}`);
  });
  expect(wrong).toEqual([]);
});
