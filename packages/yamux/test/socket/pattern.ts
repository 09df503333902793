// What is written: text with characters of one to four bytes, the same everywhere, so that the reader knows what each byte must be.

/** A prime number of bytes, so that no two blocks of a buffer that is written again are alike. */
const PERIOD = 65_521;
const LARGEST = 13 * 2 ** 20;

function periodOfText(): Buffer {
  let text = '';
  let length = 0;
  for (let index = 0; length < PERIOD - 8; index += 1) {
    const next = `${index.toString(36)}${['é', '漢', '😀', 'x'][index % 4]}`;
    text += next;
    length += Buffer.byteLength(next);
  }
  return Buffer.from(text + 'z'.repeat(PERIOD - length));
}

const period = periodOfText();
const pattern = Buffer.alloc(LARGEST + PERIOD);
for (let at = 0; at < pattern.length; at += PERIOD) period.copy(pattern, at);

/** `size` bytes from `position` on. Not to be changed. */
export function patternAt(position: number, size: number): Buffer {
  const from = position % PERIOD;
  return pattern.subarray(from, from + size);
}
