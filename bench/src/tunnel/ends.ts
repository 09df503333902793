// The origin and the load as processes: in Go if it is installed, so that they use little CPU, else in Node.
import { createInterface } from 'node:readline';
import { goProgram, ownProgram } from '../programs.ts';
import type { Child, Children } from './children.ts';
import type { EndMessage, Load, LoadOutcome } from './ends/messages.ts';

const inGo = goProgram('go-http', 'http-ends');

export type EndsLanguage = 'Go' | 'Node';

/** Resolves with the Node programs if the Go program cannot be built. */
export async function buildEnds(): Promise<EndsLanguage> {
  return (await inGo.build()) === undefined ? 'Go' : 'Node';
}

/** One of the two processes, and its output lines in order. */
class End {
  readonly #children: Children;
  readonly #child: Child;
  readonly #said: EndMessage[] = [];
  #told: (() => void) | undefined;

  constructor(children: Children, language: EndsLanguage, role: 'origin' | 'load') {
    this.#children = children;
    const [command, ...args] =
      language === 'Go' ? [inGo.executable, role] : [process.execPath, ...ownProgram('http-ends'), role];
    this.#child = children.start(role, command as string, args, { isSpokenWith: true });
    this.#child.process.stdin?.on('error', () => {}); // it has ended, which its starter hears
    createInterface({ input: this.#child.process.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      this.#said.push(JSON.parse(line) as EndMessage);
      this.#told?.();
    });
  }

  tell(line: string): void {
    this.#child.process.stdin?.write(`${line}\n`);
  }

  /** Rejects with the failure that it reports, or when it has died. */
  async hear<Name extends string>(name: Name): Promise<Extract<EndMessage, Readonly<Record<Name, unknown>>>> {
    while (this.#said.length === 0) {
      await this.#children.alive(
        new Promise<void>((resolve) => {
          this.#told = resolve;
        }),
      );
    }
    const message = this.#said.shift() as EndMessage;
    if (name in message) return message as Extract<EndMessage, Readonly<Record<Name, unknown>>>;
    throw new Error('failure' in message ? message.failure : `expected ${name}, got ${JSON.stringify(message)}`);
  }
}

/** Resolves with its port. */
export async function startOrigin(children: Children, language: EndsLanguage): Promise<number> {
  return (await new End(children, language, 'origin').hear('port')).port;
}

export class LoadEnd {
  readonly #end: End;

  constructor(children: Children, language: EndsLanguage) {
    this.#end = new End(children, language, 'load');
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
