// What a client of node:http, and one that speaks HTTP by hand, hear.

import { once } from 'node:events';
import http from 'node:http';
import type net from 'node:net';
import { text } from 'node:stream/consumers';

/** Status and body of a request's answer. */
export async function ask(
  options: http.RequestOptions,
  body?: string | Buffer,
): Promise<{ status: number | undefined; body: string }> {
  const request = http.request({ method: body === undefined ? 'GET' : 'POST', ...options });
  request.end(body);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  return { status: response.statusCode, body: await text(response) };
}

/** All that comes until the connection is closed, and the code of its error if it had one. */
export async function hears(socket: net.Socket): Promise<{ text: string; error: string | undefined }> {
  let heard = '';
  let error: string | undefined;
  socket.on('data', (chunk: Buffer) => {
    heard += chunk.toString('latin1');
  });
  socket.on('error', (reason: NodeJS.ErrnoException) => {
    error ??= reason.code;
  });
  if (!socket.closed) await once(socket, 'close').catch(() => {});
  return { text: heard, error };
}
