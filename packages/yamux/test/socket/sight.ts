// What one end sees when everything is at rest.

type Seen = Readonly<Record<string, number | string | boolean | null>>;

/** What one end sees. `facts` are for the judge, who says what may be compared. */
export interface Sight {
  readonly reading: Seen;
  readonly writing: Seen;
  readonly whole: Seen;
  readonly always: Seen;
  readonly facts: Facts;
}

export interface Facts {
  readonly units: string;
  readonly taken: number;
  readonly sent: number;
  readonly hasFilled: boolean;
  /** Its connection took all of that, and nobody was there to take it. */
  readonly wroteAll: boolean;
  readonly isConsuming: boolean;
  readonly isEchoing: boolean;
  /** It echoes, and had written bytes of its own before. */
  readonly echoesAfterOwn: boolean;
  /** It may have bytes of a character that is not whole. */
  readonly leavesARest: boolean;
  readonly isDead: boolean;
  /** Destroyed, and not because both directions had come to their end. */
  readonly isBroken: boolean;
  readonly hasFinished: boolean;
  readonly hasEnded: boolean;
  readonly corrupt: boolean;
  readonly isClosed: boolean;
  readonly unanswered: number;
}
