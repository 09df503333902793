// The files of the dashboard, from page/: read once, served from memory. A Content-Security-Policy forbids the page to load anything from elsewhere.
import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';

const TYPES: ReadonlyMap<string, string> = new Map([
  ['html', 'text/html; charset=utf-8'],
  ['css', 'text/css; charset=utf-8'],
  ['js', 'text/javascript; charset=utf-8'],
  ['svg', 'image/svg+xml'],
]);

const FILES: readonly string[] = [
  'dashboard.html',
  'theme.css',
  'dashboard.css',
  'agents.css',
  'lists.css',
  'dashboard.js',
  'agents.js',
  'api.js',
  'elements.js',
  'figures.js',
  'gateways.js',
  'lately.js',
  'plot.js',
  'revoked.js',
  'routes.js',
  'session-row.js',
  'sure-button.js',
  'words.js',
  'icon.svg',
];

const HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-cache',
};

export class Page {
  readonly #files: ReadonlyMap<string, Buffer>;

  private constructor(files: ReadonlyMap<string, Buffer>) {
    this.#files = files;
  }

  static async load(): Promise<Page> {
    const read = async (name: string): Promise<[string, Buffer]> => [
      name === 'dashboard.html' ? '/' : `/${name}`,
      await readFile(new URL(`page/${name}`, import.meta.url)),
    ];
    return new Page(new Map(await Promise.all(FILES.map(read))));
  }

  has(path: string): boolean {
    return this.#files.has(path);
  }

  answer(path: string, response: ServerResponse): void {
    const extension = path === '/' ? 'html' : path.slice(path.lastIndexOf('.') + 1);
    response.writeHead(200, { ...HEADERS, 'Content-Type': TYPES.get(extension) ?? 'application/octet-stream' });
    response.end(this.#files.get(path));
  }
}
