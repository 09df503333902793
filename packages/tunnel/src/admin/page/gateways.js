// The gateways of a fleet, and the engine where they find each other. Nothing in it can be clicked, so it is drawn anew each time.
import { byId, element, setText } from './elements.js';
import { count, duration, milliseconds } from './words.js';

/** @typedef {import('../fleet-view.ts').FleetView} FleetView */
/** @typedef {import('../fleet-view.ts').FleetGatewayView} FleetGatewayView */

const HEADINGS = ['Gateway', 'State', 'Sessions', 'Streams', 'Round trip', 'Last beat', 'Asked of it', 'It asked'];
const STATES = { serving: 'serving', draining: 'draining', lost: 'no link' };

export class GatewayList {
  /** @param {FleetView | null} fleet */
  show(fleet) {
    byId('gateways-section').hidden = fleet === null;
    if (fleet === null) return;
    setText(byId('engine'), engineText(fleet));
    const head = element('tr', {}, ...HEADINGS.map((heading) => element('th', { scope: 'col' }, heading)));
    const body = element('tbody', {}, ...fleet.gateways.map(row));
    byId('gateways').replaceChildren(element('table', { class: 'gateways' }, element('thead', {}, head), body));
  }
}

/** @param {FleetView} fleet */
function engineText({ engine, gateways }) {
  const there = count(gateways.length, 'gateway');
  if (engine.silentFor === null) return `${there}; the directory answers`;
  return `${there}; the directory does not answer: serving the last known view since ${duration(engine.silentFor)}`;
}

/** @param {FleetGatewayView} gateway */
function row({ name, isSelf, state, reason, sessions, streams, rtt, beatAge, forwards }) {
  const status = element('span', { class: 'status' }, STATES[state]);
  const cells = [
    element('td', { class: 'key-name' }, isSelf ? `${name} (this one)` : name),
    element('td', {}, status, ...(reason === null ? [] : [' ', element('span', { class: 'code' }, reason)])),
    element('td', { class: 'number' }, sessions.toLocaleString('en')),
    element('td', { class: 'number' }, streams.toLocaleString('en')),
    element('td', { class: 'number' }, rtt === null ? '–' : milliseconds(rtt)),
    element('td', { class: 'number' }, `${duration(beatAge)} ago`),
    element('td', { class: 'number' }, isSelf ? '–' : forwards.out.toLocaleString('en')),
    element('td', { class: 'number' }, isSelf ? '–' : forwards.in.toLocaleString('en')),
  ];
  for (const [index, cell] of cells.entries()) cell.setAttribute('data-heading', HEADINGS[index] ?? '');
  return element('tr', { 'data-bad': String(state === 'lost'), 'data-gateway': name }, ...cells);
}
