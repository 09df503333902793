// Clients that return what they received: one with node:http, and one with raw HTTP.

import { once } from 'node:events';
import http from 'node:http';
import type net from 'node:net';
import { text } from 'node:stream/consumers';

/** The status and the body of the response. */
export async function ask(
  options: http.RequestOptions,
  body?: string | Buffer,
): Promise<{ status: number | undefined; body: string }> {
  const request = http.request({ method: body === undefined ? 'GET' : 'POST', ...options });
  request.end(body);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  return { status: response.statusCode, body: await text(response) };
}

/** All text received until the connection closes, and the code of its error if there was one. */
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
