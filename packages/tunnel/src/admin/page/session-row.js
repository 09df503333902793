// One session of an agent: how it is, what runs on it, and the controls that act on it.
import { element, setData, setText } from './elements.js';
import { Plot } from './plot.js';
import { SureButton } from './sure-button.js';
import { bytes, count, duration, milliseconds } from './words.js';

/** @typedef {import('../snapshot.ts').SessionView} SessionView */
/** @typedef {(key: string, action: 'drain' | 'resume' | 'weight' | 'cut', body: Record<string, unknown>) => Promise<void>} Act */
/**
 * What all rows are drawn by.
 * @typedef {object} Frame
 * @property {number} at
 * @property {{ down: number, up: number }} scale bytes per second that fill a plot
 * @property {number} busiest streams that fill a bar
 * @property {boolean} mayAct
 * @property {boolean} weightCounts
 */

const STATES = {
  available: 'takes requests',
  full: 'full',
  draining: 'draining',
  unhealthy: 'unhealthy',
  probing: 'being probed',
  closed: 'closed',
};

/** Milliseconds before the end of its token from which a session says so. */
const ENDS_SOON = 600_000;

export class SessionRow {
  /** @type {SessionView | undefined} */
  #session;
  #isAsking = false;

  /**
   * @param {string} key
   * @param {Act} act
   */
  constructor(key, act) {
    this.key = key;
    this.act = act;
    this.state = element('span', { class: 'state' });
    this.age = element('span', { class: 'quiet' });
    this.load = element('span', { class: 'load' });
    this.bar = element('span', { class: 'bar' });
    this.streams = element('span');
    this.rtt = element('span', { class: 'quiet' });
    this.plot = new Plot(['down', 'up']);
    this.down = element('span', { class: 'down' });
    this.up = element('span', { class: 'up' });
    this.reason = element('p', { class: 'reason' });
    this.input = element('input', {
      type: 'number',
      min: '0',
      step: 'any',
      required: true,
      'aria-label': `Weight of ${key}`,
    });
    this.set = element('button', { class: 'set' }, 'Set');
    this.weight = element(
      'form',
      { class: 'weight' },
      element('span', { class: 'quiet' }, 'weight'),
      this.input,
      this.set,
    );
    this.button = element('button', { type: 'button' });
    this.cut = new SureButton('Cut', key, 'plain', () => void this.#ask('cut', {}));
    this.cut.element.title = 'Ends the session and what runs on it; its agent may come back';
    this.bar.append(this.load);
    this.element = element(
      'li',
      { class: 'session', 'data-key': key },
      element(
        'div',
        { class: 'who' },
        element('p', {}, element('span', { class: 'key-name' }, key), ' ', this.age),
        element('p', {}, this.state),
      ),
      element('div', { class: 'work' }, element('p', { class: 'streams' }, this.streams, this.rtt), this.bar),
      element('div', { class: 'traffic' }, this.plot.element, element('p', { class: 'rates' }, this.down, this.up)),
      this.weight,
      element('div', { class: 'actions' }, this.button, this.cut.element),
      this.reason,
    );
    this.weight.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#ask('weight', { weight: this.input.valueAsNumber });
    });
    this.input.addEventListener('input', () => this.#offerSet());
    this.input.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      this.input.value = String(this.#session?.weight ?? '');
      this.#offerSet();
    });
    this.button.addEventListener('click', () => {
      if (this.#session?.state === 'draining') void this.#ask('resume', {});
      else void this.#ask('drain', { reason: 'asked on the dashboard' });
    });
  }

  /**
   * @param {SessionView} session
   * @param {Frame} frame
   */
  show(session, { at, scale, busiest, mayAct, weightCounts }) {
    const { state, active, pending, cap, rtt, plot, weight, leaving } = session;
    const isEdited = this.#isEdited();
    this.#session = session;
    setData(this.element, 'state', state);
    setText(this.state, STATES[state]);
    setText(this.age, duration(at - session.joinedAt));
    setText(this.streams, `${active} of ${count(cap, 'stream')}${pending > 0 ? `, ${pending} opening` : ''}`);
    this.load.style.width = `${Math.min(100, ((active + pending) / busiest) * 100)}%`;
    setText(this.rtt, rtt === null ? '' : `rtt ${milliseconds(rtt)}`);
    this.plot.show(plot, scale);
    setText(this.down, `${bytes(plot.down.at(-1) ?? 0)}/s`);
    setText(this.up, `${bytes(plot.up.at(-1) ?? 0)}/s`);
    if (!isEdited) this.input.value = String(weight);
    this.#offerSet();
    this.input.disabled = !mayAct || !weightCounts;
    this.weight.title = weightCounts ? '' : 'Weights count where the gateway runs with --balance weighted';
    setData(this.weight, 'off', String(!weightCounts));
    setText(this.button, state === 'draining' ? 'Resume' : 'Drain');
    this.button.setAttribute('aria-label', `${state === 'draining' ? 'Resume' : 'Drain'} ${this.key}`);
    this.button.disabled = !mayAct || this.#isAsking || (state === 'draining' && leaving);
    this.cut.disabled = !mayAct || this.#isAsking;
    setText(this.reason, reasonOf(session, at));
    this.reason.hidden = this.reason.textContent === '';
  }

  /** Whoever is typing is not interrupted by the next snapshot. */
  #isEdited() {
    return this.#session !== undefined && this.input.value !== String(this.#session.weight);
  }

  #offerSet() {
    this.set.hidden = !this.#isEdited();
    this.set.disabled = this.#isAsking || this.input.disabled;
  }

  /**
   * @param {'drain' | 'resume' | 'weight' | 'cut'} action
   * @param {Record<string, unknown>} body
   */
  async #ask(action, body) {
    if (this.#isAsking) return;
    this.#isAsking = true;
    await this.act(this.key, action, body);
    this.#isAsking = false; // what has become of it, the next snapshot shows
  }
}

/**
 * @param {SessionView} session
 * @param {number} at
 */
function reasonOf({ state, drainReason, drainStartedAt, lastError, failures, opens, refusing, expires }, at) {
  if (state === 'draining') {
    const since = drainStartedAt === null ? '' : `Draining for ${duration(at - drainStartedAt)}`;
    return drainReason === null ? since : `${since}: ${drainReason}`;
  }
  if (state === 'unhealthy' || state === 'probing') {
    const rate = `${failures} of ${count(opens, 'open')} failed`;
    return lastError === null ? rate : `${rate}, the last by: ${lastError}`;
  }
  if (refusing.length > 0) return `Its target refuses connections for ${refusing.join(', ')}`;
  if (expires - at < ENDS_SOON) return `Ends with its token in ${duration(Math.max(0, expires - at))}`;
  return '';
}
