// Programs in the style of those that use yamux-js, on yamux-js and on this package. A program gets what it would import, and returns what
// it has seen.

import { childOverStdio } from './programs/child-over-stdio.ts';
import { frpClient, VISITOR } from './programs/frp-client.ts';
import { gatewayAndAgents } from './programs/gateway-and-agents.ts';
import { lineThenSession } from './programs/line-then-session.ts';
import { sshTunnel } from './programs/ssh-tunnel.ts';
import { alike, differ } from './support/implementations.ts';

const asked = {
  address: 'abc.tunnel.example',
  answer: '{"Status":200,"Body":"you asked for /hello"}',
  isClosed: true,
};

differ(
  'a session on a socket behind a line of text answers a request, and ours says that the answer is whole',
  lineThenSession,
  {
    theirs: { ...asked, hasEnded: false },
    ours: { ...asked, hasEnded: true },
  },
);

alike('a client of FRP logs in, and pipes what a visitor says to its service and back', frpClient, {
  runId: 'r1',
  echoed: VISITOR,
  errors: [],
});

differ('a gateway asks agents on WebSockets, and with ours hears the end of an answer', gatewayAndAgents, {
  theirs: { answers: [100_000, 100_000], hasEnded: false },
  ours: { answers: [100_000, 100_000], hasEnded: true },
});

differ(
  'a child on stdio greets, and what it then sends is lost by yamux-js, which a pipe hands it in parts',
  childOverStdio,
  {
    theirs: { greeting: 'OK', isWhole: false },
    ours: { greeting: 'OK', isWhole: true },
  },
);

alike('an SSH tunnel over a WebSocket carries the answers of what is behind it', sshTunnel([100, 20_000, 500_000]), {
  bodies: [100, 20_000, 500_000],
  warnings: [],
});
