// Who is refused although its token is good. What was asked here can be taken back here; what a file says, the file must say no more.
import { byId, element, KeyedList } from './elements.js';

/** @typedef {import('../snapshot.ts').RevokedView} RevokedView */
/** @typedef {(kind: 'agent' | 'tenant', name: string) => Promise<void>} Restore */

export class RevokedList {
  /** @type {KeyedList<RevokedView, RevokedRow>} */
  #rows;
  #mayAct = false;

  /** @param {Restore} restore */
  constructor(restore) {
    const list = element('ul', { class: 'routes' });
    byId('revoked').append(list);
    this.#rows = new KeyedList(
      list,
      (revoked) => new RevokedRow(revoked, restore),
      (row) => row.show(this.#mayAct),
    );
  }

  /**
   * @param {readonly RevokedView[]} revoked
   * @param {boolean} mayAct
   */
  show(revoked, mayAct) {
    this.#mayAct = mayAct;
    byId('revoked').hidden = revoked.length === 0;
    this.#rows.show(new Map(revoked.map((one) => [`${one.kind} ${one.name} ${one.byHand}`, one])));
  }
}

class RevokedRow {
  /**
   * @param {RevokedView} revoked
   * @param {Restore} restore
   */
  constructor({ kind, name, byHand }, restore) {
    const by = byHand ? 'on the admin port, until a restart' : 'by the file of --revoked';
    this.element = element(
      'li',
      { 'data-served': 'false' },
      element('div', {}, element('p', { class: 'key-name' }, `${kind} ${name}`), element('p', { class: 'quiet' }, by)),
    );
    this.button = element(
      'button',
      { type: 'button', class: 'plain', 'aria-label': `Restore ${kind} ${name}` },
      'Restore',
    );
    if (!byHand || kind === 'token') return;
    this.button.addEventListener('click', () => void restore(kind, name));
    this.element.append(this.button);
  }

  /** @param {boolean} mayAct */
  show(mayAct) {
    this.button.disabled = !mayAct;
  }
}
