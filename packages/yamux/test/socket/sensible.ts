// What of a program stays: the steps whose outcome would depend on time, on the order of what races, or on where a chunk is cut, are left out.

import { type Action, type EndName, otherEnd, type Program, type Step } from './program.ts';
import { LEAST_HIGH_WATER_MARK, LEAVES_A_REST } from './reading.ts';

/** Bytes that a stream takes for a peer who reads nothing, at least. */
const SURE_WINDOW = 131_072;

/** Leaves out what would depend on time. */
export function sensible(program: Program): Program {
  return [
    reusingInTime,
    decodingApart,
    puttingBackInTime,
    loopingApart,
    corkingFirst,
    throwingApart,
    withOneEcho,
    readingApart,
    asWebInTime,
    endingInTime,
    sinkingInPeace,
    timingApart,
    thinkingInPeace,
  ].reduce((rest, leaveOut) => leaveOut(rest), program);
}

/**
 * The next block is written when the one before is out: in the same round where all is within the window, or read as it comes, and where no end
 * of the peer's ends this side meanwhile.
 */
function reusingInTime(program: Program): Program {
  const all = program.rounds.flat();
  return keep(program, (step, steps) => {
    if (step.do !== 'reuse') return true;
    // A loop destroys what it has read to its end.
    const isLooping = all.some((other) => other.end === step.end && other.do === 'for await');
    const until = program.rounds.slice(0, program.rounds.indexOf(steps) + 1).flat();
    const mayBeDestroyed = isLooping && until.some((other) => other.end !== step.end && mayEnd(other));
    if (!program.allowHalfOpen[step.end] || mayBeDestroyed) return false;
    if (saidBefore(program, step.end) <= SURE_WINDOW) return true;
    const before = until.slice(0, -steps.length);
    const isRead = before.some(({ end, do: what }) => end !== step.end && what === 'data');
    const mayStop = all.some((other) => other.end !== step.end && (isEcho(other) || STOPS.has(other.do)));
    return isRead && !mayStop;
  });
}

/**
 * What unshift() hands to who reads at once is decoded or not by the time of the first read. And toWeb() throws at text, as Node has it. A
 * 'readable' that is under way while what is there becomes less than a character never comes, nor any later one: Node's, over sockets, where
 * streams go on. And of text in pieces, Node's read(n) gives all where it counts n: of much, some is left then, as it is cut.
 */
function decodingApart(program: Program): Program {
  const apart = program.rounds.flat().filter(({ do: what }) => what === 'unshift' || what === 'toWeb');
  return keep(program, (step, steps) => {
    if (step.do !== 'encoding') return true;
    const isUnderWay = ownBefore(step, steps).some(({ do: what }) => what === 'readable' || what === 'exactly');
    const isMuch = saidBefore(program, otherEnd(step.end)) > LEAST_HIGH_WATER_MARK;
    const isCounted = isMuch && program.rounds.flat().some((other) => other.end === step.end && readsBlocks(other));
    return (
      !apart.some(({ end }) => end === step.end) && !isCounted && !(isUnderWay && LEAVES_A_REST.has(step.encoding))
    );
  });
}

/**
 * A loop takes what is there in the tick in which it begins: of much, that is how it came in pieces, and setEncoding() decodes the rest, and
 * unshift() goes in front of it. And it looks at a connection that was destroyed in the same tick before its 'close' or behind it, at which
 * others read.
 */
function loopingApart(program: Program): Program {
  return keep(program, (step, steps) => {
    const before = ownBefore(step, steps);
    if (LOOKS.has(step.do)) return !before.some(({ do: what }) => BREAKS.has(what));
    if (step.do !== 'encoding' && step.do !== 'unshift') return true;
    const isCut = before.some(({ do: what }) => what === 'for await' || what === 'iterator');
    return !isCut || saidBefore(program, otherEnd(step.end), steps[0]) <= LEAST_HIGH_WATER_MARK;
  });
}

/** To who reads already, unshift() gives it at once behind a first read, and before that, as while a socket connects, when nothing stops it. */
function puttingBackInTime(program: Program): Program {
  return keep(program, (step, steps) => {
    if (step.do !== 'unshift' || saidBefore(program, otherEnd(step.end), steps[0]) > 0) return true;
    const behind = steps.slice(steps.indexOf(step)).filter(({ end }) => end === step.end);
    return !behind.some(({ do: what }) => READS.has(what) || STOPS.has(what) || BREAKS.has(what));
  });
}

/** What the same end does before it in the same round. */
function ownBefore(step: Step, steps: readonly Step[]): Step[] {
  return steps.slice(0, steps.indexOf(step)).filter(({ end }) => end === step.end);
}

/**
 * Who begins to read in two ways at once shares what is there by its chunks, unless that is little; and what unshift() puts back meanwhile goes
 * to the one or to the other.
 */
function readingApart(program: Program): Program {
  return keep(program, (step, steps) => {
    const putsBack = steps.some(({ end, do: what }) => end === step.end && what === 'unshift');
    if (!READS.has(step.do) || (saidBefore(program, otherEnd(step.end)) <= 1000 && !putsBack)) return true;
    return steps.find(({ end, do: what }) => end === step.end && READS.has(what)) === step;
  });
}

/** A timeout is none of an end whose last bytes a kernel took long ago, or in the same round, and which is closed by now. */
function timingApart(program: Program): Program {
  return keep(program, (step, steps) => {
    if (step.do !== 'setTimeout' && step.do !== 'idle') return true;
    const rounds = program.rounds.slice(0, program.rounds.indexOf(steps) + 1);
    return saidBefore({ ...program, rounds }, step.end) <= 100_000;
  });
}

/**
 * A loop over toWeb() is done when our side is finished, too: it is left out where that waits for the window, or where a 'fill' goes on or not by
 * the time at which an 'end' comes. And who reads beside it has what of the input is left by then.
 */
function asWebInTime(program: Program): Program {
  const all = program.rounds.flat();
  return keep(program, (step) => {
    if (step.do !== 'toWeb') return true;
    const isApart = all.every((other) => other === step || other.end !== step.end || !READS.has(other.do));
    return isApart && saidBefore(program, step.end) <= SURE_WINDOW;
  });
}

/**
 * What is more than a window is out over sockets, and the end with it, while it waits over streams: what an end then does behind its own end is
 * done to a socket that is closed by then. And destroySoon() destroys when the end is out: of much that is read meanwhile, some or all is.
 */
function endingInTime(program: Program): Program {
  return keep(program, (step, steps) => {
    if (step.do === 'destroySoon' && readsMuch(program, step.end, steps)) return false;
    const isHeard = writes(step) || (step.do === 'destroy' && step.error);
    const isLate =
      step.do === 'once'
        ? step.event === 'finish' || step.event === 'close'
        : LATE.has(step.do) || (isHeard && isBehindEnd(program, step));
    return !isLate || saidBefore(program, step.end) <= SURE_WINDOW;
  });
}

/** An end that reads, in this round, what more has come than both kinds have in Node's buffer. */
function readsMuch(program: Program, end: EndName, steps: readonly Step[]): boolean {
  const rounds = program.rounds.slice(0, program.rounds.indexOf(steps) + 1);
  const isUnderWay = steps.some((step) =>
    step.end === end ? READS.has(step.do) || step.do === 'resume' : writes(step),
  );
  return isUnderWay && saidBefore({ ...program, rounds }, otherEnd(end)) > LEAST_HIGH_WATER_MARK;
}

/** A step behind the end of its own side, or behind one that an event may bring. */
function isBehindEnd(program: Program, step: Step): boolean {
  const all = program.rounds.flat();
  const ends = (other: Step): boolean => {
    if (other.end !== step.end) return mayEnd(other) && !program.allowHalfOpen[step.end];
    return other.do === 'end' || (other.do === 'once' && other.act === 'end') || isEcho(other);
  };
  return all.slice(0, all.indexOf(step)).some(ends);
}

function mayEnd(step: Step): boolean {
  return step.do === 'once' ? step.act === 'end' || step.act === 'destroy' : ENDS.has(step.do) || step.do === 'die';
}

/** How many chunks a slow sink has taken when its end breaks off, depends on time. A write behind the own end breaks off, too. */
function sinkingInPeace(program: Program): Program {
  const all = program.rounds.flat();
  const isSlow = (step: Step): boolean => (step.do === 'pipe' || step.do === 'pipeline') && step.to === 'slow sink';
  const isLate = (step: Step): boolean => writes(step) && isBehindEnd(program, step);
  return keep(program, (step) => {
    const breaks = BREAKS.has(step.do) || (step.do === 'once' && step.act === 'destroy') || isLate(step);
    return !breaks || !all.some((other) => other.end === step.end && isSlow(other));
  });
}

/**
 * One end echoes at most, once, or nothing comes to rest. And whose bytes get between those that it echoes, would depend on time: from then on
 * it writes nothing of its own, and begins no other reading; and nobody fills the connection. It is left out at an end that has ended, or ends
 * with a large input, as a loop has it: how much it reads before a write fails, is how the input is cut, and whether its writing waits. With cork() it would read as far as its buffer goes. And
 * the 'close' of a destroy() in the same round takes the echo apart, before or after the end of the input goes through it. pause() is forgotten
 * when the writing goes on that the reading waits for: so pipe() has it, and a kernel may have taken all by then.
 */
function withOneEcho(program: Program): Program {
  const all = program.rounds.flat();
  const first = all.find(isEcho);
  if (first === undefined) return program;
  const since = all.indexOf(first);
  const hasEndedBefore = all.slice(0, since).some(({ end, do: what }) => end === first.end && ENDS.has(what));
  const isLooping = all.some((step) => step.end === first.end && step.do === 'for await');
  const endsWithInput = isLooping || !program.allowHalfOpen[first.end];
  const others = { ...program, rounds: [all.filter((step) => !isEcho(step))] };
  const saidByPeer = saidBefore(others, otherEnd(first.end));
  const isLittle = Math.max(saidByPeer, saidBefore(others, first.end)) <= 1000;
  return keep(program, (step, steps) => {
    if (step === first) return !hasEndedBefore && (!endsWithInput || isLittle);
    if (isEcho(step) || step.do === 'fill') return false;
    if (step.end !== first.end) return true;
    if (step.do === 'cork' || ((BREAKS.has(step.do) || step.do === 'reuse') && steps.includes(first))) return false;
    if (step.do === 'pause' && saidByPeer > SURE_WINDOW) return false;
    return step.do !== 'once' && (!(writes(step) || READS.has(step.do)) || all.indexOf(step) < since);
  });
}

/**
 * Only over streams does time pass in `think`: then setTimeout() must not count, nor halfCloseTimeout, which runs from b's end on, and for what
 * nobody reads of a peer that ended and broke.
 */
function thinkingInPeace(program: Program): Program {
  const all = program.rounds.flat();
  if (all.some((step) => step.do === 'setTimeout' || step.do === 'once'))
    return keep(program, ({ do: what }) => what !== 'think');
  let hasEnded = false;
  let isOver = false;
  const peace = new Set<readonly Step[]>();
  for (const steps of program.rounds) {
    for (const step of steps) {
      if (step.end === 'a' && hasEnded && writes(step)) isOver = true;
      if (step.do === 'end' && (step.end === 'b' || !program.allowHalfOpen.b)) isOver = true;
      if (step.do === 'end') hasEnded = true;
    }
    if (!isOver) peace.add(steps);
  }
  return keep(program, (step, steps) => step.do !== 'think' || peace.has(steps));
}

/** cork() holds back what waits, where a kernel would have taken it by then. */
function corkingFirst(program: Program): Program {
  return keep(program, (step, steps) => {
    if (step.do !== 'cork') return true;
    const isFirst =
      steps.find(({ end, do: what }) => end === step.end && what !== 'cork' && SAYS.has(what)) === undefined;
    return isFirst && saidBefore(program, step.end, step) <= 1000;
  });
}

/** Bytes that an end says before a step, or at all. */
function saidBefore(program: Program, end: EndName, until?: Step): number {
  const all = program.rounds.flat();
  let bytes = 0;
  for (const step of all.slice(0, until === undefined ? undefined : all.indexOf(until))) {
    if (isEcho(step)) return Number.POSITIVE_INFINITY;
    if (step.end !== end) continue;
    if (step.do === 'fill') return Number.POSITIVE_INFINITY;
    if (step.do === 'reuse') bytes += step.block * step.blocks;
    else if (step.do === 'write' || step.do === 'end') bytes += step.size;
  }
  return bytes;
}

/** What throws cuts short what Node does in the same turn: where it does, an end writes once a round, and little if it is cut by chunks. */
function throwingApart(program: Program): Program {
  const all = program.rounds.flat();
  const thrown = all
    .filter((step) => step.do === 'once' && step.act === 'throw')
    .map((step) => 'event' in step && step.event);
  if (thrown.length === 0 && !all.some((step) => step.do === 'write' && step.as === 'throwing callback'))
    return program;
  const byChunks = thrown.includes('data') || thrown.includes('readable');
  const drain = thrown.includes('drain');
  // A listener that throws takes a turn from the other way of reading, and puts the 'error' of an end that breaks off behind its 'close', at which
  // what is left is read, and throws or not.
  const isSecond = (step: Step): boolean =>
    isThrown(step) && all.find((other) => other.end === step.end && isThrown(other)) !== step;
  const once = keep(
    program,
    (step, steps) =>
      !isSecond(step) &&
      !(byChunks && step.do === 'write' && isBehindEnd(program, step)) &&
      (!writes(step) || steps.find(({ end, do: what }) => end === step.end && SAYS.has(what)) === step),
  );
  // A write behind the end fails, and what its callback throws then cuts short the 'error' and the 'close'. And who begins to read in the same
  // round and throws in that, begins a turn later, when more may have come.
  const harmless = (write: Step & { readonly do: 'write' }, steps: readonly Step[]): typeof write.as => {
    const before = all.slice(0, all.indexOf(write));
    const hasEnded =
      !program.allowHalfOpen[write.end] || before.some(({ end, do: what }) => end === write.end && ENDS.has(what));
    const delays = byChunks && steps.some(({ do: what }) => READS.has(what) || what === 'resume');
    return (hasEnded || delays) && write.as === 'throwing callback' ? 'callback' : write.as;
  };
  const calm = (step: Step, steps: readonly Step[]): Step => {
    if (step.do !== 'write') return step;
    const size = byChunks ? Math.min(step.size, 1000) : step.size;
    // A socket whose bytes went out at once has no 'drain', and where there is one its listener comes before the callbacks.
    return { ...step, size, as: drain ? 'buffer' : harmless(step, steps) };
  };
  return { ...once, rounds: once.rounds.map((steps) => steps.map((step) => calm(step, steps))) };
}

export function keep(program: Program, may: (step: Step, steps: readonly Step[]) => boolean): Program {
  return { ...program, rounds: program.rounds.map((steps) => steps.filter((step) => may(step, steps))) };
}

function isThrown(step: Step): boolean {
  return step.do === 'once' && step.act === 'throw' && (step.event === 'data' || step.event === 'readable');
}

/** By read(n). */
function readsBlocks(step: Step): boolean {
  return step.do === 'exactly' || ((step.do === 'read' || step.do === 'readable') && typeof step.size === 'number');
}

function isEcho(step: Step): boolean {
  return (step.do === 'pipe' || step.do === 'pipeline') && step.to === 'self';
}

const READS: ReadonlySet<Action['do']> = new Set([
  ...(['data', 'readable', 'read', 'exactly', 'pipe', 'pipeline', 'for await', 'iterator', 'toWeb'] as const),
]);
const STOPS: ReadonlySet<Action['do']> = new Set(['pause', 'stop reading', 'pipe', 'pipeline', 'toWeb']);
/** They ask whether it has ended already. */
const LOOKS: ReadonlySet<Action['do']> = new Set(['pipeline', 'for await', 'iterator', 'toWeb'] as const);
/** To a socket that is closed, this does nothing. */
const LATE: ReadonlySet<Action['do']> = new Set(['destroySoon', 'unshift']);
const BREAKS: ReadonlySet<Action['do']> = new Set(['destroy', 'destroySoon', 'reset']);
const ENDS: ReadonlySet<Action['do']> = new Set(['end', 'destroy', 'destroySoon', 'reset']);
const SAYS: ReadonlySet<Action['do']> = new Set(['write', 'reuse', 'fill', 'end', 'cork', 'uncork']);

function writes(step: Step): boolean {
  return SAYS.has(step.do);
}
