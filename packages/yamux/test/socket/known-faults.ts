// Programs that once did not do over streams what they do over sockets, each cut down to what it takes; and those that may not be held to it.

import { type Action, type EndName, FAST, type Path, type Program, type Step } from './program.ts';

function a(action: Action): Step {
  return { end: 'a', ...action };
}

function b(action: Action): Step {
  return { end: 'b', ...action };
}

function program(
  rounds: Step[][],
  path: Partial<Path> = {},
  halfOpen: Partial<Record<EndName, boolean>> = {},
): Program {
  return { allowHalfOpen: { a: true, b: true, ...halfOpen }, path: { ...FAST, ...path }, rounds };
}

const data: Action = { do: 'data' };
const end: Action = { do: 'end', size: 0 };
const readAll: Action = { do: 'readable', size: 'nothing' };
const write = (size: number): Action => ({ do: 'write', size, as: 'buffer' });
const throwAt = (event: 'data' | 'readable' | 'end' | 'finish' | 'close' | 'timeout'): Action => ({
  do: 'once',
  event,
  act: 'throw',
});

/** A title and its program. */
export const KNOWN_FAULTS: ReadonlyArray<readonly [string, Program]> = [
  [
    'a buffer may be used again in its write callback',
    program([[a({ do: 'reuse', block: 100_000, blocks: 4 })], [b(data)]]),
  ],
  [
    'a small buffer may be used again in its write callback',
    program([[a({ do: 'reuse', block: 5000, blocks: 8 })], [b(data)]]),
  ],
  [
    'read(n) gives n bytes where n is more than half a window',
    program([[b({ do: 'readable', size: 200_000 })], [a(write(1_200_000))]]),
  ],
  [
    'read(n) gives n bytes where n is more than a window',
    program([[b({ do: 'exactly', size: 262_145 })], [a(write(300_000))]]),
  ],
  [
    'read(n) gives n bytes where n is more than a MiB',
    program([[b({ do: 'exactly', size: 1_100_000 })], [a(write(1_200_000))]]),
  ],
  [
    'read(n) of characters goes on to the end',
    program([
      [b({ do: 'encoding', encoding: 'utf8' })],
      [b({ do: 'readable', size: 100_000 }), a({ do: 'end', size: 1_200_000 })],
    ]),
  ],
  [
    'read(null) gives all that is there',
    program([[a(write(4))], [a(write(3))], [b({ do: 'readable', size: 'null' })]]),
  ],
  ['read(NaN) gives all that is there', program([[a(write(4))], [a(write(3))], [b({ do: 'readable', size: 'NaN' })]])],
  [
    "a 'readable' listener that comes late is told of what is left",
    program([[a(write(4))], [a(write(4))], [b({ do: 'read', size: 4 })], [b(readAll)]]),
  ],
  [
    'setEncoding() holds for all that waits',
    program([[a(write(10))], [a(write(1))], [b({ do: 'encoding', encoding: 'hex' })]]),
  ],
  ['an input that ends and holds nothing ends by itself', program([[a(end)]])],
  [
    'an input of which exactly all is read, from beyond the buffer, ends by itself',
    program([[a({ do: 'end', size: 70_000 })], [b({ do: 'exactly', size: 70_000 })]]),
  ],
  ['a server that only writes, and its client, both close', program([[b({ do: 'end', size: 10 }), a(end)], [a(data)]])],
  [
    'what was written before destroy() goes out',
    program([[b(data)], [a(write(100)), a({ do: 'destroy', error: false })]]),
  ],
  [
    'what was written before destroy(error) goes out',
    program([[b(data)], [a(write(100)), a({ do: 'destroy', error: true })]]),
  ],
  ['what was written before a reset goes out', program([[b(data)], [a(write(100)), a({ do: 'reset' })]])],
  ["'finish' does not come behind destroy()", program([[b(data)], [a(end), a({ do: 'destroy', error: false })]])],
  ['destroySoon() destroys when the end is out, not before', program([[a({ do: 'destroySoon' }), a(write(100))]])],
  [
    "'end' does not come behind destroySoon()",
    program([
      [a({ do: 'end', size: 70_000 }), a({ do: 'read', size: 1 })],
      [b({ do: 'resume' }), b({ do: 'destroySoon' }), a({ do: 'for await' })],
    ]),
  ],
  [
    'a write behind destroy() is no error of the stream',
    program([[a(write(3)), a({ do: 'destroy', error: false }), a(write(1000))]]),
  ],
  [
    'what came whole is read when the peer has reset',
    program([[a({ do: 'end', size: 1000 })], [a({ do: 'reset' })], [b(data)]]),
  ],
  [
    'what came whole ends before destroySoon() destroys, when the peer has reset',
    program([[a({ do: 'end', size: 1 })], [a({ do: 'reset' })], [b({ do: 'destroySoon' }), b(data)]]),
  ],
  [
    "what came whole is read when the peer's process is gone",
    program([[a({ do: 'end', size: 100_000 })], [a({ do: 'die' })], [b(data)]]),
  ],
  [
    'what came whole is read through toWeb() when the peer has reset',
    program([[a({ do: 'end', size: 70_000 })], [a({ do: 'reset' })], [b({ do: 'toWeb' })]]),
  ],
  ['write() says false after FIN and RST', program([[a(end)], [a({ do: 'reset' })], [b({ do: 'fill' })]])],
  [
    'write() says false to who answers without reading, after FIN and RST',
    program([[a({ do: 'end', size: 100 })], [a({ do: 'reset' })], [b({ do: 'fill' })]]),
  ],
  ["what the Readable has on 'close' can be read", program([[a(write(100))], [a({ do: 'destroy', error: true })]])],
  [
    "what the Readable has on 'close' after an end of its own can be read",
    program([[a(write(100))], [b({ do: 'destroy', error: false })]]),
  ],
  [
    "a 'readable' listener that throws at the peer's FIN costs nobody else anything",
    program([[b(throwAt('readable')), a(end)]]),
  ],
  [
    "a 'data' listener that throws costs nobody else anything",
    program([[b(data), b(throwAt('data'))], [a(write(100))], [a(write(100))]]),
  ],
  ["an 'end' listener that throws costs nobody else anything", program([[b(data), b(throwAt('end'))], [a(end)]])],
  ["a 'finish' listener that throws costs nobody else anything", program([[b(data), a(throwAt('finish'))], [a(end)]])],
  [
    "a 'close' listener that throws costs nobody else anything",
    program([[b(throwAt('close'))], [b({ do: 'destroy', error: false })]]),
  ],
  [
    "a 'timeout' listener that throws costs nobody else anything",
    program([[b(throwAt('timeout'))], [b({ do: 'idle' })]]),
  ],
  [
    'a write callback that throws costs nobody else anything',
    program([[b(data)], [a({ do: 'write', size: 100, as: 'throwing callback' })], [a(write(100))]]),
  ],
  [
    'a write callback that throws does not keep destroy() from destroying',
    program([
      [b(data)],
      [a({ do: 'write', size: 100, as: 'throwing callback' }), a(write(100)), a({ do: 'destroy', error: false })],
    ]),
  ],
  ['setTimeout() takes 30 days', program([[a({ do: 'setTimeout', ms: 2_592_000_000 })]])],
  ['setTimeout() takes Number.MAX_SAFE_INTEGER', program([[a({ do: 'setTimeout', ms: Number.MAX_SAFE_INTEGER })]])],
  ['setTimeout() refuses what is no number', program([[a({ do: 'setTimeout', ms: '5' })]])],
  ["allowHalfOpen false ends our side after the peer's", program([[a(data), b(data)], [a(end)]], {}, { b: false })],
  [
    'a server may think for longer than halfCloseTimeout',
    program([[b(data)], [a(end)], [b({ do: 'think' })], [b({ do: 'end', size: 100 })], [a(data)]]),
  ],
  [
    'close() waits for a transport that is slow and makes progress',
    program(
      [
        [a(data), b(data)],
        [b({ do: 'end', size: 300_000 }), b({ do: 'leave' }), a(end)],
      ],
      { rate: 5000 },
    ),
  ],
  ['a slow uplink that works is never taken for dead', program([[b(data)], [a(write(700_000))]], { rate: 9000 })],
  [
    'a slow uplink with a long way is never taken for dead',
    program([[b(data)], [a(write(300_000))]], { rate: 5000, latency: 500 }),
  ],
  [
    'a transport that is full before the session comes is waited for',
    program([[b(data)], [a(write(100))]], { rate: 5000, preamble: 200_000 }),
  ],
  [
    'a window budget comes back when what is left is never read',
    program([[b({ do: 'exactly', size: 1_100_000 }), b(end), a(data)], [a({ do: 'end', size: 3_000_000 })]], {
      rate: 4_000_000,
      latency: 500,
    }),
  ],
];

/**
 * Programs that may differ: the outcome depends on time, or on what a kernel takes, and a step of each is left out; or what differs follows from
 * what judge.ts lists.
 */
export const MAY_DIFFER: ReadonlyArray<readonly [string, Program]> = [
  [
    'setEncoding() behind the begin of a loop that has much before it',
    program([[b(write(70_000))], [a({ do: 'for await' }), a({ do: 'encoding', encoding: 'utf8' })]]),
  ],
  [
    'unshift() behind the begin of a loop that has much before it',
    program([[b(write(70_000))], [a({ do: 'for await' }), a({ do: 'unshift', size: 1 })]]),
  ],
  [
    "a loop over what was destroyed in the same tick, and whose bytes are read on 'close'",
    program([
      [b({ do: 'end', size: 1 }), b(data)],
      [a({ do: 'destroy', error: false }), a({ do: 'for await' })],
    ]),
  ],
  [
    'unread bytes of an end that ended and then reset',
    program([[a({ do: 'end', size: 262_144 }), b({ do: 'end', size: 70_000 })], [a({ do: 'reset' })]]),
  ],
  [
    'what is left of pieces of 1,000 when the other end wrote as much as the connection took',
    program([
      [a({ do: 'fill' }), a(readAll)],
      [a({ do: 'fill' }), b({ do: 'readable', size: 1000 })],
    ]),
  ],
  [
    "a write behind an end that the peer's end brought to who filled the connection",
    program(
      [
        [b({ do: 'once', event: 'end', act: 'end' })],
        [a(end), b({ do: 'fill' })],
        [b(write(1))],
        [a({ do: 'for await' })],
      ],
      {},
      { a: false },
    ),
  ],
  [
    "the rest of a character, which comes with an end and not with the peer's RST",
    program([
      [b({ do: 'encoding', encoding: 'utf8' }), b(data)],
      [a(write(3))],
      [a(write(8)), a({ do: 'destroy', error: true })],
    ]),
  ],
  [
    'a buffer that is used again beside a loop, which destroys at the end',
    program([[a({ do: 'reuse', block: 5000, blocks: 4 }), a({ do: 'for await' }), b(end)]]),
  ],
  [
    "setEncoding() that leaves less than a character of what a 'readable' under way tells",
    program([
      [b(write(1))],
      [a({ do: 'readable', size: 1000 }), a({ do: 'encoding', encoding: 'base64' })],
      [b(write(70_000))],
    ]),
  ],
  [
    'destroy(error) behind an end that still waits for the window',
    program([
      [a(end), b({ do: 'end', size: 300_000 }), b(readAll)],
      [b({ do: 'destroy', error: true }), a(data)],
    ]),
  ],
  [
    'pause() of an echo that waits',
    program([[a(write(700_000)), b({ do: 'pipe', to: 'self' })], [b({ do: 'pause' })], [a(data)]]),
  ],
  [
    "what throws in a write's callback while the other end begins to read, and throws too",
    program([
      [b(throwAt('data')), b({ do: 'pause' })],
      [a(write(1)), b(end)],
      [a({ do: 'write', size: 1, as: 'throwing callback' }), b(readAll)],
    ]),
  ],
  [
    "'timeout' of an end that has just said more than a window",
    program([[b(end)], [a({ do: 'idle' }), a({ do: 'end', size: 700_000 })]]),
  ],
  [
    "a pipe() beside a 'readable' listener takes nothing, and what was put back is gone with the peer's RST",
    program([
      [a({ do: 'unshift', size: 1 })],
      [b({ do: 'for await' }), a({ do: 'exactly', size: 70_000 }), a({ do: 'pipe', to: 'sink' })],
    ]),
  ],
  [
    'a byte that was put back, for who begins to read later',
    program(
      [
        [a(end), b({ do: 'unshift', size: 1 }), b(write(1))],
        [a(write(1))],
        [b(write(1)), a({ do: 'pause' })],
        [b(write(1))],
        [a({ do: 'for await' })],
      ],
      {},
      { b: false },
    ),
  ],
  [
    '`errored` of an end that was destroyed while a write waited',
    program([[a({ do: 'fill' })], [a({ do: 'destroy', error: false }), b(data)]]),
  ],
  [
    'an echo of much beside a loop, which destroys at the end',
    program([[a({ do: 'for await' })], [a({ do: 'pipeline', to: 'self' })], [b({ do: 'end', size: 70_000 })]]),
  ],
  [
    'an echo beside a loop, of who has said much',
    program([[a({ do: 'for await' })], [b(end), a(write(70_000)), a({ do: 'pipe', to: 'self' })]]),
  ],
  [
    'unshift() to who reads, before anything came, and a pause() behind it',
    program([[b(data), b({ do: 'unshift', size: 1 }), b({ do: 'pause' })]]),
  ],
  [
    'a reset behind an echo of a byte more than the window',
    program([
      [b({ do: 'end', size: 262_144 }), a(write(1))],
      [a({ do: 'pipe', to: 'self' })],
      [a({ do: 'reset' }), b(readAll)],
    ]),
  ],
  [
    "a write behind the end, in the round in which the other end's callback throws",
    program([
      [b(end), b({ do: 'pause' })],
      [a(write(1))],
      [b(throwAt('data'))],
      [a({ do: 'write', size: 1, as: 'throwing callback' }), b(write(1))],
    ]),
  ],
  [
    'destroySoon() of who begins to read much',
    program([[b({ do: 'end', size: 70_000 })], [a(readAll), a({ do: 'destroySoon' })]]),
  ],
  [
    'read(n) of text in pieces, before much comes',
    program([
      [a({ do: 'encoding', encoding: 'utf8' }), b(write(1))],
      [b(write(1000))],
      [a({ do: 'read', size: 3 })],
      [b(write(70_000))],
    ]),
  ],
  [
    'an echo that begins while its end writes from a buffer that is used again',
    program([
      [a(data)],
      [a(write(70_000)), b({ do: 'reuse', block: 100_000, blocks: 2 }), b({ do: 'pipe', to: 'self' })],
    ]),
  ],
  [
    "a write behind the end, in the round in which the other end's listener throws",
    program([[a(write(1))], [a(end), b(write(1))], [b(throwAt('data')), a(write(1000)), a(throwAt('data'))]]),
  ],
  [
    "'close' behind an end that still waits for the window",
    program([
      [a(end), b({ do: 'end', size: 1_200_000 })],
      [b({ do: 'once', event: 'close', act: 'end' })],
      [a({ do: 'pipe', to: 'slow sink' })],
    ]),
  ],
  [
    'text in pieces of 1,000',
    program([
      [a({ do: 'readable', size: 1000 }), a({ do: 'encoding', encoding: 'latin1' })],
      [b(write(1))],
      [b(write(1)), b(write(1_200_000))],
    ]),
  ],
  [
    "an echo that waits for 'drain' at an end that ends with its input",
    program(
      [[a(write(1)), a(write(262_144))], [a({ do: 'pipe', to: 'self' })], [b({ do: 'end', size: 1 })]],
      {},
      { a: false },
    ),
  ],
  [
    "'finish' behind an end(chunk) beside a loop, which destroys at the end",
    program([[a({ do: 'for await' })], [b({ do: 'end', size: 1 }), a({ do: 'end', size: 70_000 })]], {}, { a: false }),
  ],
  [
    'who fills the connection to an end that was destroyed while its own bytes wait',
    program([[b({ do: 'end', size: 300_000 })], [a({ do: 'fill' }), b({ do: 'destroy', error: false })]]),
  ],
];
