// The message of the cases that wait for an echo.

import { ECHO } from '../serve.ts';

export const MESSAGE_BYTES = 64;

export const message: Buffer = Buffer.alloc(MESSAGE_BYTES, ECHO);
