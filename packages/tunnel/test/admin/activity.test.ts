import { dial } from '@zishuo/yamux-websocket';
import { expect, it } from 'vitest';
import { Activity } from '../../src/admin/activity.ts';
import { askAndServe, startAgent, startGateway } from '../support/tunnel.ts';

it('what happens lately is told in words, the latest first, and no more than twenty of each are kept', async () => {
  const gateway = await startGateway();
  let changes = 0;
  const activity = new Activity(gateway.gateway, () => {
    changes += 1;
  });
  await startAgent(gateway, { origin: (_request, response) => response.end() });
  for (let count = 0; count < 25; count += 1) await askAndServe(gateway, { path: `/${count}` });
  expect(activity.requests).toHaveLength(20);
  gateway.gateway.drain('alpha', 'a new kernel');
  gateway.gateway.resume('alpha');
  expect(activity.events.map(({ subject, text }) => `${subject} ${text}`)).toEqual([
    'alpha~1 takes new requests again',
    'alpha~1 drains: a new kernel',
    'alpha~1 joined',
  ]);
  expect(changes).toBe(3);
  for (let count = 0; count < 25; count += 1) activity.tell('weight', 'alpha~1', `weighs ${count} now`);
  expect([activity.events.length, activity.events[0]?.text]).toEqual([20, 'weighs 24 now']);
  activity.close();
  gateway.gateway.drain('alpha', 'nobody listens');
  expect(activity.events[0]?.text).toBe('weighs 24 now');
});

it('a stranger who knocks again and again is one line', async () => {
  const gateway = await startGateway();
  const activity = new Activity(gateway.gateway, () => {});
  for (let count = 0; count < 3; count += 1) {
    await expect(dial(`ws://127.0.0.1:${gateway.port}/connect`)).rejects.toMatchObject({ status: 401 });
  }
  expect(activity.events).toMatchObject([{ kind: 'refused', subject: 'an agent', times: 3 }]);
  activity.close();
});

it('another pool of the process is none of its business', async () => {
  const [ours, other] = [await startGateway(), await startGateway()];
  const activity = new Activity(ours.gateway, () => {});
  await startAgent(other, { origin: 'http://127.0.0.1:1' });
  expect(activity.events).toEqual([]);
  activity.close();
});
