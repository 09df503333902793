// The routes with who serves them, and the form that says why one is not served.
import { explain } from './api.js';
import { byId, element, KeyedList, setData, setText } from './elements.js';
import { count } from './words.js';

/** @typedef {import('../snapshot.ts').RouteView} RouteView */

const VERDICTS = {
  eligible: 'may be picked',
  filtered: 'not for it',
  draining: 'draining',
  unhealthy: 'unhealthy',
  full: 'full',
  closed: 'closed',
};

export class RouteList {
  /** @type {KeyedList<RouteView, RouteRow>} */
  #rows;

  /** @param {(error: unknown) => void} onError */
  constructor(onError) {
    this.onError = onError;
    this.form = /** @type {HTMLFormElement} */ (byId('why-form'));
    this.empty = element('p', { class: 'empty' }, 'No route is known yet: they come with the agents that serve them.');
    const list = element('ul', { class: 'routes' });
    byId('routes').append(this.empty, list);
    this.#rows = new KeyedList(
      list,
      (route) => new RouteRow(route.service, () => this.#explain(...hostAndPath(route.service))),
      (row, route) => row.show(route),
    );
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#explain(this.#field('host').value.trim(), this.#field('path').value.trim());
    });
  }

  /** @param {readonly RouteView[]} routes */
  show(routes) {
    this.empty.hidden = routes.length > 0;
    this.#rows.show(new Map(routes.map((route) => [route.service, route])));
  }

  /** @param {string} name */
  #field(name) {
    return /** @type {HTMLInputElement} */ (this.form.elements.namedItem(name));
  }

  /**
   * @param {string} host
   * @param {string} path
   */
  async #explain(host, path) {
    this.#field('host').value = host;
    this.#field('path').value = path;
    try {
      const { summary, sessions, gateways } = await explain(host, path);
      // Those that are not for the route are the least of its reasons.
      const sorted = [...sessions].sort((a, b) => Number(a.verdict === 'filtered') - Number(b.verdict === 'filtered'));
      const rows = sorted.map(({ key, verdict, detail }) =>
        element(
          'li',
          { 'data-verdict': verdict },
          element(
            'p',
            {},
            element('span', { class: 'key-name' }, key),
            ' ',
            element('span', { class: 'state' }, VERDICTS[verdict]),
          ),
          element('p', { class: 'quiet' }, `${detail}.`),
        ),
      );
      byId('why').replaceChildren(
        element('p', { class: 'summary' }, summary),
        element('ul', { class: 'reasons' }, ...rows, ...gateways.map(gatewayRow)),
      );
    } catch (error) {
      this.onError(error);
    }
  }
}

const REACHED = {
  eligible: 'may be asked',
  draining: 'draining',
  unreachable: 'no link',
  gone: 'gone',
};

/** @param {import('../explanation.ts').GatewayExplanation} gateway */
function gatewayRow({ gateway, verdict, detail }) {
  return element(
    'li',
    { 'data-verdict': verdict },
    element(
      'p',
      {},
      element('span', { class: 'key-name' }, gateway),
      ' ',
      element('span', { class: 'state' }, REACHED[verdict]),
    ),
    element('p', { class: 'quiet' }, `${detail}.`),
  );
}

class RouteRow {
  /**
   * @param {string} service
   * @param {() => void} ask
   */
  constructor(service, ask) {
    this.agents = element('p', { class: 'quiet' });
    this.port = element('span', { class: 'quiet' });
    const button = element('button', { type: 'button', class: 'plain', 'aria-label': `Why? ${service}` }, 'Why?');
    button.addEventListener('click', ask);
    this.element = element(
      'li',
      {},
      element('div', {}, element('p', { class: 'key-name' }, service, ' ', this.port), this.agents),
      button,
    );
  }

  /** @param {RouteView} route */
  show({ agents, port, elsewhere }) {
    const isServed = elsewhere.length > 0 || agents.some(({ available }) => available > 0);
    setData(this.element, 'served', String(isServed));
    setText(this.port, port === null ? '' : `port ${port}`);
    const names = agents.map(({ agent, sessions, available }) => {
      if (available < sessions) return `${agent} (${available} of ${sessions})`;
      return sessions === 1 ? agent : `${agent} (${sessions})`;
    });
    names.push(...elsewhere.map(({ gateway, sessions }) => `${count(sessions, 'session')} at ${gateway}`));
    setText(this.agents, names.length === 0 ? 'nobody: its agents are gone' : names.join(', '));
  }
}

/**
 * @param {string} service
 * @returns {[string, string]}
 */
function hostAndPath(service) {
  const slash = service.indexOf('/');
  return slash === -1 ? [service, ''] : [service.slice(0, slash), service.slice(slash)];
}
