import { describe, inject, test } from 'vitest';
import { connectOverTcp, connectOverTls } from './connection.ts';
import type { Role } from './go-peer.ts';
import { holdForPrograms, PROGRAMS_TIMEOUT as timeout } from './program-property.ts';

describe.skipIf(inject('goPeer') === null).each<Role>(['client', 'server'])(
  'any program of our %s and hashicorp/yamux comes to an end that it may have',
  (role) => {
    test('over TCP', { timeout }, () => holdForPrograms(role, connectOverTcp, { inFull: 500, few: 25 }));
    test('over TLS', { timeout }, () => holdForPrograms(role, connectOverTls, { inFull: 100, few: 5 }));
  },
);
