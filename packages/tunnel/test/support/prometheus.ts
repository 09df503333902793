// The text format of Prometheus, version 0.0.4, read as strictly as the page that defines it allows; what a lenient scraper would let
// pass is an error here. https://prometheus.io/docs/instrumenting/exposition_formats/
const TYPES = ['counter', 'gauge', 'histogram', 'summary', 'untyped'];
const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"';
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)\\})? (\\S+)$`);
const VALUE = /^(?:[+-]?Inf|NaN|[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?)$/i;

export interface Family {
  readonly type: string;
  readonly help: string;
  /** By what follows the name of the family: `_bucket{le="1"}`, `{kind="http"}`, or nothing. Labels are in order of their names. */
  readonly samples: Map<string, number>;
}

/** @throws Error that names the first line that is not of the format. */
export function parsePrometheus(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line must end with a line feed');
  const families = new Map<string, Family>();
  let help: { name: string; text: string } | undefined;
  let current: { name: string; family: Family } | undefined;
  for (const line of text.slice(0, -1).split('\n')) {
    const fail = (why: string): never => {
      throw new Error(`${why}: ${line}`);
    };
    if (line === '') continue;
    const [, keyword, name = '', rest = ''] = new RegExp(`^# (HELP|TYPE) (${NAME}) (.*)$`).exec(line) ?? [];
    if (keyword === 'HELP') {
      help = { name, text: rest };
    } else if (keyword === 'TYPE') {
      if (families.has(name)) fail('a family that is there already');
      if (!TYPES.includes(rest)) fail('an unknown type');
      if (help?.name !== name) fail('a family without its help');
      const family: Family = { type: rest, help: help?.text ?? '', samples: new Map() };
      families.set(name, family);
      current = { name, family };
    } else if (line.startsWith('#')) {
      fail('neither HELP nor TYPE');
    } else {
      const [, sample = fail('no sample'), labels = '', value = ''] = SAMPLE.exec(line) ?? [];
      if (current === undefined || !belongs(sample, current)) fail('a sample outside of its family');
      if (!VALUE.test(value)) fail('no number');
      const sorted = (labels.match(new RegExp(LABEL, 'g')) ?? []).sort();
      const names = sorted.map((label) => label.slice(0, label.indexOf('=')));
      if (new Set(names).size < names.length) fail('a label twice');
      const key = sample.slice(current?.name.length) + (sorted.length > 0 ? `{${sorted.join(',')}}` : '');
      if (current?.family.samples.has(key)) fail('a sample twice');
      if (current?.family.type === 'counter' && !(Number(value) >= 0)) fail('a counter below 0');
      current?.family.samples.set(key, numberOf(value));
    }
  }
  return families;
}

function belongs(sample: string, { name, family }: { name: string; family: Family }): boolean {
  if (family.type === 'histogram') return ['_bucket', '_sum', '_count'].some((suffix) => sample === name + suffix);
  return sample === name;
}

function numberOf(value: string): number {
  return /inf/i.test(value) ? (value.startsWith('-') ? -Infinity : Infinity) : Number(value);
}
