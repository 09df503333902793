// A custom strategy: streams stay in the zone of this gateway while a session there takes them, and otherwise go to the least loaded session.
import { duplexPair } from 'node:stream';
import { client, server } from '@zishuo/yamux';
import { type Candidate, SessionPool, type Strategy } from '@zishuo/yamux-balancer';

/** Sees only sessions that may be picked: the pool handles drains, limits, health and filters. */
function nearest(zone: string): Strategy {
  const rank = ({ metadata, load }: Candidate): number => (metadata.zone === zone ? 0 : 1_000_000) + load;
  return {
    name: 'nearest',
    pick(candidates) {
      let best = 0;
      for (let index = 1; index < candidates.length; index += 1) {
        if (rank(candidates.at(index) as Candidate) < rank(candidates.at(best) as Candidate)) best = index;
      }
      return best;
    },
  };
}

const pool = new SessionPool({ strategy: nearest('eu') });
const agents = [
  { key: 'eu-1', zone: 'eu', maxActiveStreams: 2 },
  { key: 'eu-2', zone: 'eu', maxActiveStreams: 1 },
  { key: 'us-1', zone: 'us', maxActiveStreams: 8 },
].map(({ key, zone, maxActiveStreams }) => {
  // Both ends are in this process, without a network.
  const [ours, theirs] = duplexPair();
  const agent = server(theirs);
  agent.on('stream', (stream) => stream.resume().on('end', () => stream.end()));
  const session = client(ours);
  pool.add(session, { key, maxActiveStreams, metadata: { zone } });
  return session;
});

const opened = [];
for (let count = 1; count <= 5; count += 1) {
  const { stream, session } = await pool.openStream();
  console.log(`stream ${count} goes to ${session.key}`);
  opened.push(stream);
}

for (const { key, detail } of pool.explain({})) console.log(`${key}: ${detail}`);

for (const stream of opened) stream.resume().end();
await Promise.all(agents.map((session) => session.close()));
