// Server-sent events: one snapshot for all viewers, once a second and after a change. A viewer that has not taken the last snapshot gets no further one
// until it has. Each snapshot is complete, so the viewer misses nothing, and nothing is buffered for it.
import type { ServerResponse } from 'node:http';

/** Milliseconds within which changes are combined into one event. */
const SOON = 50;

export class LiveFeed {
  readonly #take: () => unknown;
  readonly #viewers = new Set<ServerResponse>();
  #soon: NodeJS.Timeout | undefined;

  /** `take` is called only if there is a viewer. */
  constructor(take: () => unknown) {
    this.#take = take;
  }

  get viewers(): number {
    return this.#viewers.size;
  }

  /** Answers with the snapshots from now on, the first one at once. */
  join(response: ServerResponse): void {
    response.writeHead(200, {
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store',
      'X-Accel-Buffering': 'no', // or nginx would buffer the events
    });
    response.on('error', () => {}).once('close', () => this.#viewers.delete(response));
    this.#viewers.add(response);
    response.write(this.#event());
  }

  push(): void {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    const ready = [...this.#viewers].filter((viewer) => !viewer.writableNeedDrain);
    if (ready.length === 0) return;
    const event = this.#event();
    for (const viewer of ready) viewer.write(event);
  }

  changed(): void {
    this.#soon ??= setTimeout(() => this.push(), SOON).unref();
  }

  close(): void {
    clearTimeout(this.#soon);
    for (const viewer of this.#viewers) viewer.end();
  }

  #event(): string {
    return `data: ${JSON.stringify(this.#take())}\n\n`;
  }
}
