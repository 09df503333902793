// Why a dial failed, in one line: what happened, what it probably means, and what to change. Pure.
import { STATUS_CODES } from 'node:http';

interface Cause {
  readonly message?: unknown;
  readonly code?: unknown;
  /** Of a parse error of node:http: the bytes that are no HTTP. */
  readonly rawPacket?: unknown;
}

/** For an error of the connection or of the handshake. */
export function describeFailure(url: URL, cause: Error): string {
  const { message, code } = cause as Cause;
  const tls = TLS_REASON.exec(String(message));
  // All addresses of a host failed: Node's AggregateError has no message of its own.
  const what = tls === null ? firstLine(String(message)) || String(code) : `TLS failed, ${String(tls[1])}`;
  const advice = adviceFor(url.protocol, cause);
  return `Could not open a WebSocket to ${url.host}: ${what}${advice === undefined ? '' : ` (${advice})`}`;
}

/** OpenSSL says its function, the reason, its source file and line. */
const TLS_REASON = /:SSL routines:[^:]*:([^:]+):/;

const REFUSED_BY_CERTIFICATE = /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT_)/;

function adviceFor(protocol: string, cause: Error): string | undefined {
  const { message, code, rawPacket } = cause as Cause;
  const encrypted = protocol === 'wss:';
  if (code === 'ECONNREFUSED') return 'nothing listens there: check host and port, and that the server runs';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'the host name has no address: check the URL';
  if (encrypted && /wrong version number|packet length too long/.test(String(message))) {
    return 'the server does not speak TLS on this port: use ws:, or the port of its TLS';
  }
  if (REFUSED_BY_CERTIFICATE.test(String(code))) {
    return 'the certificate is not trusted: give its CA as ws: { ca }, or dial the name that it is for';
  }
  if (!encrypted && isTlsRecord(rawPacket)) return 'the server speaks TLS on this port: use wss:';
  if (!encrypted && code === 'ECONNRESET') {
    return 'the server ended the connection without an answer; a port that speaks TLS does so: then use wss:';
  }
  if (/^HPE_/.test(String(code))) return 'the server does not speak HTTP on this port: check the port';
  if (message === 'Server sent no subprotocol') {
    return 'the server accepts none of the offered subprotocols: compare them with its own';
  }
  return undefined;
}

/** An alert or a handshake record of TLS: its type, then the major version 3. */
function isTlsRecord(bytes: unknown): boolean {
  return bytes instanceof Uint8Array && (bytes[0] === 0x15 || bytes[0] === 0x16) && bytes[1] === 3;
}

/** For an HTTP response instead of an upgrade. */
export function describeRefusal(status: number, headers: Readonly<Record<string, unknown>>, body: string): string {
  const said = sentence(body, status);
  return `The server refused the upgrade with HTTP status ${status}${said === '' ? '' : ` (${said})`}: ${refusalAdvice(status, headers, body)}`;
}

function refusalAdvice(status: number, { location }: Readonly<Record<string, unknown>>, body: string): string {
  if (status === 400 && /HTTPS (server|port)/i.test(body)) return 'it speaks TLS on this port: use wss:';
  if (status >= 300 && status < 400) {
    return `it redirects to ${String(location ?? 'nowhere')}: dial that URL, or set ws: { followRedirects: true }`;
  }
  if (status === 401 || status === 403) return 'check the credentials in headers';
  if (status === 404) return 'no WebSockets are accepted at this path: check the path of the URL';
  if (status === 407) return 'the proxy wants credentials: give them to the agent of ws: { agent }';
  if (status === 408 || status === 425 || status === 429 || status >= 500) return 'dial again later';
  if (status < 300) return 'it does not know WebSockets at this URL: check host, port and path';
  return 'the request is not acceptable to it: check the URL, subprotocols and headers';
}

/** What the server says of it, as far as it is a line of text; else the status in words. */
function sentence(body: string, status: number): string {
  const line = firstLine(body);
  const isReadable = line !== '' && line.length <= 120 && /^[^<{\p{Cc}]*$/u.test(line);
  return isReadable ? line : (STATUS_CODES[status] ?? '');
}

function firstLine(text: string): string {
  return (text.trim().split(/[\r\n]/, 1)[0] ?? '').trim();
}
