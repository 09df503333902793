// A program as a person reads it: what each side says, and nothing of what it does not.
import { answerParts, hasBody, interimText, type Program, requestParts } from './program.ts';

/** Several lines; the last one is the program as data, for the examples of http.property.test.ts. */
export function describeProgram(program: Program): string {
  const lines = [`the client writes by ${program.pieces}${leavingInWords(program)}`];
  program.exchanges.forEach(({ request, answer }, index) => {
    const asked = requestParts(request, `P.${index}`, `/${index}`);
    const after = request.after > 0 ? `, after ${Math.min(request.after, index)} answers` : '';
    const expect = request.expect === 'waits' ? ', the body after 100' : '';
    lines.push(`client ${index}${after}${expect}: ${shown([asked.head, ...asked.body].join(''))}`);
    const said = answerParts(answer, hasBody(request.method, answer.status));
    const when = answer.when === 'head' ? ', at the head' : '';
    const delay = answer.delay > 0 ? `, ${answer.delay} ms later` : '';
    const all = [said.head, ...said.body].join('');
    const text = answer.cut === null ? all : all.slice(0, answer.cut.at % (all.length + 1));
    const end = answer.cut === null ? answer.ending : `cut by ${answer.cut.how}`;
    lines.push(
      `origin ${index}${when}${delay}, by ${answer.pieces}: ${shown(answer.interim.map(interimText).join('') + text)} ${end}`,
    );
    if (answer.talk !== null) lines.push(`  then ${JSON.stringify(answer.talk)}`);
  });
  return [...lines, `as data: ${shown(JSON.stringify(program), false)}`].join('\n  ');
}

function leavingInWords({ leaving }: Program): string {
  if (leaving === null) return '';
  const at = leaving.at === null ? 'everything' : `${leaving.at} bytes (modulo all)`;
  const how = { half: 'half-closes', close: 'closes', reset: 'resets' }[leaving.how];
  return `, and ${how} after ${at}${leaving.how === 'half' ? '' : ` and ${leaving.after} answers`}`;
}

/** One line; what is long and the same over and over is told by its length. */
function shown(text: string, quoted = true): string {
  const short = text
    .replace(/(a: b\r\n|X-Many: b\r\n){9,}/g, (all) => `(${all.length} bytes of ${all.slice(0, 4)})`)
    .replace(/(.)\1{39,}/g, (all) => `(${all.length} × ${all[0]})`);
  const cut = short.length > 1_500 ? `${short.slice(0, 1_500)}… (${text.length} bytes)` : short;
  return quoted ? JSON.stringify(cut) : short.length > 6_000 ? 'too long' : short;
}
