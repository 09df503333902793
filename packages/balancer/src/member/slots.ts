// What holds the slots of a session: first an open that waits, then the stream that came of it. A list through the slots themselves, in order of
// taking: a Set costs a table every few opens.
import type { Member } from './member.ts';

/** What holds one slot of a session. */
export interface Slot {
  /** Its neighbours in the list of its session, which keeps them. */
  previous: Slot | undefined;
  next: Slot | undefined;
  /** Nobody waits for the open any more. */
  abandon(error: Error): void;
  /** The stream, if there is one, ends with `error`. */
  reset(error: Error): void;
  /** Its session has left the pool and come back: it belongs to the member that stands for it now. */
  move(member: Member): void;
}

export class Slots {
  #first: Slot | undefined;
  #last: Slot | undefined;

  add(slot: Slot): void {
    slot.previous = this.#last;
    slot.next = undefined;
    if (this.#last === undefined) this.#first = slot;
    else this.#last.next = slot;
    this.#last = slot;
  }

  /** Of one that is in this list. */
  delete(slot: Slot): void {
    const { previous, next } = slot;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    slot.previous = undefined;
    slot.next = undefined;
  }

  /** A copy, for who calls foreign code for each. */
  toArray(): Slot[] {
    const slots: Slot[] = [];
    for (let slot = this.#first; slot !== undefined; slot = slot.next) slots.push(slot);
    return slots;
  }
}
