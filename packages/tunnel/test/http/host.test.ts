import { expect, it } from 'vitest';
import { hostName, isHost } from '../../src/http/host.ts';

it.each([
  ['app.example', 'app.example'],
  ['App.Example:8080', 'app.example'],
  ['app.example.', 'app.example'],
  ['127.0.0.1:80', '127.0.0.1'],
  ['[::1]:80', '[::1]'],
  ['[::1]', '[::1]'],
  ['', ''],
  [undefined, ''],
])('the host header %j routes as %j', (header, name) => {
  expect(hostName(header)).toBe(name);
});

it('a host longer than any name with its port is none: each dot of it would be a look for a wildcard', () => {
  const longest = `${'a.'.repeat(126)}a.:65535`;
  expect([isHost(longest), isHost(`a${longest}`), isHost(`${'a.'.repeat(8_000)}a`)]).toEqual([true, false, false]);
});
