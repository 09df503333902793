// Both ends of the HTTP traffic of a tunnel, for machines without Go: node http-ends.js origin, or load. Like bench/go-http.
import { serveLoad } from './tunnel/ends/load.ts';
import { serveOrigin } from './tunnel/ends/origin.ts';

const [role] = process.argv.slice(2);
if (role === 'origin') serveOrigin();
else if (role === 'load') serveLoad();
else throw new Error(`Expected origin or load, got ${role}`);
