import { describe, expect, it } from 'vitest';
import { UrlRotation } from '../src/url-rotation.ts';

const take = (urls: UrlRotation, count: number): (string | undefined)[] =>
  Array.from({ length: count }, () => {
    const turn = urls.take();
    return turn && `${turn.url}${turn.fresh ? ' fresh' : ''}`;
  });

describe('the URLs of a Reconnector', () => {
  it('take turns', () => {
    expect(take(new UrlRotation(['a', 'b', 'c']), 4)).toEqual(['a', 'b', 'c', 'a']);
  });

  it('are dialed with fresh credentials if they refused, and right after any refusal', () => {
    const urls = new UrlRotation(['a', 'b', 'c']);
    expect(take(urls, 1)).toEqual(['a']);
    urls.refused('a', false);
    expect(take(urls, 4)).toEqual(['b fresh', 'c', 'a fresh', 'b']);
  });

  it('are left out after they refused fresh credentials, until all are readmitted', () => {
    const urls = new UrlRotation(['a', 'b']);
    urls.refused('a', true);
    expect(urls.upcoming).toBe('b');
    expect(take(urls, 2)).toEqual(['b fresh', 'b']);
    urls.leaveOut('b');
    expect(urls.upcoming).toBeUndefined();
    expect(take(urls, 1)).toEqual([undefined]);
    urls.readmitAll();
    expect(take(urls, 2)).toEqual(['a', 'b']);
  });

  it('may contain one URL twice', () => {
    const urls = new UrlRotation(['a', 'a', 'b']);
    expect(take(urls, 3)).toEqual(['a', 'a', 'b']);
    urls.leaveOut('a');
    expect(take(urls, 2)).toEqual(['b', 'b']);
  });
});
