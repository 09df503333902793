// The dashboard: follows the gateway, shows what it tells, and acts where it has the token.
import { Agents } from './agents.js';
import { act, actOnAll, follow, hasToken, RefusedError, setToken, takeToken } from './api.js';
import { byId, setData, setText } from './elements.js';
import { Figures } from './figures.js';
import { GatewayList } from './gateways.js';
import { Lately } from './lately.js';
import { RevokedList } from './revoked.js';
import { RouteList } from './routes.js';
import { duration } from './words.js';

const STATES = { serving: 'Serving', waiting: 'Waiting for agents', draining: 'Draining' };

const figures = new Figures();
const agents = new Agents({
  act: (key, action, body) => asked(act(key, action, body)),
  revoke: (agent) => asked(actOnAll('agent', agent, 'revoke')),
});
const revoked = new RevokedList((kind, name) => asked(actOnAll(kind, name, 'restore')));
const routes = new RouteList(onRefused);
const lately = new Lately();
const gateways = new GatewayList();
/** @type {import('../snapshot.ts').Snapshot | undefined} */
let latest;

takeToken();
addEventListener('hashchange', () => {
  takeToken();
  tryAgain();
});
byId('token-form').addEventListener('submit', (event) => {
  event.preventDefault();
  const input = /** @type {HTMLInputElement} */ (byId('token'));
  setToken(input.value.trim());
  input.value = '';
  say('');
  if (latest !== undefined) show(latest);
  tryAgain();
});
const tryAgain = follow(show, (error, retryIn) => {
  setData(byId('link'), 'lost', 'true');
  if (error instanceof RefusedError && error.status === 401) {
    if (hasToken()) say('The gateway did not take this token.');
    setToken(undefined);
    setText(byId('link'), 'locked');
    askForToken('This gateway shows itself only to who has its admin token');
    return;
  }
  setText(byId('link'), `connection lost, trying again in ${duration(Math.max(retryIn, 1000))}`);
  setData(document.body, 'stale', 'true');
});

/** @param {import('../snapshot.ts').Snapshot} snapshot */
function show(snapshot) {
  latest = snapshot;
  const { gateway, at } = snapshot;
  byId('main').hidden = false;
  setData(document.body, 'stale', 'false');
  setData(byId('link'), 'lost', 'false');
  setText(byId('link'), 'live');
  setText(byId('where'), gateway.url);
  setText(
    byId('state'),
    gateway.reason === null ? STATES[gateway.state] : `${STATES[gateway.state]}: ${gateway.reason}`,
  );
  setData(byId('state'), 'state', gateway.state);
  setText(byId('uptime'), `up ${duration(at - gateway.startedAt)}`);
  document.title = gateway.state === 'serving' ? 'Tunnel gateway' : `${STATES[gateway.state]} – Tunnel gateway`;
  if (hasToken()) byId('token-form').hidden = true;
  else askForToken('Looking only. To act, give the admin token');
  figures.show(gateway);
  gateways.show(snapshot.fleet);
  agents.show(snapshot, hasToken());
  routes.show(snapshot.routes);
  revoked.show(gateway.revoked, hasToken());
  lately.show(snapshot);
}

/** @param {string} label */
function askForToken(label) {
  setText(byId('token-label'), label);
  byId('token-form').hidden = false;
}

/**
 * What has become of it, the next snapshot shows.
 * @param {Promise<void>} answered
 */
async function asked(answered) {
  try {
    await answered;
    say('');
  } catch (error) {
    onRefused(error);
  }
}

/** @param {unknown} error */
function onRefused(error) {
  if (error instanceof RefusedError && error.status === 401) {
    setToken(undefined);
    say('The gateway did not take this token.');
    if (latest !== undefined) show(latest);
  } else {
    say(error instanceof Error ? `That did not work: ${error.message}` : String(error));
  }
}

/** @param {string} text '' for nothing */
function say(text) {
  setText(byId('notice'), text);
  byId('notice').hidden = text === '';
}
