// The Duplex of the build for browsers against Node's: each program runs on both, and must see the same.
import { Duplex as NodeDuplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Buffer as Bytes, Duplex as OwnDuplex } from '../../src/browser.ts';

const EVENTS = [
  'data',
  'readable',
  'end',
  'finish',
  'prefinish',
  'drain',
  'error',
  'close',
  'pause',
  'resume',
] as const;
type Event = (typeof EVENTS)[number];

/** A Duplex of either kind, with what it is asked for written down. */
class Scene {
  readonly log: string[] = [];
  readonly stream: NodeDuplex;
  readonly hasClose: boolean;
  /** Of the writes under way, in order. */
  readonly writes: ((error?: Error) => void)[] = [];
  final: ((error?: Error) => void) | undefined;

  constructor(make: typeof NodeDuplex, options: ConstructorParameters<typeof NodeDuplex>[0] = {}, isBatched = true) {
    this.hasClose = options.emitClose ?? true;
    const stream = new make({ highWaterMark: 8, ...options });
    this.stream = stream;
    stream._read = (size) => void this.log.push(`_read ${size}`);
    stream._write = (chunk, _encoding, callback) => {
      this.log.push(`_write ${text(chunk)}`);
      this.writes.push(callback);
    };
    if (isBatched) {
      stream._writev = (chunks, callback) => {
        this.log.push(`_writev ${chunks.map(({ chunk }) => text(chunk)).join('|')}`);
        this.writes.push(callback);
      };
    }
    stream._final = (callback) => {
      this.log.push('_final');
      this.final = callback;
    };
    stream._destroy = (error, callback) => {
      this.log.push(`_destroy ${error?.message}`);
      callback(error);
    };
  }

  listen(...events: readonly Event[]): void {
    for (const event of events) {
      this.stream.on(
        event,
        (value?: unknown) => void this.log.push(value === undefined ? event : `${event} ${text(value)}`),
      );
    }
  }

  say(what: string, value: unknown): void {
    this.log.push(`${what} ${String(value)}`);
  }

  /** What it says of itself. */
  look(): void {
    const stream = this.stream;
    const { readable, readableEnded, readableFlowing, readableLength, readableAborted, readableDidRead } = stream;
    const { writable, writableEnded, writableFinished, writableLength, writableNeedDrain, writableCorked } = stream;
    const { destroyed, closed, errored } = stream;
    this.log.push(
      JSON.stringify([readable, readableEnded, readableFlowing, readableLength, readableAborted, readableDidRead]),
      JSON.stringify([writable, writableEnded, writableFinished, writableLength, writableNeedDrain, writableCorked]),
      JSON.stringify([destroyed, closed, errored?.message]),
    );
  }
}

function text(value: unknown): string {
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  return value instanceof Error ? `${value.name} ${value.message}` : String(value);
}

/** Until all that was put off has run. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

type Program = (scene: Scene) => unknown;
const programs: Readonly<Record<string, Program>> = {
  'flowing, with pieces, an empty one and the end': async ({ stream }) => {
    stream.push('before');
    stream.push('');
    await settled();
    stream.push('one');
    stream.push('two');
    stream.push(null);
  },
  'paused past the highWaterMark, then resumed': async (scene) => {
    scene.stream.pause();
    scene.say('push', scene.stream.push('12345'));
    scene.say('push', scene.stream.push('67890'));
    await settled();
    scene.look();
    scene.stream.resume();
    await settled();
    scene.stream.push(null);
  },
  'read(n) across pieces, and of more than there is': async (scene) => {
    scene.stream.pause();
    for (const piece of ['abc', 'def', 'ghi']) scene.stream.push(piece);
    await settled();
    scene.say('read', scene.stream.read(4));
    scene.say('read', scene.stream.read(100));
    scene.say('read', scene.stream.read(0));
    scene.say('read', scene.stream.read());
    scene.stream.push('rest');
    scene.stream.push(null);
    await settled();
    scene.say('read', scene.stream.read(100));
    scene.say('read', scene.stream.read());
  },
  'unshift() and setEncoding() of a character that was cut': async (scene) => {
    const { stream } = scene;
    stream.pause();
    stream.push(new Uint8Array([0x61, 0xc3]));
    stream.setEncoding('utf8');
    stream.push(new Uint8Array([0xa4, 0x62, 0xe2]));
    stream.unshift('z');
    scene.say('length', stream.readableLength);
    stream.resume();
    await settled();
    stream.push(null);
  },
  'a late listener of readable': async (scene) => {
    scene.stream.push('early');
    await settled();
    scene.listen('readable');
    await settled();
    scene.say('read', scene.stream.read(2));
    scene.stream.push('more');
    await settled();
    scene.say('read', scene.stream.read());
    scene.stream.push(null);
    await settled();
    scene.say('read', scene.stream.read());
  },
  'a push behind the end': async ({ stream }) => {
    stream.push(null);
    stream.push('late');
    await settled();
  },
  'writes up to the highWaterMark, drained': async (scene) => {
    const { stream, writes } = scene;
    for (const piece of ['123', '456', '789'])
      scene.say(
        'write',
        stream.write(piece, () => void scene.log.push(`written ${piece}`)),
      );
    scene.look();
    writes.shift()?.();
    await settled();
    writes.shift()?.();
    await settled();
    scene.look();
  },
  'corked, and ended while corked': async (scene) => {
    const { stream, writes } = scene;
    stream.cork();
    stream.write('a');
    stream.cork();
    stream.write('b');
    stream.uncork();
    scene.look();
    stream.end('c', () => void scene.log.push('end called back'));
    await settled();
    writes.shift()?.();
    await settled();
    scene.final?.();
    await settled();
  },
  'a write that fails, with others behind it': async (scene) => {
    const { stream, writes } = scene;
    for (const piece of ['a', 'b', 'c']) stream.write(piece, (error) => scene.say(piece, error?.message));
    writes.shift()?.(new Error('failed'));
    await settled();
  },
  'a write behind the end': async (scene) => {
    scene.stream.end();
    scene.say(
      'write',
      scene.stream.write('late', (error) => scene.say('late', error?.message)),
    );
    await settled();
  },
  'end() twice, and after it is finished': async (scene) => {
    scene.stream.end(() => void scene.log.push('first'));
    await settled();
    scene.final?.();
    scene.stream.end(() => void scene.log.push('second'));
    await settled();
    scene.stream.end((error?: Error) => scene.say('third', error?.message));
    await settled();
  },
  'a _final that fails': async (scene) => {
    scene.stream.end((error?: Error) => scene.say('end', error?.message));
    await settled();
    scene.final?.(new Error('no final'));
    await settled();
  },
  'destroyed with an error, twice, while a write is under way': async (scene) => {
    scene.stream.write('a', (error) => scene.say('a', error?.message));
    scene.stream.write('b', (error) => scene.say('b', error?.message));
    scene.stream.destroy(new Error('first'));
    scene.stream.destroy(new Error('second'));
    scene.look();
    await settled();
    scene.writes.shift()?.();
    await settled();
  },
  'destroyed without an error, and then used': async (scene) => {
    scene.stream.destroy();
    scene.say('push', scene.stream.push('late'));
    scene.say(
      'write',
      scene.stream.write('late', (error) => scene.say('late', error?.message)),
    );
    await settled();
  },
  'a loop to the end': async (scene) => {
    scene.stream.push('a');
    setImmediate(() => {
      scene.stream.push('b');
      scene.stream.push(null);
    });
    for await (const chunk of scene.stream) scene.log.push(`got ${text(chunk)}`);
    scene.look();
  },
  'a loop that is left': async (scene) => {
    scene.stream.push('a');
    for await (const _chunk of scene.stream) break;
    scene.look();
  },
  'a loop over a stream that is destroyed': async (scene) => {
    // Without 'close' a loop waits for ever, in Node too.
    if (!scene.hasClose) return;
    setImmediate(() => scene.stream.destroy());
    try {
      for await (const _chunk of scene.stream);
    } catch (error) {
      scene.log.push(text(error));
    }
  },
  'a pipe, held back by its sink': async (scene) => {
    const sink = new Scene(scene.stream.constructor as typeof NodeDuplex, {}, false);
    scene.stream.pipe(sink.stream);
    scene.stream.push('12345678');
    await settled();
    scene.stream.push('9');
    await settled();
    sink.writes.shift()?.();
    await settled();
    scene.stream.push(null);
    sink.writes.shift()?.();
    await settled();
    sink.final?.();
    scene.log.push(...sink.log.map((line) => `sink: ${line}`));
  },
};

/** A loop goes on in promises, which Node runs behind all that was put off by nextTick(), and a browser in their turn. */
const isLoop = (title: string): boolean => title.startsWith('a loop');

async function seen(make: typeof NodeDuplex, program: Program, options: object, events: readonly Event[]) {
  const scene = new Scene(make, options);
  scene.listen(...events);
  await program(scene);
  await settled();
  scene.look();
  return scene.log;
}

const LISTENERS: Readonly<Record<string, readonly Event[]>> = {
  'to all but what reads': EVENTS.filter((event) => event !== 'data' && event !== 'readable'),
  'to data': EVENTS.filter((event) => event !== 'readable'),
  'to readable': EVENTS.filter((event) => event !== 'data'),
};

describe.each(Object.entries(LISTENERS))(
  'a Duplex for browsers, with listeners %s, does as that of Node',
  (_name, events) => {
    const own = OwnDuplex as unknown as typeof NodeDuplex;
    describe.each([{}, { allowHalfOpen: false }, { emitClose: false }])('with %j', (options) => {
      it.each(Object.entries(programs))('%s', async (title, program) => {
        const [browser, node] = [
          await seen(own, program, options, events),
          await seen(NodeDuplex, program, options, events),
        ];
        if (isLoop(title)) expect(browser.sort()).toEqual(node.sort());
        else expect(browser).toEqual(node);
      });
    });
  },
);

describe('bytes for browsers', () => {
  it('are views of memory, and their text is UTF-8', () => {
    const memory = new TextEncoder().encode('grüße').buffer;
    const bytes = Bytes.from(memory, 0, 4);
    expect(String(bytes)).toBe('grü');
    expect(bytes.subarray(1).toString()).toBe('rü');
    bytes[0] = 0x47;
    expect(new TextDecoder().decode(memory)).toBe('Grüße');
    expect(() => bytes.toString('hex')).toThrow(
      new RangeError("Expected encoding to be 'utf8', the only one in a browser, got hex"),
    );
  });
});
