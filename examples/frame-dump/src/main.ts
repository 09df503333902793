// Decodes Yamux bytes into readable lines, one for each frame, and says what is wrong with other bytes.
import { readFileSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { dump } from './dump.ts';

const HELP = `Usage: frame-dump <hex>…         frames as hex digits; blanks, colons, line breaks and 0x do not count
       frame-dump --file <path>   frames as raw bytes in a file
       frame-dump -               frames as raw bytes on stdin

Prints a line a frame: offset, type, flags, stream id, length, and how a payload begins. The bytes must be one direction of one
session, from its beginning or from the beginning of a frame, without what carries them (no TLS, no WebSocket frames).

Exit code 0: nothing but whole frames. 1: something else, which the last line names. 2: the command line is wrong.
`;

class UsageError extends Error {}

async function bytesOf(path: string | undefined, args: readonly string[]): Promise<Buffer> {
  if (path !== undefined && args.length > 0) throw new UsageError('Expected --file or hex digits, got both');
  if (path !== undefined) return readFile(path);
  if (args.length === 1 && args[0] === '-') return buffer(process.stdin);
  if (args.length === 0) throw new UsageError('Expected hex digits, --file <path>, or - for stdin, got nothing');
  return fromHex(args.join(' '));
}

function readFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UsageError(`Expected --file to name a readable file: ${(error as Error).message}`);
  }
}

function fromHex(text: string): Buffer {
  const digits = text.replace(/\b0x|[\s:]/gi, '');
  const wrong = /[^0-9a-f]/i.exec(digits)?.[0];
  if (wrong !== undefined) throw new UsageError(`Expected hex digits, got '${wrong}'; is it a file? Then use --file`);
  if (digits.length % 2 === 1) throw new UsageError(`Expected two hex digits a byte, got ${digits.length} digits`);
  return Buffer.from(digits, 'hex');
}

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h' }, file: { type: 'string', short: 'f' } },
  });
  if (values.help === true) {
    process.stdout.write(HELP);
  } else {
    const { lines, problem } = dump(await bytesOf(values.file, positionals));
    for (const line of lines) console.log(line);
    if (problem !== undefined) {
      console.log(problem);
      process.exitCode = 1;
    }
  }
} catch (error) {
  const isUsage =
    error instanceof UsageError || String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE_ARGS');
  if (!isUsage) throw error;
  console.error(`${(error as Error).message}\nSee frame-dump --help`);
  process.exitCode = 2;
}
