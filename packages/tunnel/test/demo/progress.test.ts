import type { WriteStream } from 'node:tty';
import { expect, it } from 'vitest';
import { Progress } from '../../src/demo/progress.ts';

const CLEAR = '\r\x1b[2K';

function written(columns: number, act: (progress: Progress) => void): string {
  let text = '';
  const write = (chunk: string): boolean => {
    text += chunk;
    return true;
  };
  act(new Progress({ isTTY: true, columns, write } as WriteStream));
  return text;
}

it.each([
  [40, 39],
  [0, 79],
])('the state of things stays on one line of a terminal that says it has %i columns', (columns, length) => {
  expect(written(columns, (progress) => progress.show('x'.repeat(200)))).toBe(CLEAR + 'x'.repeat(length));
});

it('what happened takes the place of the state of things, and stays', () => {
  const text = written(80, (progress) => {
    progress.show('state');
    progress.tell('happened');
    progress.show('next state');
  });
  expect(text).toBe(`${CLEAR}state${CLEAR}happened\n${CLEAR}next state`);
});
