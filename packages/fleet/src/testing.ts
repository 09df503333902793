// `@zishuo/yamux-fleet/testing`: a directory with faults, for tests of programs that use a fleet.
export { TestDirectory, TestEngine } from './testing/test-engine.ts';
