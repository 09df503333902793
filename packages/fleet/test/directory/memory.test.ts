import { ManualClock } from '@zishuo/yamux-balancer/testing';
import { beforeEach } from 'vitest';
import type { SessionDirectory } from '../../src/directory/directory.ts';
import { TestEngine } from '../../src/testing/test-engine.ts';
import { type DirectoryWorld, directoryContract } from './contract.ts';

let clock: ManualClock;
let engine: TestEngine;

beforeEach(() => {
  clock = new ManualClock();
  engine = new TestEngine(clock);
});

directoryContract(
  (): DirectoryWorld => ({
    connect: async (): Promise<SessionDirectory> => engine.connect(),
    outlive: async (ms) => clock.advance(ms),
    clear: async () => engine.clear(),
  }),
);
