// What the cases that wait for an answer send.

import { ECHO } from '../serve.ts';

export const MESSAGE_BYTES = 64;

export const message: Buffer = Buffer.alloc(MESSAGE_BYTES, ECHO);
