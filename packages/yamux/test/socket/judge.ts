// Compares what was seen over sockets with what was seen over streams. What may differ is what 20-yamux.md lists:
// - an end that is destroyed before both directions are over sends RST, not FIN: its peer hears an error instead of an end, and at once,
//   even if it does not read; what it had not read is gone;
// - bytes beyond the window wait, where a kernel takes them; and who writes back what it reads, waits with them. A 'timeout' comes meanwhile, and
//   pipe(), which goes on at 'drain', forgets a pause(): sensible.ts leaves these out;
// - a FIN is out when its frame is handed over, sooner than a kernel's or behind bytes that wait: a destroy() behind end() may come before
//   'finish' over the ones and after it over the others;
// - the callback of a write that does not go out whole gets an error, where a socket that is destroyed gives none: so `errored` has it;
// - error codes and addresses, at which nobody looks here.

import { type EndName, otherEnd } from './program.ts';
import { LEAST_HIGH_WATER_MARK } from './reading.ts';
import type { Transcript } from './run.ts';
import type { Sight } from './sight.ts';

/** Bytes that a stream takes for a peer who reads nothing, at least: credit comes back in halves of the window. */
const SURE_WINDOW = 131_072;
/** Bytes that a socket takes in one go, and a transport before a FIN, at least. */
const SURE_WRITE = 65_536;

const TOLD_OF_ALL = ['uncaught', 'neighbour'] as const;
const TOLD = [...TOLD_OF_ALL, 'warnings'] as const;

type Sights = Readonly<Record<EndName, Sight>>;

/** Each difference in a line; none if the streams are as sockets. */
export function differences(sockets: Transcript, streams: Transcript): string[] {
  const found: string[] = [];
  const brokeAt = { a: breakBy('b', sockets, streams), b: breakBy('a', sockets, streams) };
  const last = sockets.sights.length - 1;
  for (const [index, sight] of sockets.sights.entries()) {
    const other = streams.sights[index];
    if (other === undefined) continue;
    const where = sockets.stages[index];
    for (const end of ['a', 'b'] as const) {
      if (sight[end].facts.isDead) continue;
      const lines =
        index < brokeAt[end]
          ? compare(sight, other, end)
          : index === last
            ? afterBreak(sockets.sights, streams.sights, end, brokeAt[end])
            : always(sight, other, end);
      found.push(...lines.map((line) => `${where}, ${end}: ${line}`));
    }
    // What comes later follows from it.
    if (found.length > 0) break;
  }
  // What is asked of an end that is destroyed already does nothing.
  const isUnbroken = brokeAt.a === Number.POSITIVE_INFINITY && brokeAt.b === Number.POSITIVE_INFINITY;
  for (const name of isUnbroken ? TOLD : TOLD_OF_ALL) {
    if (sockets[name] !== streams[name])
      found.push(`${name}: "${sockets[name]}" over sockets, "${streams[name]}" over streams`);
  }
  found.push(...streams.left.map((line) => `left behind: ${line}`));
  return found;
}

/** The first sight in which `end` is broken, and its peer was not before; from then on the peer does not fare the same. */
function breakBy(end: EndName, sockets: Transcript, streams: Transcript): number {
  const index = sockets.sights.findIndex((sight, at) => {
    const other = streams.sights[at];
    // A socket that was destroyed when its kernel had taken all, even the FIN, is not broken; over streams some of that may have waited still.
    const mayWait = [streams.sights[at - 1], other].some((one) => one !== undefined && waits(one, end));
    return isBroken(sight, end) || (other !== undefined && isBroken(other, end) && mayWait);
  });
  if (index === -1) return Number.POSITIVE_INFINITY;
  const before = sockets.sights[index - 1];
  return before !== undefined && isBroken(before, otherEnd(end)) ? Number.POSITIVE_INFINITY : index;
}

function isBroken(sights: Sights, end: EndName): boolean {
  return sights[end].facts.isBroken || sights[end].facts.isDead;
}

function compare(sockets: Sights, streams: Sights, end: EndName): string[] {
  const peer = otherEnd(end);
  const lines = always(sockets, streams, end);
  const isStuck = (one: EndName): boolean => isStuckEcho(sockets, one) || isStuckEcho(streams, one);
  // As much as went in is not the same: then all of it must have come out, or nothing be said.
  const isCut = isCutShort(sockets, streams, end);
  const counted = sockets[peer].facts.hasFilled || isCut ? COUNTED : [];
  // What Node has left of it, is what is left of a block for who reads by blocks, and for others as much as it holds, or nothing.
  const left = isCut || (counted.length > 0 && readByBlocks(sockets, streams, end)) ? ['readableLength'] : [];
  if (!isStuck(end)) lines.push(...unequal(sockets[end], streams[end], 'reading', [...counted, ...left]));
  if (sockets[peer].facts.hasFilled && !isBroken(sockets, end) && !waits(sockets, peer) && waits(streams, peer)) {
    lines.push(`has ${streams[end].facts.taken} of ${streams[peer].facts.sent} bytes over streams, all over sockets`);
  }
  if (isStuck(end) || isStuck(peer)) return lines;
  if (waits(sockets, end) || waits(streams, end)) return lines;
  const mayFinish = isDestroyedBeforeFinish(sockets[end]) && streams[end].facts.hasFinished;
  const mayNotFinish = isDestroyedBeforeFinish(streams[end]) && streams[end].facts.sent > SURE_WRITE;
  lines.push(...unequal(sockets[end], streams[end], 'writing', mayFinish || mayNotFinish ? FINISHED : []));
  lines.push(...unequal(sockets[end], streams[end], 'whole', isWriteCut(streams[end]) ? ['errored'] : []));
  return lines;
}

/** As much as went in is not the same. */
const COUNTED: readonly string[] = ['units', 'content', 'blocks', 'reacts to data'];

function readByBlocks(sockets: Sights, streams: Sights, end: EndName): boolean {
  return sockets[end].reading.blocks !== '' || streams[end].reading.blocks !== '';
}

/** Destroyed, and not by an error, while a write may have waited. */
function isWriteCut({ facts, whole }: Sight): boolean {
  return facts.isBroken && whole.error === 0 && facts.sent > SURE_WINDOW;
}

/** Destroyed with more on its way than both kinds have in Node's buffer: how much it had read by then would depend on time. */
function isCutShort(sockets: Sights, streams: Sights, end: EndName): boolean {
  const peer = otherEnd(end);
  const hadMuch = (sights: Sights): boolean => isBroken(sights, end) && sights[peer].facts.sent > LEAST_HIGH_WATER_MARK;
  return hadMuch(sockets) && hadMuch(streams);
}

const FINISHED: readonly string[] = ['finish', 'writableFinished', 'reacts to finish'];

function isDestroyedBeforeFinish({ facts, writing, whole }: Sight): boolean {
  return whole.destroyed === true && writing.writableEnded === true && !facts.hasFinished;
}

/** More than a window of what this end wrote was not taken by its peer. */
function waits(sights: Sights, end: EndName): boolean {
  return sights[end].facts.sent - sights[otherEnd(end)].facts.taken > SURE_WINDOW;
}

/** It writes back what it reads, and its peer does not take it, or did not when it was destroyed: so it does not read either. */
function isStuckEcho(sights: Sights, end: EndName): boolean {
  const { isEchoing, isBroken, sent } = sights[end].facts;
  return isEchoing && (waits(sights, end) || (isBroken && sent > SURE_WINDOW));
}

function always(sockets: Sights, streams: Sights, end: EndName): string[] {
  const [socket, stream] = [sockets[end], streams[end]];
  const lines = unequal(socket, stream, 'always');
  // An echo starts the pattern again, after the bytes that its end had written itself.
  const isMixed = streams[otherEnd(end)].facts.echoesAfterOwn;
  if (stream.facts.corrupt && !socket.facts.corrupt && !isMixed) lines.push('wrong bytes over streams');
  return lines;
}

/** The peer broke off at `since`: what may be said all the same. */
function afterBreak(sockets: readonly Sights[], streams: readonly Sights[], end: EndName, since: number): string[] {
  const [lastOfSockets, lastOfStreams] = [sockets.at(-1), streams.at(-1)];
  if (lastOfSockets === undefined || lastOfStreams === undefined) return [];
  const [socket, stream] = [lastOfSockets[end], lastOfStreams[end]];
  const lines = always(lastOfSockets, lastOfStreams, end);
  if (!stream.facts.isClosed) lines.push("no 'close'");
  if (stream.facts.unanswered > 0) lines.push(`${stream.facts.unanswered} write callbacks never came`);
  const peer = otherEnd(end);
  // Who was destroyed behind its end takes what comes until its own bytes and the FIN are out, and these may wait.
  const isLeaving = isDestroyedWaiting(streams.at(-1)?.[peer]);
  if (stream.facts.wroteAll && !socket.facts.wroteAll && !isLeaving)
    lines.push('write() took 12 MiB that nobody can take');
  const [before, then] = [sockets[since - 1], sockets[since]];
  if (before === undefined || then === undefined) return lines;
  const wasEnded = before[peer].facts.hasFinished && (streams[since - 1]?.[peer].facts.hasFinished ?? false);
  const wroteLater = sockets.at(-1)?.[end].facts.sent !== before[end].facts.sent;
  const hasFilled = socket.facts.hasFilled || sockets.at(-1)?.[peer].facts.hasFilled;
  // The rest of a character that is not whole comes at an end, and at none else.
  const lacksARest = socket.facts.leavesARest && !wasEnded;
  // Who pauses in the round in which the peer breaks off has read what comes with it, or not.
  // A kernel resets a connection that is closed with unread bytes, and then some of the sent bytes may not arrive. What the peer reads in
  // the round in which it breaks off may come before or after that, so only a peer that had read everything before is compared.
  const isClosedClean = before[peer].facts.taken === then[end].facts.sent;
  if (
    !hasFilled &&
    !lacksARest &&
    (wasEnded
      ? !wroteLater
      : isClosedClean && tookAll(before, end) && then[end].facts.isConsuming && saidLittle(before, then, peer))
  ) {
    // A kernel that sends RST after the FIN drops the bytes for which its peer has no room. A stream delivers all of them.
    const isWholeOverStreams = stream.facts.taken === lastOfStreams[peer].facts.sent;
    const mayReadMore = wasEnded && !tookAll(before, end) && isWholeOverStreams;
    if (stream.facts.units !== socket.facts.units && !mayReadMore) {
      lines.push(`read ${socket.facts.units} over sockets, ${stream.facts.units} over streams`);
    }
  }
  if (wasEnded && !wroteLater && socket.facts.hasEnded && !stream.facts.hasEnded) lines.push("no 'end'");
  return lines;
}

function isDestroyedWaiting(sight: Sight | undefined): boolean {
  return sight !== undefined && sight.writing.writableEnded === true && sight.facts.sent > SURE_WINDOW;
}

function tookAll(sights: Sights, end: EndName): boolean {
  const { isConsuming, taken } = sights[end].facts;
  return isConsuming && taken === sights[otherEnd(end)].facts.sent;
}

function saidLittle(before: Sights, then: Sights, end: EndName): boolean {
  // What a process says in the tick in which it is killed, it may not have handed over.
  const most = then[end].facts.isDead ? 0 : SURE_WRITE;
  return then[end].facts.sent - before[end].facts.sent <= most;
}

function unequal(
  socket: Sight,
  stream: Sight,
  about: 'reading' | 'writing' | 'whole' | 'always',
  except: readonly string[] = [],
): string[] {
  return Object.entries(socket[about])
    .filter(([name, value]) => !except.includes(name) && stream[about][name] !== value)
    .map(([name, value]) => `${name} ${value} over sockets, ${stream[about][name]} over streams`);
}
