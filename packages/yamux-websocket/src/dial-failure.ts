// The message of a failed dial, in one line: what happened, the probable cause, and what to change. Pure.
import { STATUS_CODES } from 'node:http';

interface Cause {
  readonly message?: unknown;
  readonly code?: unknown;
  /** Set on a parse error of node:http: the bytes that are not HTTP. */
  readonly rawPacket?: unknown;
}

/** The message for an error of the connection or of the handshake. */
export function describeFailure(url: URL, cause: Error): string {
  const { message, code } = cause as Cause;
  const tls = TLS_REASON.exec(String(message));
  // When all addresses of a host failed, Node gives an AggregateError without a message.
  const what = tls === null ? firstLine(String(message)) || String(code) : `TLS failed, ${String(tls[1])}`;
  const advice = adviceFor(url.protocol, cause);
  return `Could not open a WebSocket to ${url.host}: ${what}${advice === undefined ? '' : ` (${advice})`}`;
}

/** The message of OpenSSL has a function, the reason, a source file and a line. */
const TLS_REASON = /:SSL routines:[^:]*:([^:]+):/;

const REFUSED_BY_CERTIFICATE = /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT_)/;

function adviceFor(protocol: string, cause: Error): string | undefined {
  const { message, code, rawPacket } = cause as Cause;
  const encrypted = protocol === 'wss:';
  if (code === 'ECONNREFUSED') return 'nothing listens there: check host and port, and that the server runs';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'the host name has no address: check the URL';
  if (encrypted && /wrong version number|packet length too long/.test(String(message))) {
    return 'the server does not speak TLS on this port: use ws:, or the port that does';
  }
  if (REFUSED_BY_CERTIFICATE.test(String(code))) {
    return 'the certificate is not trusted: pass its CA as ws: { ca }, or dial the name in the certificate';
  }
  if (!encrypted && isTlsRecord(rawPacket)) return 'the server speaks TLS on this port: use wss:';
  if (!encrypted && code === 'ECONNRESET') {
    return 'the server ended the connection without an answer, as a port that speaks TLS does: try wss:';
  }
  if (/^HPE_/.test(String(code))) return 'the server does not speak HTTP on this port: check the port';
  if (message === 'Server sent no subprotocol') {
    return 'the server accepts none of the offered subprotocols: compare them with its own';
  }
  return undefined;
}

/** A TLS record starts with its type (here alert or handshake) and the major version 3. */
function isTlsRecord(bytes: unknown): boolean {
  return bytes instanceof Uint8Array && (bytes[0] === 0x15 || bytes[0] === 0x16) && bytes[1] === 3;
}

/** The message for an HTTP response in place of an upgrade. */
export function describeRefusal(status: number, headers: Readonly<Record<string, unknown>>, body: string): string {
  const said = sentence(body, status);
  return `The server refused the upgrade with HTTP status ${status}${said === '' ? '' : ` (${said})`}: ${refusalAdvice(status, headers, body)}`;
}

function refusalAdvice(status: number, { location }: Readonly<Record<string, unknown>>, body: string): string {
  if (status === 400 && /HTTPS (server|port)/i.test(body)) return 'the server speaks TLS on this port: use wss:';
  if (status >= 300 && status < 400) {
    return `the server redirects to ${String(location ?? 'no location')}: dial that URL, or set ws: { followRedirects: true }`;
  }
  if (status === 401 || status === 403) return 'check the credentials in headers';
  if (status === 404) return 'the server accepts no WebSockets at this path: check the path of the URL';
  if (status === 407) return 'the proxy requires credentials: give them to the agent in ws: { agent }';
  if (status === 408 || status === 425 || status === 429 || status >= 500) return 'dial again later';
  if (status < 300) return 'the server does not accept WebSockets at this URL: check host, port and path';
  return 'the server does not accept the request: check the URL, subprotocols and headers';
}

/** The first line of the body if it is readable text; else the name of the status. */
function sentence(body: string, status: number): string {
  const line = firstLine(body);
  const isReadable = line !== '' && line.length <= 120 && /^[^<{\p{Cc}]*$/u.test(line);
  return isReadable ? line : (STATUS_CODES[status] ?? '');
}

function firstLine(text: string): string {
  return (text.trim().split(/[\r\n]/, 1)[0] ?? '').trim();
}
