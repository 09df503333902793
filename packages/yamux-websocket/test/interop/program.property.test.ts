import { afterEach, describe, inject, test } from 'vitest';
import type { Role } from '../../../yamux/test/interop/go-peer.ts';
import { holdForPrograms, PROGRAMS_TIMEOUT as timeout } from '../../../yamux/test/interop/program-property.ts';
import { closeServers } from '../support/http-server.ts';
import { acceptGo, dialGo } from './connection.ts';

afterEach(closeServers);

describe.skipIf(inject('goPeer') === null).each<Role>(['client', 'server'])(
  'any program of our %s and hashicorp/yamux over a WebSocket ends in an allowed way',
  (role) => {
    test('where a Go agent dials our gateway', { timeout }, () =>
      holdForPrograms(role, acceptGo, { inFull: 150, few: 10 }),
    );
    test('where we dial a Go gateway', { timeout }, () => holdForPrograms(role, dialGo, { inFull: 150, few: 10 }));
  },
);
