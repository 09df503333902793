// Rethrows an error of an application's listener outside our loops. It becomes an 'uncaughtException', as with any listener, and the rest of a
// chunk or batch, which belongs to other streams, is still handled.

export function throwOutside(error: unknown): void {
  process.nextTick(() => {
    throw error;
  });
}
