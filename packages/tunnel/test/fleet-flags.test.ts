import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fleetFlags } from '../src/fleet-flags.ts';

const SECRET = 'what the gateways of this test share with each other';
const given = { fleet: 'redis://127.0.0.1:6379', 'peer-address': '10.0.0.1:7000', 'peer-secret': SECRET };

function pem(): string {
  const folder = mkdtempSync(join(tmpdir(), 'fleet-flags-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'a.pem');
  writeFileSync(file, 'in PEM');
  return file;
}

describe('the flags of a fleet', () => {
  it('name the engine, the peer port, and what is shared', () => {
    expect(fleetFlags(given, {}, undefined)).toEqual({
      url: 'redis://127.0.0.1:6379',
      prefix: undefined,
      options: {
        name: '10.0.0.1:7000',
        address: '10.0.0.1:7000',
        peers: { listen: { host: '10.0.0.1', port: 7000 }, secret: SECRET },
      },
    });
  });

  it('may stand in the environment, and those of the command line go before', () => {
    const env = {
      TUNNEL_FLEET: 'rediss://engine.example',
      TUNNEL_PEER_ADDRESS: '[fd00::1]:7000',
      TUNNEL_PEER_LISTEN: '[::]:7001',
      TUNNEL_PEER_SECRET: SECRET,
      TUNNEL_PEER_NAME: 'one',
      TUNNEL_FLEET_PREFIX: 'x:',
    };
    expect(fleetFlags({ 'peer-name': 'two' }, env, undefined)).toMatchObject({
      url: 'rediss://engine.example',
      prefix: 'x:',
      options: { name: 'two', address: '[fd00::1]:7000', peers: { listen: { host: '::', port: 7001 } } },
    });
  });

  it('give certificates for the host of the address', () => {
    const file = pem();
    const flags = { ...given, 'peer-secret': undefined, 'peer-cert': file, 'peer-key': file, 'peer-ca': file };
    expect(fleetFlags(flags, {}, undefined)?.options).toMatchObject({
      name: '10.0.0.1',
      peers: { tls: { cert: 'in PEM', key: 'in PEM', ca: 'in PEM' } },
    });
  });

  it('give each worker a name and a port of its own', () => {
    expect(fleetFlags(given, {}, 3)?.options).toMatchObject({
      name: '10.0.0.1:7000-3',
      address: '10.0.0.1:7002',
      peers: { listen: { port: 7002 } },
    });
  });

  it.each([
    [{ fleet: 'http://x' }, 'expected --fleet to be a redis: or rediss: URL'],
    [{ 'peer-address': undefined }, 'expected --peer-address host:port with --fleet'],
    [{ 'peer-address': 'nowhere' }, 'expected --peer-address to be host:port, got "nowhere"'],
    [{ 'peer-address': 'x:0' }, 'expected --peer-address to be host:port'],
    [{ 'peer-listen': 'x:70000' }, 'expected --peer-listen to be host:port'],
    [{ 'peer-secret': undefined }, 'a peer port without either is open to everybody'],
    [{ 'peer-secret': 'short' }, 'expected --peer-secret to have at least 32 characters, got 5'],
    [{ 'peer-cert': '/nowhere' }, 'expected --peer-cert to be a file in PEM'],
    [{ fleet: undefined }, 'expected --fleet with --peer-address'],
  ])('are refused where they do not fit together: %o', (wrong, message) => {
    expect(() => fleetFlags({ ...given, ...wrong }, {}, undefined)).toThrow(message);
  });

  it('are refused with a certificate that has no key', () => {
    expect(() => fleetFlags({ ...given, 'peer-cert': pem() }, {}, undefined)).toThrow('expected --peer-key beside');
  });

  it('say nothing of the password of an engine', () => {
    expect(() => fleetFlags({ ...given, fleet: 'http://:hush@x' }, {}, undefined)).not.toThrow('hush');
  });

  it('are none where there is none', () => {
    expect(fleetFlags({}, { TUNNEL_PEER_SECRET: SECRET }, undefined)).toBeUndefined();
  });
});
