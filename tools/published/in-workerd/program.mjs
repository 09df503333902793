// Runs the worker that was bundled from worker.mjs in workerd. A frame that is logged there, though nobody asked for that, is a failure too.
import assert from 'node:assert/strict';
import { Miniflare } from 'miniflare';

let printed = '';
const worker = new Miniflare({
  modules: true,
  scriptPath: process.argv[2],
  compatibilityDate: '2026-01-01',
  compatibilityFlags: ['nodejs_compat'],
  handleRuntimeStdio(stdout, stderr) {
    for (const output of [stdout, stderr]) {
      output.on('data', (data) => {
        printed += data;
      });
    }
  },
});
try {
  const response = await worker.dispatchFetch('http://worker/');
  assert.equal(await response.text(), '');
  assert.equal(printed, '');
} finally {
  await worker.dispose();
}
console.log('round trips: in workerd');
