// The states of one stream on the wire and all changes between them. Facts that are independent of the state (acknowledged, windows, whether
// the application has released the stream) are kept elsewhere.
//
//                        open
//             FIN sent /      \ FIN received
//                     v        v
//   half-closed-local          half-closed-remote
//                     \        /
//        FIN received  v      v  FIN sent
//                       closed                    RST, either way, from any of the three: reset

export const StreamState = {
  Open: 'open',
  /** We sent FIN: the peer may still send data. */
  HalfClosedLocal: 'half-closed-local',
  /** The peer sent FIN: we may still send data. */
  HalfClosedRemote: 'half-closed-remote',
  /** Both sent FIN. */
  Closed: 'closed',
  /** One side sent RST, or the session died. */
  Reset: 'reset',
} as const;
export type StreamState = (typeof StreamState)[keyof typeof StreamState];

export type StreamSignal = 'finSent' | 'finReceived' | 'reset';

const { Open, HalfClosedLocal, HalfClosedRemote, Closed, Reset } = StreamState;

/** Transitions that are missing here change nothing: Go peers send a second FIN and frames after RST, and both are ignored. */
export const TRANSITIONS: Readonly<Record<StreamState, Readonly<Partial<Record<StreamSignal, StreamState>>>>> = {
  [Open]: { finSent: HalfClosedLocal, finReceived: HalfClosedRemote, reset: Reset },
  [HalfClosedLocal]: { finReceived: Closed, reset: Reset },
  [HalfClosedRemote]: { finSent: Closed, reset: Reset },
  [Closed]: {},
  [Reset]: {},
};

export class Lifecycle {
  #state: StreamState = Open;

  get state(): StreamState {
    return this.#state;
  }

  /** Whether our FIN was not sent and nothing was reset. */
  get canSend(): boolean {
    return this.#state === Open || this.#state === HalfClosedRemote;
  }

  /** The peer's FIN has not come and nothing was reset. */
  get canReceive(): boolean {
    return this.#state === Open || this.#state === HalfClosedLocal;
  }

  get ended(): boolean {
    return this.#state === Closed || this.#state === Reset;
  }

  finSent(): void {
    this.#on('finSent');
  }

  finReceived(): void {
    this.#on('finReceived');
  }

  reset(): void {
    this.#on('reset');
  }

  #on(signal: StreamSignal): void {
    this.#state = TRANSITIONS[this.#state][signal] ?? this.#state;
  }
}
