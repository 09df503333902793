// A stream as an application has it, over a wire stream between a session and a peer that do what the test says.

import { YamuxStream } from '../../src/duplex/yamux-stream.ts';
import { streamContext } from './stream-context.ts';
import { numbered, WireScene, type WireSceneOptions } from './wire-scene.ts';

export interface StreamSceneOptions extends Omit<WireSceneOptions, 'hasFace'> {
  readonly allowHalfOpen?: boolean;
}

export class StreamScene extends WireScene {
  readonly stream: YamuxStream;
  /** 'end', 'error …', 'finish' and 'close', in order. */
  readonly events: string[] = [];

  constructor(options: StreamSceneOptions = {}) {
    super({ ...options, hasFace: false });
    this.stream = new YamuxStream(this.wire, streamContext(this.clock), options.allowHalfOpen ?? true);
    for (const event of ['end', 'finish', 'close']) this.stream.on(event, () => this.events.push(event));
    this.stream.on('error', (error) => this.events.push(`error ${(error as { code?: string }).code ?? error.message}`));
  }

  // The transport takes all at once.

  override allSent(): void {
    this.stream.written(true);
  }

  override handedOver(): void {
    super.handedOver();
    this.stream.written(true);
  }

  /** All that has arrived, as it was sent. */
  get sent(): Buffer {
    return numbered(0, this.received);
  }
}
