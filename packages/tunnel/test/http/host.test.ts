import { expect, it } from 'vitest';
import { hostName } from '../../src/http/host.ts';

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
