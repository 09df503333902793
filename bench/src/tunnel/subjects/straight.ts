// A direct connection, without anything in between.
import type { Subject } from '../subject.ts';

export const straight: Subject = {
  name: 'straight',
  version: '',
  note: 'no tunnel: the load speaks with the origin',
  start: (_children, originPort) => Promise.resolve({ url: `http://127.0.0.1:${originPort}` }),
};
