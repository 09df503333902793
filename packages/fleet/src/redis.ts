// `@zishuo/yamux-fleet/redis`: a directory on Redis, Valkey, or another engine with their protocol.
export { type RedisClientLike, type RedisDirectoryOptions, redisDirectory } from './redis/redis-directory.ts';
