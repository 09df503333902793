// Calls a callback of the application. An error in it becomes an uncaught exception, as in any event listener, and does not interrupt our code.

/** If `callback` throws or rejects, `onFailure` runs, and the error is thrown again on the next tick, outside our call stack. */
export function callApplication(callback: () => unknown, onFailure?: () => void): void {
  const failed = (error: unknown): void => {
    onFailure?.();
    process.nextTick(() => {
      throw error;
    });
  };
  try {
    Promise.resolve(callback()).catch(failed);
  } catch (error) {
    failed(error);
  }
}
