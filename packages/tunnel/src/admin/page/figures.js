// The row at the top: what the gateway does now, and did over the last minute.
import { byId, element, setData, setText } from './elements.js';
import { Plot, scaleOf } from './plot.js';
import { bytes, count } from './words.js';

export class Figures {
  constructor() {
    this.requests = figure('requests', 'plain');
    this.down = figure('from agents', 'down');
    this.up = figure('to agents', 'up');
    this.running = figure('running now', 'plain');
    this.failed = figure('failed in a minute', 'bad');
  }

  /** @param {import('../snapshot.ts').GatewayView} gateway */
  show({ plot, running, bytes: total, served, failed, failedLately, limited }) {
    const { requests, tcpConnections } = running;
    const latest = plot.requests.at(-1) ?? 0;
    const perSecond = `${latest < 10 ? latest : Math.round(latest).toLocaleString('en')}/s`;
    this.requests.show(perSecond, `${served.toLocaleString('en')} in all`, plot.requests, scaleOf([plot.requests], 5));
    const scale = scaleOf([plot.up, plot.down], 10_000); // one for both: which is more is seen, not read
    for (const kind of /** @type {const} */ (['down', 'up'])) {
      const rate = `${bytes(plot[kind].at(-1) ?? 0)}/s`;
      this[kind].show(rate, `${bytes(total[kind])} in all`, plot[kind], scale);
    }
    const kinds = `${count(requests, 'request')}, ${tcpConnections.toLocaleString('en')} TCP`;
    const now = (requests + tcpConnections).toLocaleString('en');
    this.running.show(now, kinds, plot.running, scaleOf([plot.running], 5));
    const lately = failedLately.toLocaleString('en');
    const refused = limited === 0 ? '' : `, ${count(limited, 'client')} limited`;
    this.failed.show(lately, `${failed.toLocaleString('en')} in all${refused}`, plot.failed, scaleOf([plot.failed], 5));
    setData(this.failed.element, 'bad', String(failedLately > 0));
  }
}

/**
 * @param {string} name
 * @param {import('./plot.js').Kind} kind
 */
function figure(name, kind) {
  const value = element('p', { class: 'value' });
  const note = element('p', { class: 'quiet' });
  const plot = new Plot([kind]);
  const whole = element('div', { class: 'figure' }, value, element('p', { class: 'name' }, name), note, plot.element);
  byId('figures').append(whole);
  return {
    element: whole,
    /**
     * @param {string} nowText
     * @param {string} noteText
     * @param {readonly number[]} values
     * @param {number} max
     */
    show(nowText, noteText, values, max) {
      setText(value, nowText);
      setText(note, noteText);
      plot.show({ [kind]: values }, { [kind]: max });
    },
  };
}
