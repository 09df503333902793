// The node that has the agent: node fleet-owner.js AGENT_PORT. Prints its record.
import { SessionPool } from '@zishuo/yamux-balancer';
import { Fleet } from '@zishuo/yamux-fleet';
import { say } from './fleet/case.ts';
import { FixedDirectory, joinAgent, SECRET, THERE } from './fleet/hop.ts';

const pool = new SessionPool();
const fleet = new Fleet({
  name: 'owner',
  pool,
  directory: new FixedDirectory(),
  peers: { listen: { port: 0 }, secret: SECRET },
});
await joinAgent(pool, Number(process.argv[2]), THERE);
await fleet.start();
say({ node: JSON.stringify(fleet.nodes()[0]) });
