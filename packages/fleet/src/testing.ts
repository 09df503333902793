// For tests of those who use a fleet: a directory whose faults the test decides. `@zishuo/yamux-fleet/testing`.
export { TestDirectory, TestEngine } from './testing/test-engine.ts';
