// What an application's callback throws is uncaught, as from any listener, and never ends or breaks what called it.

/** Calls back; what that throws or rejects with is thrown where nobody of ours is on the stack, after `onFailure`. */
export function callOutside(callback: () => unknown, onFailure?: () => void): void {
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
