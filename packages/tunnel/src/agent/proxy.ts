// The proxy for an agent's dials, if the environment names one. An answer of the proxy is not an answer of the gateway: a refused dial has failed, and
// is tried again.
import type { ClientRequest } from 'node:http';
import type { Socket } from 'node:net';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { getProxyForUrl } from 'proxy-from-env';

/** HTTPS_PROXY for wss: and HTTP_PROXY for ws:, except for hosts in NO_PROXY; empty without a proxy. */
export function proxyFor(url: string): string {
  return getProxyForUrl(url.replace(/^ws/, 'http'));
}

/**
 * For one dial.
 * @throws Error for a proxy that is no URL. What it is may be a password, and is not told.
 */
export function throughProxy(url: string): { readonly agent?: ProxyAgent } {
  const proxy = proxyFor(url);
  if (proxy === '') return {};
  if (URL.canParse(proxy) && /^https?:$/.test(new URL(proxy).protocol)) return { agent: new ProxyAgent(proxy) };
  const variable = url.startsWith('wss:') ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  throw new Error(`expected ${variable} to be an http: or https: URL, such as http://user:password@proxy:3128`);
}

type Connect = HttpsProxyAgent<string>['connect'];

class ProxyAgent extends HttpsProxyAgent<string> {
  readonly #abort: AbortController;

  constructor(proxy: string) {
    const abort = new AbortController();
    const options: object = { signal: abort.signal }; // for the connection to the proxy
    super(proxy, options);
    this.#abort = abort;
  }

  override async connect(request: ClientRequest, options: Parameters<Connect>[1]): Promise<Socket> {
    // The proxy may accept the connection and send nothing. The connection ends with the dial.
    const giveUp = (): void => this.#abort.abort();
    request.once('abort', giveUp).once('close', giveUp);
    let answer = { statusCode: 0, statusText: '' };
    request.once('proxyConnect', (given: typeof answer) => {
      answer = given;
    });
    let socket: Socket;
    try {
      socket = await super.connect(request, options);
    } catch (error) {
      throw new Error(`the proxy ${this.#name} cannot be used, ${(error as Error).message}`, { cause: error });
    } finally {
      request.off('abort', giveUp).off('close', giveUp);
    }
    const { statusCode, statusText } = answer;
    if (statusCode === 200) return socket;
    socket.destroy();
    const advice = statusCode === 407 ? ': give it user and password in its URL, http://user:password@proxy' : '';
    throw new Error(`the proxy ${this.#name} answered ${`${statusCode} ${statusText}`.trim()}${advice}`);
  }

  /** Without the password. */
  get #name(): string {
    return `${this.proxy.protocol}//${this.proxy.host}`;
  }
}
