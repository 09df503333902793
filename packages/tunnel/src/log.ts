// One line of JSON per event, for a person with grep and for a collector alike.

export type Log = (event: string, fields: Readonly<Record<string, unknown>>) => void;

export const jsonLog: Log = (event, fields) => {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), event, ...fields })}\n`);
};
