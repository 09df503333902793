// What our own tests of the pool use, for the tests of those who use it: `@zishuo/yamux-balancer/testing`.
export { type FakeOpen, FakeSession, FakeStream, PingableSession, queueDrained } from './testing/fake-session.ts';
export { ManualClock } from './testing/manual-clock.ts';
export { seededRandom } from './testing/seeded-random.ts';
