// Parses the README of an example: the commands in its `console` blocks and their output.

export interface Command {
  readonly name: string;
  readonly args: readonly string[];
  readonly output: string;
  /** The exit code that a following `echo $?` shows; 0 if the README does not show one. */
  readonly exitCode: number;
}

/** @throws {Error} for a command that is not `pnpm example …`, because no test would run it. */
export function commandsOf(readme: string): readonly Command[] {
  const blocks = Array.from(readme.matchAll(/^```console\n(.*?)^```$/gms), ([, block = '']) => block);
  return blocks.flatMap((block) => {
    const [, ...steps] = `\n${block}`.split('\n$ ');
    const commands: Command[] = [];
    for (const step of steps) {
      const [line = '', ...output] = step.replace(/\n$/, '').split('\n');
      const [pnpm, example, name = '', ...args] = line.split(' ');
      const last = commands.at(-1);
      if (line === 'echo $?' && last !== undefined) {
        commands.splice(-1, 1, { ...last, exitCode: Number(output.join('')) });
      } else if (pnpm === 'pnpm' && example === 'example') {
        commands.push({ name, args, output: output.join('\n'), exitCode: 0 });
      } else {
        throw new Error(`Expected 'pnpm example <name>' in a console block, got '${line}'`);
      }
    }
    return commands;
  });
}
