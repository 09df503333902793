// The response of node:http to a request that it cannot parse, sent so that it arrives. node:http destroys the socket after it, and some peers
// (hashicorp/yamux) drop unread data when the RST comes.

import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** The state that node:http keeps on a connection. */
interface Connection extends Duplex {
  readonly _httpMessage?: (ServerResponse & { readonly _headerSent?: boolean }) | null;
  /** For TLS: the handshake is not complete. */
  readonly secureConnecting?: boolean;
  destroySoon?(): void;
}

const STATUS_OF: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** Handles a 'clientError' without other listeners as node:http does, except for the end of the connection. */
export function answerClientError(error: NodeJS.ErrnoException, connection: Connection): void {
  // The response is being sent. The client's remaining data is read and dropped.
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
