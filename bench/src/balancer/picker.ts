// Who chooses among sessions, as the bench sees it: something that is done once, over and over.

export interface Picker {
  readonly name: string;
  /** The most sessions it is measured with. */
  readonly largest: number;
  /** Makes it with so many sessions, all of them able to serve. Returns what does the thing measured, so many times. */
  make(sessions: number): (times: number) => void | Promise<void>;
}
