// The allow-list of an agent: the local server for each public route and each TCP service. Other servers cannot be reached, whatever the gateway asks
// for.
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseRoute, RouteTable } from '../http/route.ts';
import { isTcpService, tcpName } from '../tcp-service.ts';

export interface TcpTarget {
  readonly host: string;
  readonly port: number;
}

/** How requests are changed on their way to a target, and how its certificate is judged. */
export interface TargetOptions {
  /** The Host that it is asked for: its own address ('target'), another name, or as it came (undefined). */
  readonly rewriteHost?: string | undefined;
  /** Takes the path of the route away. */
  readonly stripPrefix?: boolean | undefined;
  /** PEM certificates that are trusted for an https: target, besides the well-known authorities. */
  readonly ca?: string | undefined;
  /** Takes any certificate. */
  readonly insecure?: boolean | undefined;
}

export interface HttpTarget {
  /** Of TCP; empty where there is a socketPath. */
  readonly host: string;
  readonly port: number;
  readonly socketPath?: string;
  readonly tls: { readonly ca: string | undefined; readonly isInsecure: boolean } | undefined;
  /** The Host that it is asked for; undefined for the one that came. */
  readonly rewriteHost: string | undefined;
  /** What is taken away from the beginning of a path; empty for nothing. */
  readonly strippedPrefix: string;
}

export class Targets {
  readonly #byRoute = new RouteTable<HttpTarget>();
  readonly #byTcpName = new Map<string, TcpTarget>();
  readonly #http: HttpTarget[] = [];
  #anyRoute: HttpTarget | undefined;

  private constructor() {}

  /**
   * Parses entries such as `app.example=http://127.0.0.1:3000`, `app.example/api=https://127.0.0.1:4000`, `app.example=unix:/run/app.sock`,
   * `tcp:postgres=tcp://127.0.0.1:5432`, or only an HTTP address, which serves every route without an entry of its own. Options of an entry
   * follow after commas: `rewrite-host`, `rewrite-host=dev.local`, `strip-prefix`, `ca=<file>`, `insecure`. `all` has the options of every entry.
   * @throws TypeError for a text of another form, or what is named twice.
   */
  static parse(texts: readonly string[], all: TargetOptions = {}): Targets {
    if (texts.length === 0) throw new TypeError('expected at least one target, such as http://127.0.0.1:3000');
    const targets = new Targets();
    for (const text of texts) {
      if (!targets.#add(text, all))
        throw new TypeError(`expected one target for each route, got "${text}" besides another`);
    }
    return targets;
  }

  /** Every HTTP target. */
  get http(): readonly HttpTarget[] {
    return this.#http;
  }

  /** For a host without port, in lower case, and a path. */
  find(host: string, path: string): HttpTarget | undefined {
    return this.#byRoute.find(host, path) ?? this.#anyRoute;
  }

  findTcp(name: string): TcpTarget | undefined {
    return this.#byTcpName.get(name);
  }

  /** False if there is one already. */
  #add(text: string, all: TargetOptions): boolean {
    const [place = '', ...own] = text.split(',');
    const equals = place.indexOf('=');
    const what = place.slice(0, Math.max(equals, 0));
    const address = place.slice(equals + 1);
    const options = optionsOf(text, own, all);
    if (equals === -1) {
      const isFirst = this.#anyRoute === undefined;
      this.#anyRoute = this.#httpTarget(text, address, options, '');
      return isFirst;
    }
    if (isTcpService(what)) {
      const name = tcpName(what);
      const isFirst = !this.#byTcpName.has(name);
      this.#byTcpName.set(name, tcpTarget(text, address));
      return isFirst;
    }
    const route = parseRoute(what);
    const isFirst = this.#byRoute.get(route) === undefined;
    this.#byRoute.set(route, this.#httpTarget(text, address, options, route.path));
    return isFirst;
  }

  #httpTarget(text: string, address: string, options: TargetOptions, prefix: string): HttpTarget {
    const { rewriteHost, stripPrefix = false, ca, insecure = false } = options;
    const strippedPrefix = stripPrefix ? prefix : '';
    const unix = /^unix:(?:\/\/)?(\/.+)$/.exec(address);
    let target: HttpTarget;
    if (unix !== null) {
      const host = rewriteHost === 'target' ? 'localhost' : rewriteHost;
      target = { host: '', port: 0, socketPath: unix[1] as string, tls: undefined, rewriteHost: host, strippedPrefix };
    } else {
      const { url, port } = parsed(text, address, ['http:', 'https:']);
      const tls = url.protocol === 'https:' ? { ca, isInsecure: insecure } : undefined;
      const host = rewriteHost === 'target' ? url.host : rewriteHost;
      target = { host: unbracketed(url), port, tls, rewriteHost: host, strippedPrefix };
    }
    this.#http.push(target);
    return target;
  }
}

function tcpTarget(text: string, address: string): TcpTarget {
  const { url, port } = parsed(text, address, ['tcp:']);
  return { host: unbracketed(url), port };
}

function unbracketed({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

function parsed(
  text: string,
  address: string,
  protocols: readonly string[],
): { readonly url: URL; readonly port: number } {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const port = Number(url?.port || (DEFAULT_PORTS[url?.protocol ?? ''] ?? 0));
  // A path would be ignored silently, because requests keep their own path.
  const isPlain = url !== undefined && /^\/?$/.test(url.pathname) && url.search === '' && url.hostname !== '';
  if (!isPlain || !protocols.includes(url.protocol) || port === 0) {
    const forms = 'http://address:port, https://address:port, unix:/path or tcp:name=tcp://address:port';
    throw new TypeError(`expected [route=] and ${forms}, got "${text}"`);
  }
  return { url, port };
}

function optionsOf(text: string, own: readonly string[], all: TargetOptions): TargetOptions {
  let options = all;
  for (const one of own) {
    const [name, value] = one.split(/=(.*)/s, 2) as [string, string | undefined];
    if (name === 'rewrite-host') options = { ...options, rewriteHost: value ?? 'target' };
    else if (name === 'strip-prefix' && value === undefined) options = { ...options, stripPrefix: true };
    else if (name === 'insecure' && value === undefined) options = { ...options, insecure: true };
    else if (name === 'ca' && value !== undefined) options = { ...options, ca: readCa(value) };
    else
      throw new TypeError(
        `expected rewrite-host, strip-prefix, ca=<file> or insecure after a comma, got "${one}" in "${text}"`,
      );
  }
  return options;
}

/** @throws TypeError, which names `flag`, for a file that cannot be read or has no certificate. */
export function readCa(file: string, flag = 'ca'): string {
  try {
    const pem = readFileSync(file, 'utf8');
    new X509Certificate(pem); // the first of several
    return pem;
  } catch (error) {
    const why = (error as Error).message;
    throw new TypeError(`expected ${flag} to be a file with certificates in PEM, got "${file}": ${why}`);
  }
}
