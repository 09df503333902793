// As a CommonJS program has yamux-js: by name, and by paths into it with and without an ending.
const assert = require('node:assert/strict');
const { PassThrough, Transform } = require('node:stream');
const { buffer } = require('node:stream/consumers');
const { Client, Server, Stream } = require('yamux-js');
const { Session } = require('yamux-js/lib/session.js');
const { FLAGS, ERRORS } = require('yamux-js/lib/constants');

/** No frame passes it whole. */
function cut() {
  return new Transform({
    transform(chunk, _encoding, callback) {
      for (let at = 0; at < chunk.length; at += 1000) this.push(chunk.subarray(at, at + 1000));
      callback();
    },
  });
}

const server = new Server((stream) => stream.pipe(new PassThrough()).pipe(stream), { enableKeepAlive: false });
const client = new Client({ enableKeepAlive: false });
client.pipe(cut()).pipe(server).pipe(cut()).pipe(client);
const stream = client.open();
assert.equal(stream.ID(), 1);
assert.ok(stream instanceof Stream);
assert.ok(client instanceof Session);
assert.equal(FLAGS.SYN, 1);
assert.equal(ERRORS.errStreamClosed.message, 'stream closed');
const sent = Buffer.alloc(500_000, 'sent');
buffer(stream.end(sent)).then((received) => {
  assert.ok(received.equals(sent));
  client.close();
  console.log(`yamux-js as CommonJS, Node ${process.version}`);
});
