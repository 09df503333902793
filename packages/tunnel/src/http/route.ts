// A route: a host and a path prefix, "app.example", "app.example/api" or, for every host below one, "*.example". The gateway finds agents by the route, and
// an agent finds its local target.
import { hostName, isHost } from './host.ts';

export interface Route {
  /** Without a port, in lower case; with `*.` before it, every host below. */
  readonly host: string;
  /** '' for every path, else '/a/b', without a slash at its end. */
  readonly path: string;
}

/** @throws TypeError for a text of another form than host, or host/path. */
export function parseRoute(text: string): Route {
  const slash = text.indexOf('/');
  const host = slash === -1 ? text : text.slice(0, slash);
  const path = slash === -1 ? '' : text.slice(slash).replace(/\/+$/, '');
  if (!isHost(host.startsWith('*.') ? host.slice(2) : host) || !/^[!-~]*$/.test(path) || /[?#]/.test(path))
    throw new TypeError(`expected a route such as app.example or app.example/api, got "${text}"`);
  return { host: hostName(host), path };
}

export function routeText({ host, path }: Route): string {
  return host + path;
}

/** The longest prefix wins. A prefix ends at a segment: /api matches /api and /api/x, but not /apix. */
export class RouteTable<T> {
  // By host, the longest path first: the cost of a look-up depends on the routes of the host, not on the client's path.
  readonly #byHost = new Map<string, { readonly path: string; readonly value: T }[]>();

  #hasWildcards = false;

  get({ host, path }: Route): T | undefined {
    return this.#byHost.get(host)?.find((entry) => entry.path === path)?.value;
  }

  /** Replaces what the same route had. */
  set({ host, path }: Route, value: T): void {
    const others = (this.#byHost.get(host) ?? []).filter((entry) => entry.path !== path);
    const entries = [...others, { path, value }].sort((a, b) => b.path.length - a.path.length);
    this.#byHost.set(host, entries);
    if (host.startsWith('*.')) this.#hasWildcards = true;
  }

  /** The host itself comes before `*.` and what is above it, the nearest first. `path` begins with a slash. */
  find(host: string, path: string): T | undefined {
    const exact = this.#findIn(host, path);
    if (exact !== undefined || !this.#hasWildcards) return exact;
    for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1)) {
      const found = this.#findIn(`*${host.slice(dot)}`, path);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #findIn(host: string, path: string): T | undefined {
    const entries = this.#byHost.get(host);
    return entries?.find((entry) => path === entry.path || path.startsWith(`${entry.path}/`))?.value;
  }
}
