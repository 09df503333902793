// The allow-list of an agent: which local HTTP server answers for which public host. What is not listed is not reached, whatever the
// gateway asks for.
import { hostName } from '../http/host.ts';

export interface Target {
  readonly host: string;
  readonly port: number;
}

const ANY_HOST = '*';

export class Targets {
  readonly #byHost: ReadonlyMap<string, Target>;

  private constructor(byHost: ReadonlyMap<string, Target>) {
    this.#byHost = byHost;
  }

  /**
   * From texts such as `app.example=http://127.0.0.1:3000`, or only the URL, which then serves every host that has no entry of its own.
   * @throws TypeError for a text of another form, or a host named twice.
   */
  static parse(texts: readonly string[]): Targets {
    const byHost = new Map<string, Target>();
    for (const text of texts) {
      const equals = text.indexOf('=');
      const host = equals === -1 ? ANY_HOST : hostName(text.slice(0, equals));
      if (host === '' || byHost.has(host)) throw new TypeError(`expected one target for each host, got "${text}"`);
      byHost.set(host, parseTarget(text, text.slice(equals + 1)));
    }
    if (byHost.size === 0) throw new TypeError('expected at least one target, such as http://127.0.0.1:3000');
    return new Targets(byHost);
  }

  /** For a host without port, in lower case. */
  find(host: string): Target | undefined {
    return this.#byHost.get(host) ?? this.#byHost.get(ANY_HOST);
  }
}

function parseTarget(text: string, address: string): Target {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  // A path would be silently lost: requests keep their own.
  if (url?.protocol !== 'http:' || url.pathname !== '/' || url.search !== '') {
    throw new TypeError(`expected [host=]http://address:port, got "${text}"`);
  }
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 80) };
}
