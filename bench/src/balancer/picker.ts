// A picker, as the bench sees it: an operation that is repeated.

export interface Picker {
  readonly name: string;
  /** The largest number of sessions to measure. */
  readonly largest: number;
  /** Makes the picker with a number of available sessions. Returns a function that runs the measured operation a number of times. */
  make(sessions: number): (times: number) => void | Promise<void>;
}
