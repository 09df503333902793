// Takes out of a program what its two ends cannot do with each other, so that on a straight connection it always comes to an end.
import type { AnswerPlan, Program, RequestPlan } from './program.ts';
import { badAnswer, endsConnection, mayswitch, refusalOf } from './rules.ts';

type Exchange = Program['exchanges'][number];

export function consistent(program: Program): Program {
  const exchanges: Exchange[] = [];
  for (const exchange of program.exchanges) {
    let request = consistentRequest(exchange.request);
    const answer = consistentAnswer(exchange.answer, request);
    // Where it is not switched to, bytes for another protocol would be a request that is none.
    if (answer.talk === null) request = { ...request, behind: 0 };
    exchanges.push({ request, answer });
    if (answer.talk !== null) break; // what comes behind would be said to the other protocol
  }
  const talks = exchanges.at(-1)?.answer.talk != null;
  const pieces = exchanges.every(isGentle) ? program.pieces : 'one';
  return { ...program, exchanges, pieces, leaving: talks ? null : program.leaving };
}

/**
 * Whether nobody has a reason to close the connection while the client is still writing. A write that fails takes with it what was there to
 * be read, now and then: a client that says all at once has read it before.
 */
function isGentle({ request, answer }: Exchange): boolean {
  if (refusalOf(request) !== 'no' || endsConnection(request) || badAnswer(answer, request) !== 'no') return false;
  if (answer.cut !== null || answer.beyond > 0 || (answer.when === 'head' && request.framing !== 'none')) return false;
  return answer.ending === 'keep' || answer.ending === 'FIN';
}

function consistentRequest(plan: RequestPlan): RequestPlan {
  let request = plan;
  if (request.method === 'CONNECT')
    request = { ...request, target: 'authority', framing: 'none', expect: 'no', upgrade: '' };
  else if (request.target === 'asterisk') request = { ...request, method: 'OPTIONS' };
  if (request.framing === 'none') request = { ...request, expect: 'no' };
  if (request.version === '1.0' && request.expect === 'waits') request = { ...request, expect: 'no' };
  return request;
}

function consistentAnswer(plan: AnswerPlan, request: RequestPlan): AnswerPlan {
  let answer = plan;
  const switches = answer.status === '101' && mayswitch(request) && request.framing === 'none';
  if (answer.status === '101') answer = { ...answer, framing: 'none', beyond: 0, cut: null, size: 0 };
  if (switches)
    answer = {
      ...answer,
      when: 'head',
      delay: 0,
      connection: '',
      ending: 'FIN',
      talk: answer.talk ?? { client: 1, origin: 1, ends: 'origin', how: 'FIN' },
    };
  else answer = { ...answer, talk: null };
  if (answer.status === '101' && !switches) answer = { ...answer, ending: 'FIN' };
  const hasNoBody = request.method === 'HEAD' || answer.status === '204' || answer.status === '304';
  const isByItsEnd = (answer.framing === 'close' || answer.framing === 'none') && !hasNoBody && answer.status !== '101';
  if (isByItsEnd)
    answer = { ...answer, framing: 'close', beyond: 0, ending: answer.ending === 'keep' ? 'FIN' : answer.ending };
  if (answer.framing === 'two sizes') answer = { ...answer, ending: 'FIN' };
  const closes = /close/.test(answer.connection) || (request.version === '1.0' && answer.connection !== 'keep-alive');
  if (closes && answer.ending === 'keep') answer = { ...answer, ending: 'FIN' };
  // Who sends what is beyond an answer keeps no connection in order.
  if (answer.beyond > 0 && answer.ending === 'keep') answer = { ...answer, ending: 'FIN' };
  if (answer.ending === 'closes unread' && answer.framing === 'close') answer = { ...answer, framing: 'sized' };
  const continues = answer.interim.some(({ status }) => status === 100);
  if (request.expect === 'waits' && answer.when === 'body' && !continues) {
    answer = { ...answer, interim: [{ status: 100, fields: [] }, ...answer.interim] };
  }
  return answer;
}
