// What node:http answers to a request that it can't take, said so that it arrives: node:http destroys the socket behind it, and some peers
// (hashicorp/yamux) drop what they have not read when the RST of that comes.

import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** What node:http knows of a connection. */
interface Connection extends Duplex {
  readonly _httpMessage?: (ServerResponse & { readonly _headerSent?: boolean }) | null;
  /** Of TLS: the handshake is not over. */
  readonly secureConnecting?: boolean;
  destroySoon?(): void;
}

const STATUS_OF: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** For a 'clientError' to which nobody else listens: does what node:http does without a listener, but for how the connection ends. */
export function answerClientError(error: NodeJS.ErrnoException, connection: Connection): void {
  // The answer is on its way, and the client goes on with what nobody wants.
  if (connection.writableEnded) return;
  const hasBegun = connection._httpMessage?._headerSent;
  if (!connection.writable || connection.secureConnecting || hasBegun || !connection.destroySoon) {
    connection.destroy(error);
    return;
  }
  const status = STATUS_OF[error.code ?? ''] ?? 400;
  connection.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n\r\n`, 'latin1');
  connection.destroySoon();
}
