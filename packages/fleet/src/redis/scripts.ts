// The steps that the engine runs atomically, with its own clock. directory-state.ts implements the same in TypeScript. The contract tests run against both.
import { createHash } from 'node:crypto';

export interface Script {
  readonly text: string;
  /** The hash by which an engine knows a script that it has run. */
  readonly sha: string;
}

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`;

/**
 * Keys: leases, records, seqs. Arguments: the node's id, its lease in ms, its record, and the ms for which an expired lease is kept.
 * Returns the node's seq, if it was known, and the record of every node with a valid lease.
 */
export const BEAT: Script = script(`${NOW}
local leases, records, seqs = KEYS[1], KEYS[2], KEYS[3]
local id, lease, record, kept = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
for _, dead in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', now - kept)) do
  redis.call('ZREM', leases, dead)
  redis.call('HDEL', records, dead)
  redis.call('HDEL', seqs, dead)
end
local seq = redis.call('HGET', seqs, id)
if not seq then redis.call('HSET', seqs, id, 0) end
redis.call('ZADD', leases, now + lease, id)
redis.call('HSET', records, id, record)
local alive = redis.call('ZRANGEBYSCORE', leases, '(' .. now, '+inf')
return { seq, redis.call('HMGET', records, unpack(alive)) }`);

/**
 * Keys: leases, seqs, then names. Arguments: the node's id, the ms for which a name is kept that no node publishes again, then for each name its seq
 * and its placement, '' to withdraw it. The next write of a name removes the placements of nodes that are gone.
 */
export const PUBLISH: Script = script(`${NOW}
local leases, seqs, id, kept = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
local expires = redis.call('ZSCORE', leases, id)
if not expires or tonumber(expires) <= now then return end
local taken = tonumber(redis.call('HGET', seqs, id))
for index = 3, #KEYS do
  local name, seq, placement = KEYS[index], tonumber(ARGV[2 * index - 3]), ARGV[2 * index - 2]
  if seq > taken then
    taken = seq
    for _, node in ipairs(redis.call('HKEYS', name)) do
      if not redis.call('ZSCORE', leases, node) then redis.call('HDEL', name, node) end
    end
    if placement == '' then
      redis.call('HDEL', name, id)
    else
      redis.call('HSET', name, id, placement)
      redis.call('PEXPIRE', name, kept)
    end
  end
end
redis.call('HSET', seqs, id, string.format('%.0f', taken))`);

/** Keys: leases, records, seqs. Argument: the node's id. */
export const LEAVE: Script = script(`
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('HDEL', KEYS[3], ARGV[1])`);

function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}
