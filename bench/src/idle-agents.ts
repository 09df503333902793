// Many agents in one process, each with its own session and route: node idle-agents.js GATEWAY COUNT.
import { Targets, TunnelAgent } from '@zishuo/tunnel';
import { tokenFor } from './tunnel/subjects/ours.ts';

const [gateway = '', count] = process.argv.slice(2);
const targets = Targets.parse(['http://127.0.0.1:9']);
for (let number = 0; number < Number(count); number += 1) {
  const name = `agent-${number}`;
  const token = await tokenFor(name, `${name}.example`);
  new TunnelAgent({ gateways: [gateway], token, targets, log: () => {} });
}
