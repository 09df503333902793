import { describe, expect, it } from 'vitest';
import { Targets } from '../../src/agent/targets.ts';

describe('the allow-list of an agent', () => {
  it('finds the target of a host', () => {
    const targets = Targets.parse(['App.Example=http://127.0.0.1:3000', 'b.example=http://[::1]']);
    expect(targets.find('app.example', '/')).toEqual({ host: '127.0.0.1', port: 3000 });
    expect(targets.find('b.example', '/')).toEqual({ host: '::1', port: 80 });
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
    ['https://127.0.0.1:3000'],
    ['127.0.0.1:3000'],
    ['http://127.0.0.1:3000/path'],
    ['app.example='],
    ['=http://127.0.0.1:3000'],
  ])('refuses %j', (text) => {
    expect(() => Targets.parse([text])).toThrow(TypeError);
  });

  it('refuses two targets for one host, and none at all', () => {
    expect(() => Targets.parse(['http://127.0.0.1:1', 'http://127.0.0.1:2'])).toThrow(TypeError);
    expect(() => Targets.parse([])).toThrow(TypeError);
  });
});
