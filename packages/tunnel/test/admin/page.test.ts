import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { codeOf, startAdmin } from '../support/admin.ts';
import { startGateway } from '../support/tunnel.ts';

describe('the dashboard', () => {
  it('is every file of its folder, of its type, under a policy that lets it load nothing from elsewhere', async () => {
    const admin = await startAdmin(await startGateway());
    const names = await readdir(new URL('../../src/admin/page/', import.meta.url));
    for (const name of names.filter((candidate) => !/^tsconfig/.test(candidate))) {
      const answer = await admin.ask(name === 'dashboard.html' ? '/' : `/${name}`);
      expect([name, answer.status]).toEqual([name, 200]);
      const type = { html: 'text/html', css: 'text/css', js: 'text/javascript', svg: 'image/svg+xml' }[
        name.split('.').at(-1) ?? ''
      ];
      expect(answer.headers['content-type']).toMatch(new RegExp(`^${type?.replace('+', '\\+')}`));
      expect(answer.headers).toMatchObject({
        'content-security-policy': expect.stringContaining("default-src 'none'; script-src 'self'"),
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      });
      expect(answer.body).not.toMatch(/(src|href)="(https?:)?\/\/|style="|@import|url\(/);
    }
  });

  it.each(['/tsconfig.json', '/../admin-server.ts', '/page/dashboard.js', '//', '/dashboard.html'])(
    '%s is not there',
    async (path) => {
      const admin = await startAdmin(await startGateway());
      const answer = await admin.ask(path);
      expect([answer.status, codeOf(answer)]).toEqual([404, 'ERR_TUNNEL_ADMIN_NOT_FOUND']);
    },
  );
});
