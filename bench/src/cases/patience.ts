// The limit of a wait, for implementations that lose data.

/** In ms. On an idle machine 10,000 streams with 64 KiB each need two or three seconds; on a busy one they have taken ten. */
const PATIENCE_MS = 15_000;

/** Rejects with the text of `describe` if the promise is not settled in time. `ms` is the expected duration. */
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
