// What would have ended a process: exceptions that nobody catches, and rejections that nobody handles. The test runner listens for them
// too, and would blame the file; here they belong to the program that runs.

const EVENTS = ['uncaughtException', 'unhandledRejection'] as const;

/** Runs `body`, and says what escaped meanwhile. */
export async function uncaughtDuring(body: () => Promise<void>): Promise<string[]> {
  const escaped: string[] = [];
  const note = (error: unknown): void => {
    escaped.push(
      error instanceof Error ? `${'code' in error ? `${error.code}: ` : ''}${error.message}` : String(error),
    );
  };
  const others = EVENTS.map((event) => process.listeners(event as 'uncaughtException'));
  for (const event of EVENTS) process.removeAllListeners(event).on(event, note);
  try {
    await body();
  } finally {
    EVENTS.forEach((event, index) => {
      process.removeAllListeners(event);
      for (const listener of others[index] ?? []) process.on(event, listener);
    });
  }
  return escaped;
}
