import { describe, expect, it } from 'vitest';
import { Targets } from '../../src/agent/targets.ts';

describe('the allow-list of an agent', () => {
  it('finds the target of a host', () => {
    const targets = Targets.parse(['App.Example=http://127.0.0.1:3000', 'b.example=http://[::1]']);
    expect(targets.find('app.example', '/')).toMatchObject({ host: '127.0.0.1', port: 3000 });
    expect(targets.find('b.example', '/')).toMatchObject({ host: '::1', port: 80, tls: undefined });
  });

  it('has nothing for a host that is not listed', () => {
    expect(Targets.parse(['app.example=http://127.0.0.1:3000']).find('b.example', '/')).toBeUndefined();
  });

  it('serves every other host by a target without one', () => {
    const targets = Targets.parse(['http://127.0.0.1:3000', 'app.example=http://127.0.0.1:4000']);
    expect(targets.find('b.example', '/')?.port).toBe(3000);
    expect(targets.find('app.example', '/')?.port).toBe(4000);
  });

  it.each([
    ['ftp://127.0.0.1:3000'],
    ['unix:relative.sock'],
    ['http://127.0.0.1:3000,nonsense'],
    ['http://127.0.0.1:3000,strip-prefix=yes'],
    ['https://127.0.0.1:3000,ca=/there/is/no/such/file'],
    ['127.0.0.1:3000'],
    ['http://127.0.0.1:3000/path'],
    ['app.example='],
    ['=http://127.0.0.1:3000'],
  ])('refuses %j', (text) => {
    expect(() => Targets.parse([text])).toThrow(TypeError);
  });

  it('takes https: and unix: targets', () => {
    const targets = Targets.parse(['a.example=https://localhost', 'b.example=unix:/run/app.sock,rewrite-host'], {
      insecure: true,
    });
    expect(targets.find('a.example', '/')).toMatchObject({ host: 'localhost', port: 443, tls: { isInsecure: true } });
    expect(targets.find('b.example', '/')).toMatchObject({ socketPath: '/run/app.sock', rewriteHost: 'localhost' });
  });

  it('takes options for every target, and others for one', () => {
    const texts = [
      'app.example/api=http://127.0.0.1:3000,rewrite-host=dev.local',
      'app.example/x=http://127.0.0.1:4000',
    ];
    const targets = Targets.parse(texts, { rewriteHost: 'target', stripPrefix: true });
    expect(targets.find('app.example', '/api')).toMatchObject({ rewriteHost: 'dev.local', strippedPrefix: '/api' });
    expect(targets.find('app.example', '/x/y')).toMatchObject({ rewriteHost: '127.0.0.1:4000', strippedPrefix: '/x' });
  });

  it('finds the target of every host below one, after that of the host itself, the nearest first', () => {
    const texts = [
      '*.example=http://127.0.0.1:1',
      '*.app.example=http://127.0.0.1:2',
      'x.app.example=http://127.0.0.1:3',
    ];
    const targets = Targets.parse(texts);
    const ports = ['a.example', 'b.a.example', 'y.app.example', 'x.app.example', 'example'].map(
      (host) => targets.find(host, '/')?.port,
    );
    expect(ports).toEqual([1, 1, 2, 3, undefined]);
  });

  it('refuses two targets for one host, and none at all', () => {
    expect(() => Targets.parse(['http://127.0.0.1:1', 'http://127.0.0.1:2'])).toThrow(TypeError);
    expect(() => Targets.parse([])).toThrow(TypeError);
  });
});
