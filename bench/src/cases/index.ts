import type { Case } from '../case.ts';
import { bulk } from './bulk.ts';
import { openEchoClose } from './open-echo-close.ts';
import { pingPong } from './ping-pong.ts';

export const cases: readonly Case[] = [bulk(1, 65_536), bulk(100, 65_536), openEchoClose, pingPong];
