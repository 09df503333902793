// The order that a key gives the sessions: by highest random weight ("rendezvous"), of a hash of the key and the session's id. It needs no memory
// and is the same wherever the ids and weights are the same; one that leaves moves its own keys alone, each to the next in that key's
// order. Specified so that other programs can agree: 32-bit FNV-1a over UTF-8, finished with murmur3's fmix32, for either text, and for the two
// hashes xor-ed.
import type { Candidate, CandidateView } from './strategy.ts';

interface Hashed {
  readonly id: string;
  readonly hash: number;
}

export class KeyOrder {
  /** The hash of each id, by ordinal. */
  readonly #hashes: (Hashed | undefined)[] = [];

  /**
   * The index of the first in the key's order. With a `maxLoadFactor`, of those whose load stays within that many times their fair share,
   * of which there is always one. Sessions of one id and weight share its place: the one with the lower load is first.
   */
  first(key: string, candidates: CandidateView, maxLoadFactor: number = Infinity): number {
    const { length } = candidates;
    const keyHash = hashOf(key);
    const { weights, loads, isUniform } = sumsOf(candidates);
    const isBounded = maxLoadFactor < Infinity;
    let best: Candidate | undefined;
    let bestIndex = 0;
    let bestScore = -1;
    for (let index = 0; index < length; index += 1) {
      const one = candidates.at(index) as Candidate;
      const weight = weights === 0 ? 1 : one.weight;
      if (weight === 0) continue;
      const total = weights === 0 ? length : weights;
      if (isBounded && one.load >= Math.ceil((maxLoadFactor * (loads + 1) * weight) / total)) continue;
      const hash = mixed(this.#hashOf(one), keyHash);
      // The same order by far less: a logarithm is monotone.
      const score = isUniform ? hash : weighed(hash, weight);
      if (best === undefined || score > bestScore || (score === bestScore && isBefore(one, best))) {
        best = one;
        bestIndex = index;
        bestScore = score;
      }
    }
    return bestIndex;
  }

  #hashOf({ ordinal, id }: Candidate): number {
    const known = this.#hashes[ordinal];
    if (known?.id === id) return known.hash;
    const hash = hashOf(id);
    this.#hashes[ordinal] = { id, hash };
    return hash;
  }
}

function sumsOf(candidates: CandidateView): { weights: number; loads: number; isUniform: boolean } {
  const first = (candidates.at(0) as Candidate).weight;
  let weights = 0;
  let loads = 0;
  let isUniform = true;
  for (let index = 0; index < candidates.length; index += 1) {
    const { weight, load } = candidates.at(index) as Candidate;
    weights += weight;
    loads += load;
    if (weight !== first) isUniform = false;
  }
  return { weights, loads, isUniform };
}

/** Of two with the same score: by id, and within an id by load. */
function isBefore(one: Candidate, other: Candidate): boolean {
  if (one.id !== other.id) return one.id < other.id;
  return one.load < other.load || (one.load === other.load && one.turn < other.turn);
}

/**
 * How high an id stands in the order that {@link rendezvous} gives for a key: the highest score is first. For programs that must know the order
 * without a pool; both hashes are of {@link rendezvousHash}. A weight of 0 scores 0.
 */
export function rendezvousScore(keyHash: number, idHash: number, weight: number): number {
  return weighed(mixed(idHash, keyHash), weight);
}

function weighed(hash: number, weight: number): number {
  return weight / -Math.log((hash + 0.5) / 2 ** 32);
}

/** The 32-bit hash of a key or an id, for {@link rendezvousScore}: FNV-1a over UTF-8, finished by fmix32 of murmur3. */
export function rendezvousHash(text: string): number {
  return hashOf(text);
}

/** FNV-1a over UTF-8, finished: without that, ids that are short and alike would lie close together. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    let code = text.charCodeAt(index);
    if (code < 0x80) {
      hash = Math.imul(hash ^ code, 0x01000193);
      continue;
    }
    if (code >= 0xd800 && code < 0xe000) {
      const point = text.codePointAt(index) as number;
      // Half a pair is what an encoder makes of it.
      code = point > 0xffff ? point : 0xfffd;
      if (point > 0xffff) index += 1;
    }
    for (const byte of bytesOf(code)) hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return mix(hash);
}

/** The bytes of one code point above 0x7f in UTF-8. */
function bytesOf(code: number): number[] {
  const last = (shift: number): number => 0x80 | ((code >> shift) & 0x3f);
  if (code < 0x800) return [0xc0 | (code >> 6), last(0)];
  if (code < 0x1_0000) return [0xe0 | (code >> 12), last(6), last(0)];
  return [0xf0 | (code >> 18), last(12), last(6), last(0)];
}

/** Of two hashes. */
export function mixed(hash: number, other: number): number {
  return mix(hash ^ other);
}

/** fmix32 of murmur3: every bit of the input changes half of the bits of the result. */
function mix(hash: number): number {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
