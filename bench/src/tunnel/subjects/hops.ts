// Reverse proxies in a row, as usually written in Node: http-proxy-3 with keep-alive to the next hop.
import { versionOf } from '../../implementations/version.ts';
import { certificateIn } from '../certificate.ts';
import { type Child, freePort } from '../children.ts';
import type { Subject } from '../subject.ts';

const ONE = { name: 'http-proxy-3', count: 1, isTls: false };
const TWO = { name: 'two http-proxy-3', count: 2, isTls: false };
const TWO_TLS = { name: 'two http-proxy-3, TLS', count: 2, isTls: true };

function hops({ name, count, isTls }: typeof ONE): Subject {
  const ways = isTls ? 'TLS before each of them' : 'no TLS';
  return {
    name,
    version: versionOf('http-proxy-3'),
    note: `a process each, http.Agent with keepAlive, ${ways}`,
    async start(children, originPort) {
      const scheme = isTls ? 'https' : 'http';
      const certificate = isTls ? await certificateIn(children) : undefined;
      let url = `http://127.0.0.1:${originPort}`;
      const started: Child[] = [];
      for (let hop = count; hop > 0; hop -= 1) {
        const port = await freePort();
        const files = certificate === undefined ? [] : [certificate.cert, certificate.key];
        started.push(children.startOwn('proxy-hop', [String(port), url, ...files]));
        await children.listening(port);
        url = `${scheme}://127.0.0.1:${port}`;
      }
      const near = started.at(-1) as Child;
      return count === 1 ? { url, near } : { url, near, far: started[0] as Child };
    },
  };
}

export const oneHop: Subject = hops(ONE);
export const twoHops: Subject = hops(TWO);
export const twoTlsHops: Subject = hops(TWO_TLS);
