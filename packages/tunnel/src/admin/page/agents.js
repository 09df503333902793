// The sessions that are there, by agent.
import { byId, element, KeyedList, setText } from './elements.js';
import { scaleOf } from './plot.js';
import { SessionRow } from './session-row.js';
import { SureButton } from './sure-button.js';
import { count } from './words.js';

/** @typedef {import('../snapshot.ts').SessionView} SessionView */
/** @typedef {import('./session-row.js').Frame} Frame */
/**
 * What is done to sessions, and to agents.
 * @typedef {object} Actions
 * @property {import('./session-row.js').Act} act
 * @property {(agent: string) => Promise<void>} revoke
 */

export class Agents {
  /** @type {Frame} */
  #frame = { at: 0, scale: { down: 1, up: 1 }, busiest: 1, mayAct: false, weightCounts: false };
  /** @type {KeyedList<readonly SessionView[], AgentGroup>} */
  #groups;

  /** @param {Actions} actions */
  constructor(actions) {
    this.empty = element('p', { class: 'empty' });
    const list = element('div', { class: 'agents' });
    byId('sessions').append(this.empty, list);
    this.#groups = new KeyedList(
      list,
      (sessions) => new AgentGroup(sessions[0]?.agent ?? '', actions),
      (group, sessions) => group.show(sessions, this.#frame),
    );
  }

  /**
   * @param {import('../snapshot.ts').Snapshot} snapshot
   * @param {boolean} mayAct
   */
  show({ at, sessions, gateway }, mayAct) {
    const weightCounts = gateway.balance === 'weighted';
    // One scale for all sessions: who carries more is seen, not read.
    const scale = {
      down: scaleOf(
        sessions.map(({ plot }) => plot.down),
        10_000,
      ),
      up: scaleOf(
        sessions.map(({ plot }) => plot.up),
        10_000,
      ),
    };
    this.#frame = {
      at,
      scale,
      busiest: Math.max(10, ...sessions.map(({ active, pending }) => active + pending)),
      mayAct,
      weightCounts,
    };
    /** @type {Map<string, SessionView[]>} */
    const byAgent = new Map();
    for (const session of [...sessions].sort((a, b) => a.agent.localeCompare(b.agent) || a.joinedAt - b.joinedAt)) {
      const others = byAgent.get(session.agent);
      if (others === undefined) byAgent.set(session.agent, [session]);
      else others.push(session);
    }
    this.#groups.show(byAgent);
    this.empty.hidden = sessions.length > 0;
    setText(
      this.empty,
      gateway.state === 'draining'
        ? 'All agents have gone elsewhere.'
        : `No agent is here. One dials in at ${gateway.url.replace('http', 'ws')}${gateway.agentPath} with a token of this gateway.`,
    );
    const balance = weightCounts ? 'balanced by weight' : `balanced by ${gateway.balance}, weights do not count`;
    setText(
      byId('balance'),
      gateway.affinity === 'none' ? balance : `${balance}, after affinity by ${gateway.affinity}`,
    );
  }
}

class AgentGroup {
  /** @type {Frame | undefined} */
  #frame;
  /** @type {KeyedList<SessionView, SessionRow>} */
  #rows;

  /**
   * @param {string} agent
   * @param {Actions} actions
   */
  constructor(agent, { act, revoke }) {
    this.revoke = new SureButton('Revoke', agent, 'plain', () => void revoke(agent));
    this.revoke.element.title = 'Ends its sessions, and refuses it from now on';
    this.name = element('h3', {}, agent);
    this.tenant = element('p', { class: 'quiet' });
    this.count = element('p', { class: 'quiet' });
    const list = element('ul', { class: 'rows' });
    this.element = element(
      'article',
      { class: 'agent' },
      element('header', {}, this.name, this.tenant, this.count, this.revoke.element),
      list,
    );
    this.#rows = new KeyedList(
      list,
      (session) => new SessionRow(session.key, act),
      (row, session) => row.show(session, /** @type {Frame} */ (this.#frame)),
    );
  }

  /**
   * @param {readonly SessionView[]} sessions
   * @param {Frame} frame
   */
  show(sessions, frame) {
    this.#frame = frame;
    const tenants = [...new Set(sessions.map(({ tenant }) => tenant))].join(', ');
    this.revoke.disabled = !frame.mayAct;
    setText(this.tenant, `tenant ${tenants}`);
    setText(this.count, count(sessions.length, 'session'));
    this.#rows.show(new Map(sessions.map((session) => [session.key, session])));
  }
}
