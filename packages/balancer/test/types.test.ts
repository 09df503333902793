import type { Duplex } from 'node:stream';
import type { YamuxSession, YamuxStream } from '@zishuo/yamux';
import { expectTypeOf, test } from 'vitest';
import type { OpenedStream, PoolableSession, SessionPool, SessionRef } from '../src/index.ts';
import type { FakeSession } from '../src/testing.ts';

test('a pool has the types of the sessions that came in, and of their streams', () => {
  expectTypeOf<SessionPool<YamuxSession>['open']>().returns.resolves.toEqualTypeOf<YamuxStream>();
  expectTypeOf<SessionPool<YamuxSession>['openStream']>().returns.resolves.toEqualTypeOf<
    OpenedStream<YamuxSession, YamuxStream>
  >();
  expectTypeOf<SessionPool<YamuxSession>['add']>().parameter(0).toEqualTypeOf<YamuxSession>();
  expectTypeOf<SessionRef<YamuxSession>['session']>().toEqualTypeOf<YamuxSession>();
  expectTypeOf<SessionPool<FakeSession>['open']>().returns.resolves.toEqualTypeOf<Duplex>();
});

test('a pool of unknown sessions takes any, and gives Duplexes', () => {
  expectTypeOf<SessionPool['open']>().returns.resolves.toEqualTypeOf<Duplex>();
  expectTypeOf<SessionPool['add']>().parameter(0).toEqualTypeOf<PoolableSession>();
  expectTypeOf<SessionPool<YamuxSession>>().toExtend<SessionPool>();
});
