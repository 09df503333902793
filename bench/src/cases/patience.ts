// How long what must come may take: an implementation that loses something would otherwise be waited for without end.

/** ms. Alone on the machine 10,000 streams with 64 KiB each need two or three seconds; a busy one has had them take ten. */
const PATIENCE_MS = 15_000;

/** Rejects, with what `describe` then says, if the promise is not settled by then: `ms` is what it takes if all goes well. */
export async function inTime<T>(promise: Promise<T>, describe: () => string, ms = 0): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const fail = (): void => reject(new Error(`${describe()} within ${PATIENCE_MS / 1000} s`));
    timer = setTimeout(fail, ms + PATIENCE_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
