// The gateway's own error response: JSON, with a code for the reason. Never the message of an internal error, which may contain internal names.
import type { ServerResponse } from 'node:http';

export interface ErrorAnswer {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** Seconds. */
  readonly retryAfter?: number | undefined;
}

/** Does nothing if the client is gone. The head must not have been sent. */
export function answerError(response: ServerResponse, answer: ErrorAnswer, addedHeaders: readonly string[] = []): void {
  if (response.destroyed) return;
  const body = Buffer.from(`${JSON.stringify({ error: { code: answer.code, message: answer.message } })}\n`);
  const headers = ['Content-Type', 'application/json', 'Content-Length', String(body.length), ...addedHeaders];
  if (answer.retryAfter !== undefined) headers.push('Retry-After', String(answer.retryAfter));
  response.writeHead(answer.status, headers);
  response.end(body);
}
