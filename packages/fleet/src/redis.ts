// A directory on Redis, Valkey, or what else speaks their protocol. `@zishuo/yamux-fleet/redis`.
export { type RedisClientLike, type RedisDirectoryOptions, redisDirectory } from './redis/redis-directory.ts';
