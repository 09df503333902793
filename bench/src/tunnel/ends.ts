// The origin and the load as processes: in Go if it is installed, so that they use little CPU, else in Node.
import { goProgram, ownProgram } from '../programs.ts';
import type { Children } from './children.ts';
import { Dialogue } from './dialogue.ts';
import type { EndMessage, Load, LoadOutcome } from './ends/messages.ts';

const inGo = goProgram('go-http', 'http-ends');

export type EndsLanguage = 'Go' | 'Node';

/** Resolves with the Node programs if the Go program cannot be built. */
export async function buildEnds(): Promise<EndsLanguage> {
  return (await inGo.build()) === undefined ? 'Go' : 'Node';
}

/** One of the two processes. */
function startEnd(children: Children, language: EndsLanguage, role: 'origin' | 'load'): Dialogue<EndMessage> {
  const [command, ...args] =
    language === 'Go' ? [inGo.executable, role] : [process.execPath, ...ownProgram('http-ends'), role];
  return new Dialogue(children, children.start(role, command as string, args, { isSpokenWith: true }));
}

/** Resolves with its port. */
export async function startOrigin(children: Children, language: EndsLanguage): Promise<number> {
  return (await startEnd(children, language, 'origin').hear('port')).port;
}

export class LoadEnd {
  readonly #end: Dialogue<EndMessage>;

  constructor(children: Children, language: EndsLanguage) {
    this.#end = startEnd(children, language, 'load');
  }

  /** Resolves when every connection has got its first response. */
  async connect(load: Load): Promise<void> {
    this.#end.tell(JSON.stringify(load));
    await this.#end.hear('ready');
  }

  /** Resolves when all requests are answered. */
  async drive(): Promise<LoadOutcome> {
    this.#end.tell('begin');
    return await this.#end.hear('seconds');
  }
}
