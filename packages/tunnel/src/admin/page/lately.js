// The latest requests and events. Nothing in them can be clicked or typed into, so they are drawn anew each time something has come.
import { byId, element } from './elements.js';
import { bytes, milliseconds, timeOfDay } from './words.js';

/** @typedef {import('../activity.ts').PastRequest} PastRequest */
/** @typedef {import('../activity.ts').PastEvent} PastEvent */

const HEADINGS = ['Ended', 'Kind', 'Route', 'Agent', 'Status', 'Took', 'Up', 'Down'];

export class Lately {
  #shownRequests = '';
  #shownEvents = '';

  /** @param {import('../snapshot.ts').Snapshot} snapshot */
  show({ requests, events }) {
    const latestRequest = requests[0]?.requestId ?? 'none';
    if (latestRequest !== this.#shownRequests) byId('requests').replaceChildren(requestTable(requests));
    this.#shownRequests = latestRequest;
    const latestEvent = JSON.stringify(events[0] ?? 'none');
    if (latestEvent !== this.#shownEvents) byId('events').replaceChildren(eventList(events));
    this.#shownEvents = latestEvent;
  }
}

/** @param {readonly PastRequest[]} requests */
function requestTable(requests) {
  if (requests.length === 0) return element('p', { class: 'empty' }, 'No request has ended yet.');
  const head = element('tr', {}, ...HEADINGS.map((heading) => element('th', { scope: 'col' }, heading)));
  const rows = requests.map((request) => {
    const { outcome, status, code } = request;
    const words = outcome === 'complete' ? String(status ?? 'complete') : [status, outcome].filter(Boolean).join(' ');
    const isBad = outcome === 'cut' || (status ?? 0) >= 500 || (outcome === 'refused' && status === undefined);
    const state = element('span', { class: 'status' }, words);
    const cells = [
      element('td', { class: 'time' }, timeOfDay(request.endedAt)),
      element('td', {}, request.kind),
      element('td', { class: 'route' }, request.service ?? 'none'),
      element('td', {}, agentOf(request)),
      element('td', {}, state, ...(code === undefined ? [] : [' ', element('span', { class: 'code' }, code)])),
      element('td', { class: 'number' }, milliseconds(request.milliseconds)),
      element('td', { class: 'number' }, bytes(request.bytesUp)),
      element('td', { class: 'number' }, bytes(request.bytesDown)),
    ];
    for (const [index, cell] of cells.entries()) cell.setAttribute('data-heading', HEADINGS[index] ?? '');
    return element('tr', { 'data-bad': String(isBad), 'data-outcome': outcome }, ...cells);
  });
  return element('table', { class: 'requests' }, element('thead', {}, head), element('tbody', {}, ...rows));
}

/** @param {PastRequest} request */
function agentOf({ agent, via }) {
  return via === undefined ? (agent ?? '–') : `${agent} via ${via}`;
}

/** @param {readonly PastEvent[]} events */
function eventList(events) {
  if (events.length === 0) return element('p', { class: 'empty' }, 'Nothing has happened yet.');
  const rows = events.map(({ at, kind, subject, text, times }) =>
    element(
      'li',
      { 'data-kind': kind },
      element('time', { class: 'time' }, timeOfDay(at)),
      element(
        'p',
        {},
        element('span', { class: 'key-name' }, subject),
        ` ${text}${times > 1 ? ` (${times} times)` : ''}`,
      ),
    ),
  );
  return element('ol', { class: 'events' }, ...rows);
}
