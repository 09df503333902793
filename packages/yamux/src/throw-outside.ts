// What a listener of the application throws goes to 'uncaughtException', as from any listener, but not through our loops: the rest of
// a chunk or a batch belongs to other streams.

export function throwOutside(error: unknown): void {
  process.nextTick(() => {
    throw error;
  });
}
