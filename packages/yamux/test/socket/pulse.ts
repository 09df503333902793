// Counts whatever happens to anything that a program watches, so that one can wait until nothing does.

let beats = 0;

export function beat(): void {
  beats += 1;
}

export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Resolves when nothing has happened for `turns` turns of the event loop. */
export async function quiet(turns = 8): Promise<void> {
  let before = beats;
  for (let still = 0; still < turns; still += 1) {
    await turn();
    if (beats !== before) still = 0;
    before = beats;
  }
}
