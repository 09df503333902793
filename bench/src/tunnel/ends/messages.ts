// The messages between the ends of the measured HTTP traffic and their parent, in lines of JSON.

/** A number of connections that all do the same, one request after the other. */
export interface LoadGroup {
  readonly connections: number;
  /** The size of each response, in bytes; for uploads the response only has the number of received bytes. */
  readonly answers: number;
  /** The size of each request body, in bytes; 0 for none. */
  readonly uploads: number;
}

/** Message to the load: connect, and get ready. The next line, with any content, starts it. */
export interface Load {
  /** http: or https:, with no path. */
  readonly url: string;
  /** The Host header of the requests. */
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
