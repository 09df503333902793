// A button for what cannot be taken back: it asks when it is pressed, and acts when it is pressed again. It has forgotten that after a while, by
// Escape, and when the focus goes elsewhere.
import { element, setText } from './elements.js';

/** Milliseconds in which it may be pressed again. */
const SURE_IN = 5_000;

export class SureButton {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #asked;

  /**
   * @param {string} label what it does: Cut
   * @param {string} subject to what: alpha~1
   * @param {string} className
   * @param {() => void} act
   */
  constructor(label, subject, className, act) {
    this.label = label;
    this.subject = subject;
    this.element = element('button', { type: 'button', class: className });
    this.element.addEventListener('click', () => {
      const isSure = this.#asked !== undefined;
      this.#ask(!isSure);
      if (isSure) act();
    });
    this.element.addEventListener('blur', () => this.#ask(false));
    this.element.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.#ask(false);
    });
    this.#ask(false);
  }

  /** @param {boolean} isDisabled */
  set disabled(isDisabled) {
    if (isDisabled && !this.element.disabled) this.#ask(false);
    this.element.disabled = isDisabled;
  }

  /** @param {boolean} isAsked */
  #ask(isAsked) {
    clearTimeout(this.#asked);
    this.#asked = isAsked ? setTimeout(() => this.#ask(false), SURE_IN) : undefined;
    setText(this.element, isAsked ? 'Sure?' : this.label);
    this.element.setAttribute('aria-label', `${isAsked ? 'Sure? ' : ''}${this.label} ${this.subject}`);
    this.element.toggleAttribute('data-asks', isAsked);
  }
}
