// One request of the demo's load, sent through the gateway. The receiving side checks the body by hash.
import { type Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { bodyDigest, bodyStream, type Digest, digestOf } from './body.ts';

export interface Job {
  readonly kind: 'download' | 'upload' | 'echo';
  readonly size: number;
  readonly seed: number;
  /** Milliseconds for which the client reads nothing after the head. Default 0. */
  readonly stall?: number | undefined;
}

export interface JobResult {
  readonly job: Job;
  /** ok: complete, with the correct hash. error: the client saw an error. wrong: it looked complete and was not, which must never happen. */
  readonly outcome: 'ok' | 'error' | 'wrong';
  readonly detail: string;
  /** The agent that served it, according to the gateway; undefined without a response. */
  readonly agent: string | undefined;
  /** Milliseconds on the clock of performance.now(). */
  readonly startedAt: number;
  readonly endedAt: number;
}

export interface Destination {
  readonly url: string;
  /** For the Host header. */
  readonly host: string;
  readonly connections: Agent;
}

export async function runJob(job: Job, destination: Destination): Promise<JobResult> {
  const startedAt = performance.now();
  let agent: string | undefined;
  const result = (outcome: JobResult['outcome'], detail: string): JobResult => {
    return { job, outcome, detail, agent, startedAt, endedAt: performance.now() };
  };
  try {
    const response = await send(job, destination);
    agent = response.headers['x-served-by']?.toString();
    if (response.statusCode !== 200) return result('error', `${response.statusCode} ${await text(response)}`);
    if (job.stall !== undefined) await sleep(job.stall);
    const seen = job.kind === 'upload' ? (JSON.parse(await text(response)) as Digest) : await digestOf(response);
    const expected = expectedDigest(job);
    if (seen.bytes === expected.bytes && seen.sha256 === expected.sha256) return result('ok', '');
    return result(
      'wrong',
      `expected ${expected.bytes} bytes ${expected.sha256}, got ${seen.bytes} bytes ${seen.sha256}`,
    );
  } catch (error) {
    return result('error', String(error));
  }
}

function send(job: Job, { url, host, connections }: Destination): Promise<IncomingMessage> {
  const paths = { download: `/bytes?size=${job.size}&seed=${job.seed}`, upload: '/digest', echo: '/echo' };
  // Half of the downloads have a Content-Length and half are chunked; likewise the uploads.
  const sized = job.seed % 2 === 0;
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${url}${paths[job.kind]}${job.kind === 'download' && sized ? '&sized' : ''}`, {
      method: job.kind === 'download' ? 'GET' : 'POST',
      headers: job.kind === 'download' || sized ? { Host: host } : { Host: host, 'Content-Length': job.size },
      agent: connections,
    });
    request.on('response', resolve).on('error', reject);
    if (job.kind === 'download') request.end();
    else pipeline(bodyStream(job.seed, job.size), request, () => {}); // a failure is the 'error' of the request
  });
}

const digests = new Map<string, Digest>();

/** The cached digest, because hashing 64 MiB takes a moment and there are few different bodies. */
function expectedDigest({ seed, size }: Job): Digest {
  const key = `${seed} ${size}`;
  let digest = digests.get(key);
  if (digest === undefined) {
    digest = { bytes: size, sha256: bodyDigest(seed, size) };
    digests.set(key, digest);
  }
  return digest;
}
