// Lines to a process and from it: each line of its stdout is a message in JSON, one of which tells a failure.
import { createInterface } from 'node:readline';
import type { Child, Children } from './children.ts';

export class Dialogue<Message extends object> {
  readonly #children: Children;
  readonly #child: Child;
  readonly #said: Message[] = [];
  #told: (() => void) | undefined;

  /** `child` was started with `isSpokenWith`. */
  constructor(children: Children, child: Child) {
    this.#children = children;
    this.#child = child;
    child.process.stdin?.on('error', () => {}); // it has ended, which its starter hears
    createInterface({ input: child.process.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      this.#said.push(JSON.parse(line) as Message);
      this.#told?.();
    });
  }

  tell(line: string): void {
    this.#child.process.stdin?.write(`${line}\n`);
  }

  /** The next message. Rejects with the failure that it reports, or when it has died. */
  async hear<Name extends string>(name: Name): Promise<Extract<Message, Readonly<Record<Name, unknown>>>> {
    while (this.#said.length === 0) {
      await this.#children.alive(
        new Promise<void>((resolve) => {
          this.#told = resolve;
        }),
      );
    }
    const message = this.#said.shift() as Message & { readonly failure?: string };
    if (name in message) return message as Extract<Message, Readonly<Record<Name, unknown>>>;
    throw new Error(message.failure ?? `expected ${name}, got ${JSON.stringify(message)}`);
  }
}
