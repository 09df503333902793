// Debian's chromium, where there is one. With an empty profile of its own each time, and with nothing to ask the network for.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const ARGS = [
  '--headless',
  '--no-sandbox', // root has none, and CI is root
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** CHROMIUM_PATH, or the first `chromium` on PATH; undefined where there is none. */
export function findChromium(): string | undefined {
  const { CHROMIUM_PATH: given, PATH: path = '' } = process.env;
  return (
    given ||
    path
      .split(delimiter)
      .map((folder) => join(folder, 'chromium'))
      .find(isExecutable)
  );
}

export function launch(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: ARGS });
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
