// As an ES module has yamux-js: by names, and as the default export that a CommonJS package has.
import assert from 'node:assert/strict';
import yamux, { Client, Stream } from 'yamux-js';
import { defaultConfig } from 'yamux-js/lib/mux.js';
import { Session } from 'yamux-js/lib/session.js';

assert.equal(yamux.Client, Client);
assert.equal(defaultConfig.acceptBacklog, 256);
const session = new yamux.Client({ enableKeepAlive: false });
assert.ok(session instanceof Session);
assert.ok(session.open() instanceof Stream);
session.destroy();
console.log(`yamux-js as an ES module, Node ${process.version}`);
