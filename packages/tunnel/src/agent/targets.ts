// The allow-list of an agent: which local server answers for which public route, or for which TCP service. What is not listed is not
// reached, whatever the gateway asks for.
import { parseRoute, RouteTable } from '../http/route.ts';
import { isTcpService, tcpName } from '../tcp-service.ts';

export interface Target {
  readonly host: string;
  readonly port: number;
}

export class Targets {
  readonly #byRoute = new RouteTable<Target>();
  readonly #byTcpName = new Map<string, Target>();
  #anyRoute: Target | undefined;

  private constructor() {}

  /**
   * From texts such as `app.example=http://127.0.0.1:3000`, `app.example/api=http://127.0.0.1:4000`, `tcp:postgres=tcp://127.0.0.1:5432`,
   * or only an http: URL, which then serves every route that has no entry of its own.
   * @throws TypeError for a text of another form, or what is named twice.
   */
  static parse(texts: readonly string[]): Targets {
    if (texts.length === 0) throw new TypeError('expected at least one target, such as http://127.0.0.1:3000');
    const targets = new Targets();
    for (const text of texts) {
      if (!targets.#add(text)) throw new TypeError(`expected one target for each route, got "${text}" besides another`);
    }
    return targets;
  }

  /** For a host without port, in lower case, and a path. */
  find(host: string, path: string): Target | undefined {
    return this.#byRoute.find(host, path) ?? this.#anyRoute;
  }

  findTcp(name: string): Target | undefined {
    return this.#byTcpName.get(name);
  }

  /** False if there is one already. */
  #add(text: string): boolean {
    const equals = text.indexOf('=');
    const what = text.slice(0, Math.max(equals, 0));
    const address = text.slice(equals + 1);
    if (equals === -1) {
      const isFirst = this.#anyRoute === undefined;
      this.#anyRoute = parseTarget(text, address, 'http:');
      return isFirst;
    }
    if (isTcpService(what)) {
      const name = tcpName(what);
      const isFirst = !this.#byTcpName.has(name);
      this.#byTcpName.set(name, parseTarget(text, address, 'tcp:'));
      return isFirst;
    }
    const route = parseRoute(what);
    const isFirst = this.#byRoute.get(route) === undefined;
    this.#byRoute.set(route, parseTarget(text, address, 'http:'));
    return isFirst;
  }
}

function parseTarget(text: string, address: string, protocol: 'http:' | 'tcp:'): Target {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const port = Number(url?.port || (protocol === 'http:' ? 80 : 0));
  // A path would be silently lost: requests keep their own.
  const isPlain = url?.protocol === protocol && /^\/?$/.test(url.pathname) && url.search === '' && url.hostname !== '';
  if (!isPlain || port === 0) {
    throw new TypeError(`expected [route=]http://address:port or tcp:name=tcp://address:port, got "${text}"`);
  }
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port };
}
