// What the ends of the measured HTTP and their starter say to each other, in lines of JSON.

/** Some connections that all do the same, one request after the other. */
export interface LoadGroup {
  readonly connections: number;
  /** Bytes of each answer; where bytes go up, the answer only says how many came. */
  readonly answers: number;
  /** Bytes of each request; 0 for none. */
  readonly uploads: number;
}

/** To the load: connect, and be ready. The next line, whatever it has, begins it. */
export interface Load {
  /** http: or https:, with no path. */
  readonly url: string;
  /** What the requests ask for. */
  readonly host: string;
  readonly ms: number;
  readonly groups: readonly LoadGroup[];
}

/** Times in milliseconds. */
export interface GroupOutcome {
  readonly requests: number;
  readonly p50: number;
  readonly p99: number;
}

export interface LoadOutcome {
  readonly seconds: number;
  readonly groups: readonly GroupOutcome[];
}

export type EndMessage =
  | { readonly port: number }
  | { readonly ready: true }
  | LoadOutcome
  | { readonly failure: string };

export function tell(message: EndMessage): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
