// `pnpm screenshots`: the pictures of the dashboard in docs/images, taken anew.
import { fileURLToPath } from 'node:url';
import { findChromium, launch } from './chromium.ts';
import { Scene } from './scene.ts';

const SHOTS = [
  { name: 'dashboard-light', colorScheme: 'light' },
  { name: 'dashboard-dark', colorScheme: 'dark' },
] as const;

const folder = process.argv[2] ?? fileURLToPath(new URL('../../../../docs/images', import.meta.url));
const executable = findChromium();
if (executable === undefined) throw new Error('expected chromium on PATH, or CHROMIUM_PATH');
const scene = await Scene.start();
const browser = await launch(executable);
try {
  const page = await browser.newPage();
  await page.goto(scene.url);
  await scene.play();
  await page.setViewportSize({ width: 1280, height: 824 });
  for (const { name, colorScheme } of SHOTS) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `${folder}/${name}.png` });
  }
  if (process.argv[2] !== undefined) {
    // For who looks at the page, and not for the documentation.
    await page.setViewportSize({ width: 390, height: 844 });
    await page.screenshot({ path: `${folder}/dashboard-phone.png`, fullPage: true });
  }
} finally {
  await browser.close();
  await scene.close();
}
