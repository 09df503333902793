// The dashboard in a real browser. Where there is no chromium this says so and passes; where it was asked for (CI, REQUIRE_CHROMIUM=1),
// that is an error.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dial } from '@zishuo/yamux-websocket';
import type { AxeResults } from 'axe-core';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Access } from '../../src/admin/access.ts';
import { AdminServer } from '../../src/admin/admin-server.ts';
import type { TunnelGatewayOptions } from '../../src/gateway/options.ts';
import { Revocations } from '../../src/gateway/revocations.ts';
import { type Admin, startAdmin } from '../support/admin.ts';
import { type FleetGateway, settled, startFleet } from '../support/fleet.ts';
import { askAndServe, freePort, type Gateway, startAgent, startGateway, tokenFor } from '../support/tunnel.ts';
import { findChromium, launch } from './chromium.ts';

const executable = findChromium();
if (executable === undefined) {
  const said = 'no chromium on PATH and no CHROMIUM_PATH: the dashboard is not tested in a browser';
  if (isSet('CI') || isSet('REQUIRE_CHROMIUM')) throw new Error(said);
  console.warn(`skipped: ${said}`);
}

function isSet(name: string): boolean {
  return !['', '0', 'false', undefined].includes(process.env[name]);
}

describe.skipIf(executable === undefined)('the dashboard in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch(executable as string);
  });
  afterAll(() => browser.close());

  interface Shown {
    readonly gateway: Gateway;
    readonly admin: Admin;
    readonly page: Page;
    /** What the page complained of, its policy's violations included. */
    readonly complaints: string[];
  }

  interface Show extends Partial<TunnelGatewayOptions> {
    readonly token?: boolean;
    readonly agents?: readonly string[];
  }

  /** The page, when it shows something, and what the browser complains of. */
  async function open(url: string): Promise<Pick<Shown, 'page' | 'complaints'>> {
    const page = await browser.newPage();
    onTestFinished(() => page.close());
    page.setDefaultTimeout(20_000);
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(url);
    await page.locator('#main').waitFor();
    return { page, complaints };
  }

  async function show({ token = true, agents = ['alpha', 'bravo'], ...options }: Show = {}): Promise<Shown> {
    const gateway = await startGateway({ balance: 'weighted', ...options });
    const admin = await startAdmin(gateway);
    for (const name of agents) {
      await startAgent(gateway, { name, origin: (request, response) => void request.pipe(response) });
    }
    return { gateway, admin, ...(await open(token ? admin.dashboard : admin.server.url)) };
  }

  const rowOf = (page: Page, key: string) => page.locator(`.session[data-key="${key}"]`);
  const sessionOf = ({ gateway }: Gateway, key: string) =>
    gateway.routes.pool.stats().sessions.find((session) => session.key === key);

  it('shows sessions, live figures, routes and what has happened, and takes the token out of the address', async () => {
    const { gateway, admin, page, complaints } = await show();
    expect(page.url()).toBe(admin.server.url);
    expect(await page.locator('.agent h3').allTextContents()).toEqual(['alpha', 'bravo']);
    expect(await rowOf(page, 'alpha~1').textContent()).toMatch(/takes requests.*0 of 1,000 streams.*DrainCut/);
    const enough = new AbortController();
    const load = (async () => {
      while (!enough.signal.aborted) await askAndServe(gateway, { method: 'POST', body: 'x'.repeat(100_000) });
    })();
    const figures = page.locator('.figure .value');
    const moves = /^[1-9].*(KiB|MiB)\/s$/;
    await page.waitForFunction(() => {
      const [requests, down, up] = [...document.querySelectorAll('.figure .value')].map((one) => one.textContent);
      return Number.parseFloat(requests ?? '') > 0 && /iB\/s$/.test(down ?? '') && /iB\/s$/.test(up ?? '');
    });
    expect(await figures.nth(1).textContent()).toMatch(moves);
    await page.locator('.session[data-key="bravo~2"] .line.down[d^="M"]').waitFor({ state: 'attached' });
    enough.abort();
    await load;
    const request = page.locator('.requests tbody tr').first();
    await request.waitFor();
    expect(await request.textContent()).toMatch(/httpapp\.example(alpha|bravo)200.*(98|99) KiB(98|99) KiB$/);
    expect(await page.locator('.routes > li').textContent()).toMatch(/app\.example\s*alpha, bravoWhy\?/);
    expect(await page.locator('.events > li p').allTextContents()).toEqual(['bravo~2 joined', 'alpha~1 joined']);
    expect(complaints).toEqual([]);
  });

  it('drains and resumes a session', async () => {
    const { gateway, page, complaints } = await show();
    await page.getByRole('button', { name: 'Drain alpha~1' }).click();
    const row = rowOf(page, 'alpha~1');
    await row.getByText('Draining for').waitFor();
    expect(await row.locator('.reason').textContent()).toMatch(/^Draining for \d+ s: asked on the dashboard$/);
    expect(sessionOf(gateway, 'alpha~1')).toMatchObject({ draining: true, drainReason: 'asked on the dashboard' });
    expect(sessionOf(gateway, 'bravo~2')).toMatchObject({ draining: false });
    await page.getByRole('button', { name: 'Resume alpha~1' }).press('Enter');
    await page.getByRole('button', { name: 'Drain alpha~1' }).waitFor();
    expect(sessionOf(gateway, 'alpha~1')).toMatchObject({ draining: false });
    expect(complaints).toEqual([]);
  });

  it('cuts a session, once it is sure, and its agent comes back', async () => {
    const { gateway, page, complaints } = await show();
    const row = rowOf(page, 'alpha~1');
    const cut = row.getByRole('button', { name: 'Cut alpha~1', exact: true });
    await cut.click();
    const sure = row.getByRole('button', { name: 'Sure? Cut alpha~1' });
    await sure.press('Escape');
    await cut.waitFor();
    expect(sessionOf(gateway, 'alpha~1')).toBeDefined();
    await cut.click();
    await sure.click();
    await rowOf(page, 'alpha~3').waitFor();
    await row.waitFor({ state: 'detached' });
    await page.getByText('alpha~1 drains: asked on the admin port').waitFor();
    expect(sessionOf(gateway, 'alpha~1')).toBeUndefined();
    expect(complaints).toEqual([]);
  });

  it('revokes an agent, shows who is revoked and by what, and restores it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tunnel-test-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'revoked'), 'tenant elsewhere\ntoken t-1\n');
    const revocations = new Revocations(join(folder, 'revoked'));
    const { gateway, page, complaints } = await show({ revocations });
    const revoked = page.locator('#revoked li');
    expect(await revoked.allTextContents()).toEqual([
      'tenant elsewhereby the file of --revoked',
      'token t-1by the file of --revoked',
    ]);
    expect(await page.getByRole('button', { name: /^Restore/ }).count()).toBe(0);
    await page.getByRole('button', { name: 'Revoke alpha' }).click();
    await page.getByRole('button', { name: 'Sure? Revoke alpha' }).click();
    await rowOf(page, 'alpha~1').waitFor({ state: 'detached' });
    await page.getByText('an agent got 403').first().waitFor();
    expect(gateway.gateway.revocations.list).toContain('agent alpha');
    await page.getByText('agent alpha is refused from now on').waitFor();
    await page.getByRole('button', { name: 'Restore agent alpha' }).click();
    await page.getByText('agent alpha may come back').waitFor();
    await page.waitForFunction(() => document.querySelectorAll('#revoked li').length === 2);
    expect(gateway.gateway.revocations.list).not.toContain('agent alpha');
    expect(complaints).toEqual([]);
  });

  it('shows whose target refuses connections, whose token ends soon, and that clients were limited', async () => {
    const { gateway, page } = await show({ maxRequestsPerAddress: 1 });
    await startAgent(gateway, {
      name: 'charlie',
      routes: ['refusing.example'],
      origin: `http://127.0.0.1:${await freePort()}`,
    });
    const row = rowOf(page, 'charlie~3');
    await row.waitFor();
    const enough = new AbortController();
    const load = (async () => {
      while (!enough.signal.aborted) await askAndServe(gateway, { host: 'refusing.example' });
    })();
    await row.getByText('Its target refuses connections for refusing.example').waitFor();
    enough.abort();
    await load;
    const ending = await dial(`ws://127.0.0.1:${gateway.port}/connect`, {
      headers: { Authorization: `Bearer ${tokenFor('delta', ['delta.example'], Date.now() + 300_000)}` },
    });
    onTestFinished(() => ending.destroy());
    ending.on('error', () => {});
    await rowOf(page, 'delta~4')
      .getByText(/^Ends with its token in (5|4) min$/)
      .waitFor();
    gateway.gateway.limits.requests.take('192.0.2.1');
    expect(gateway.gateway.limits.requests.take('192.0.2.1')).toBe(false);
    await page.getByText('1 client limited').waitFor();
  });

  it('re-weighs a session, does not lose what is being typed to the next snapshot, and shows the weight of others', async () => {
    const { gateway, page } = await show();
    const weight = page.getByLabel('Weight of bravo~2');
    await weight.fill('7');
    await page.getByRole('button', { name: 'Drain alpha~1' }).click();
    await rowOf(page, 'alpha~1').getByText('Draining for').waitFor(); // a snapshot has come
    expect(await weight.inputValue()).toBe('7');
    await rowOf(page, 'bravo~2').getByRole('button', { name: 'Set' }).click();
    await page.getByText('bravo~2 weighs 7 now').waitFor();
    expect(sessionOf(gateway, 'bravo~2')?.weight).toBe(7);
    await rowOf(page, 'bravo~2').getByRole('button', { name: 'Set' }).waitFor({ state: 'hidden' });
    await weight.fill('9');
    await weight.press('Escape');
    expect(await weight.inputValue()).toBe('7');
    const [session] = gateway.gateway.routes.sessions;
    session?.ref.update((facts) => ({ ...facts, weight: 4 }));
    await page.waitForFunction(
      () => document.querySelector<HTMLInputElement>('[data-key="alpha~1"] input')?.value === '4',
    );
  });

  it('says so where weights do not count', async () => {
    const { page } = await show({ balance: 'least-conn' });
    await page.getByText('weights do not count').waitFor();
    expect(await page.getByLabel('Weight of alpha~1').isDisabled()).toBe(true);
    expect(await page.getByRole('button', { name: 'Drain alpha~1' }).isEnabled()).toBe(true);
  });

  it('explains why a route has no session, from the form and from the list', async () => {
    const { gateway, page, complaints } = await show();
    gateway.gateway.drain('alpha', 'a new kernel');
    gateway.gateway.drain('bravo', 'a new disk');
    await page.getByLabel('Host').fill('app.example');
    await page.getByLabel('Host').press('Enter');
    const why = page.locator('#why');
    await why.getByText('app.example: 0 of its 2 sessions can take one now, a request is answered 503.').waitFor();
    expect(await why.locator('li').allTextContents()).toEqual([
      expect.stringMatching(/^alpha~1 draining.*a new kernel/),
      expect.stringMatching(/^bravo~2 draining.*a new disk/),
    ]);
    await page.getByLabel('Host').fill('nobody.example');
    await page.getByRole('button', { name: 'Explain' }).click();
    await why.getByText('No agent has ever served nobody.example/').waitFor();
    await page.getByRole('button', { name: 'Why? app.example' }).click();
    await why.getByText('0 of its 2 sessions').waitFor();
    expect(complaints).toEqual([]);
  });

  it('only looks without the token, and acts once it has it', async () => {
    const { admin, page } = await show({ token: false });
    const drain = page.getByRole('button', { name: 'Drain alpha~1' });
    expect([await drain.isDisabled(), await page.getByLabel('Weight of alpha~1').isDisabled()]).toEqual([true, true]);
    const token = page.getByLabel('To act, give the admin token');
    await token.fill('not the token at all');
    await token.press('Enter');
    await drain.click();
    await page.getByRole('alert').getByText('did not take this token').waitFor();
    await token.fill(admin.token);
    await page.getByRole('button', { name: 'Use it' }).click();
    await token.waitFor({ state: 'hidden' });
    await drain.click();
    await page.getByRole('button', { name: 'Resume alpha~1' }).waitFor();
    expect(await page.getByRole('alert').isVisible()).toBe(false);
  });

  it('shows nothing before it has the token, where looking asks for it', async () => {
    const mayRead = vi.spyOn(Access.prototype, 'mayRead').mockImplementation(function (this: Access, request) {
      return this.mayAct(request);
    });
    onTestFinished(() => mayRead.mockRestore());
    const gateway = await startGateway();
    const admin = await startAdmin(gateway);
    await startAgent(gateway, { origin: 'http://127.0.0.1:1' });
    const page = await browser.newPage();
    onTestFinished(() => page.close());
    await page.goto(admin.server.url);
    const token = page.getByLabel('shows itself only to who has its admin token');
    await token.waitFor();
    expect([await page.locator('#main').isVisible(), await page.locator('#link').textContent()]).toEqual([
      false,
      'locked',
    ]);
    await token.fill(admin.token);
    await token.press('Enter');
    await rowOf(page, 'alpha~1').waitFor();
    await page.getByText('live', { exact: true }).waitFor();
    expect(await token.isVisible()).toBe(false);
  });

  it('says that the connection is lost, and goes on by itself when the gateway is back', async () => {
    const { gateway, admin, page } = await show();
    await page.getByText('live', { exact: true }).waitFor();
    await admin.server.close();
    await page.getByText('connection lost').waitFor();
    const again = await AdminServer.listen({ gateway: gateway.gateway, port: admin.port, token: admin.token });
    onTestFinished(() => again.close());
    await page.getByText('live', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Drain alpha~1' }).click();
    await page.getByRole('button', { name: 'Resume alpha~1' }).waitFor();
  });

  it('says in words that there is nothing yet, that an agent was lost, and that the gateway drains', async () => {
    const { gateway, page } = await show({ agents: [] });
    for (const words of [
      'No agent is here',
      'No route is known yet',
      'No request has ended yet',
      'Nothing has happened yet',
    ]) {
      await page.getByText(words).waitFor();
    }
    const { relay } = await startAgent(gateway, { name: 'charlie', origin: 'http://127.0.0.1:1' });
    await rowOf(page, 'charlie~1').waitFor();
    relay.cut(true);
    await page.getByText('charlie~1 was lost').waitFor();
    await page.getByText('nobody: its agents are gone').waitFor();
    void gateway.gateway.close(0);
    await page.getByText('Draining: the gateway was asked to stop').waitFor();
    expect(await page.title()).toBe('Draining – Tunnel gateway');
  });

  it.each([
    ['light', 1440, 900],
    ['dark', 1440, 900],
    ['light', 360, 780],
    ['dark', 360, 780],
    ['light', 800, 900],
  ] as const)('in %s at %i px overflows nowhere, and axe finds nothing', async (colorScheme, width, height) => {
    const { gateway, page, complaints } = await show({
      agents: ['alpha', 'an-agent-with-a-name-that-is-rather-long.example'],
    });
    await askAndServe(gateway, { method: 'POST', body: 'x' });
    await askAndServe(gateway, { host: `${'very-'.repeat(30)}long.example` });
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height });
    gateway.gateway.drain(
      'alpha',
      'for a reason that is told in so many words that they do not fit into one line of a phone',
    );
    await rowOf(page, 'alpha~1').getByText('Draining for').waitFor();
    await page.getByLabel('Weight of alpha~1').fill('12345');
    await page.getByLabel('Host').fill('app.example');
    await page.getByLabel('Host').press('Enter');
    await page.locator('#why li').first().waitFor();
    const { overflowing, dark } = await page.evaluate(() => ({
      overflowing: [...document.body.querySelectorAll('*')]
        .filter((one) => one.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5)
        .filter((one) => one.closest('thead') === null) // on a phone it is for screen readers alone
        .map((one) => one.outerHTML.slice(0, 120)),
      dark: getComputedStyle(document.body).backgroundColor,
    }));
    expect(overflowing).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    expect(dark).toBe(colorScheme === 'dark' ? 'rgb(19, 21, 19)' : 'rgb(246, 245, 241)');
    await page.evaluate(axe.source);
    const { violations } = (await page.evaluate('axe.run()')) as AxeResults;
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it('has a row for each gateway of a fleet, says by way of whom a request went, and who else could serve a route', async () => {
    const [a, b] = (await startFleet(2)) as [FleetGateway, FleetGateway];
    await startAgent(b, { origin: (_request, response) => response.end('far') });
    await settled([a, b]);
    const admin = await startAdmin(a);
    const { page, complaints } = await open(admin.dashboard);
    await askAndServe(a);
    await page.locator('.requests tbody', { hasText: 'alpha via b' }).waitFor();
    expect(await page.locator('#engine').textContent()).toBe('2 gateways; the directory answers');
    expect(await page.locator('.gateways tr[data-gateway="a"]').textContent()).toMatch(/^a \(this one\)serving/);
    const other = page.locator('.gateways tr[data-gateway="b"]');
    await other.locator('td[data-heading="Asked of it"]', { hasText: /^1$/ }).waitFor();
    await other.locator('td[data-heading="Sessions"]', { hasText: /^1$/ }).waitFor();
    expect(await page.locator('#routes').textContent()).toContain('1 session at b');
    await page.getByRole('button', { name: 'Why? app.example' }).click();
    await page.locator('#why .summary').waitFor();
    expect(await page.locator('#why .summary').textContent()).toBe(
      'app.example: no session here can take one now; b can be asked.',
    );
    expect(await page.locator('#why .reasons').textContent()).toContain(
      'b may be asked1 session there serves it, and it would be asked first.',
    );
    await page.evaluate(axe.source);
    const { violations } = (await page.evaluate('axe.run()')) as AxeResults;
    expect(violations.map(({ id, help }) => `${id}: ${help}`)).toEqual([]);
    for (const [name, width] of [
      ['wide', 1280],
      ['phone', 390],
    ] as const) {
      await page.setViewportSize({ width, height: 800 });
      const overflow = await page.evaluate(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      );
      expect([name, overflow]).toEqual([name, 0]);
      if (process.env.DASHBOARD_PICTURES) {
        await page.screenshot({ path: join(process.env.DASHBOARD_PICTURES, `fleet-${name}.png`), fullPage: true });
      }
    }
    expect(complaints).toEqual([]);
  });
});
