// The last minute as a small plot: down from agents above the line, up to agents below it; or one series alone. For the eye only: the
// figures stand beside it as text.

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 59; // sixty samples, one unit apart
const HEIGHT = 24;

/** @typedef {'down' | 'up' | 'plain' | 'bad'} Kind */

export class Plot {
  /** @type {Map<Kind, { area: SVGPathElement, line: SVGPathElement }>} */
  #paths = new Map();
  /** Where nothing is, between two kinds. */
  #zero = part('path', { class: 'zero' });

  /** @param {readonly Kind[]} kinds one; or down and up, which hangs from the same line */
  constructor(kinds) {
    this.element = part('svg', { class: 'plot', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none' });
    this.element.setAttribute('aria-hidden', 'true');
    for (const kind of kinds) {
      const area = part('path', { class: `area ${kind}` });
      const line = part('path', { class: `line ${kind}` });
      this.#paths.set(kind, { area, line });
      this.element.append(area, line);
    }
    if (kinds.length > 1) this.element.append(this.#zero);
  }

  /**
   * @param {Partial<Record<Kind, readonly number[]>>} series
   * @param {Partial<Record<Kind, number>>} max what each may reach; together they fill the height, in one scale
   */
  show(series, max) {
    const isMirrored = this.#paths.size > 1;
    const { down = 1, up = 1 } = max;
    const zero = isMirrored ? 1 + ((HEIGHT - 2) * down) / (down + up) : HEIGHT - 0.5;
    this.#zero.setAttribute('d', `M0 ${zero.toFixed(2)}H${WIDTH}`);
    for (const [kind, { area, line }] of this.#paths) {
      const values = series[kind] ?? [];
      const reach = isMirrored && kind === 'up' ? HEIGHT - 1 - zero : 1 - zero;
      const first = WIDTH + 1 - values.length;
      const points = values.map((value, index) => {
        const y = zero + reach * Math.min(value / (max[kind] ?? 1), 1);
        return `${first + index} ${y.toFixed(2)}`;
      });
      const d = points.length < 2 ? '' : `M${points.join('L')}`;
      line.setAttribute('d', d);
      area.setAttribute('d', d && `${d}L${WIDTH} ${zero.toFixed(2)}L${first} ${zero.toFixed(2)}Z`);
    }
  }
}

/**
 * The largest value, up to the next round figure, so that the scale rests while the values move.
 * @param {readonly (readonly number[])[]} all
 * @param {number} least so that next to nothing looks like it
 */
export function scaleOf(all, least) {
  const max = Math.max(least, ...all.map((values) => Math.max(0, ...values)));
  const magnitude = 10 ** Math.floor(Math.log10(max));
  return ([1, 1.5, 2, 3, 5, 7].find((step) => step * magnitude >= max) ?? 10) * magnitude;
}

/**
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string>} attributes
 */
function part(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}
