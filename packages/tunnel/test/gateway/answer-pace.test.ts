import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AnswerPace } from '../../src/gateway/answer-pace.ts';
import { signal, startAgent, startGateway } from '../support/tunnel.ts';

const limits = { idleTimeout: 60_000, minAnswerRate: 100 };
const code = { code: 'ERR_TUNNEL_IDLE_TIMEOUT' };

describe('the pace of an answer', () => {
  it('is too slow below minAnswerRate over five seconds', () => {
    const pace = new AnswerPace(limits);
    expect(pace.check(0, 0)).toBeUndefined();
    expect(pace.check(499, 4_999)).toBeUndefined();
    expect(pace.check(499, 5_000)).toBeUndefined(); // nothing more was taken: that is for the idle timeout
    expect(pace.check(501, 5_100)).toMatchObject(code);
    const faster = new AnswerPace(limits);
    faster.check(0, 0);
    expect(faster.check(600, 5_500)).toBeUndefined();
    expect(faster.check(601, 10_600)).toMatchObject(code);
  });

  it('is measured over a step of the system, however long that takes', () => {
    const pace = new AnswerPace(limits);
    pace.check(0, 0);
    for (let now = 500; now < 50_000; now += 500) expect(pace.check(0, now)).toBeUndefined();
    expect(pace.check(64_000, 50_000)).toBeUndefined();
  });

  it('has an end at idleTimeout while nothing is taken', () => {
    const pace = new AnswerPace(limits);
    pace.check(7, 0);
    expect(pace.check(7, 59_999)).toBeUndefined();
    expect(pace.check(7, 60_000)).toMatchObject(code);
  });

  it('is no matter while the client takes all that there is', () => {
    const pace = new AnswerPace(limits);
    pace.check(0, 0);
    expect(pace.check(undefined, 5_000)).toBeUndefined();
    expect(pace.check(1, 100_000)).toBeUndefined();
    expect(pace.check(1, 104_000)).toBeUndefined();
  });

  it('has no limits that are 0', () => {
    const pace = new AnswerPace({ idleTimeout: 0, minAnswerRate: 0 });
    pace.check(0, 0);
    expect([pace.check(0, 1e9), pace.check(1, 2e9)]).toEqual([undefined, undefined]);
  });
});

it('a client that takes nothing of its answer is cut off, though it goes on sending: its origin is done', async () => {
  const gateway = await startGateway({ idleTimeout: 300 });
  const closed = signal();
  await startAgent(gateway, {
    origin: (request, response) => {
      request.resume().on('error', () => {});
      response.on('close', () => closed.tell());
      const more = (): void => {
        while (response.write(Buffer.alloc(65_536)));
      };
      response.on('drain', more);
      more();
    },
  });
  const client = connect({ port: gateway.port, host: '127.0.0.1' });
  onTestFinished(() => void client.destroy());
  client.on('error', () => {}).pause();
  await once(client, 'connect');
  client.write('POST / HTTP/1.1\r\nHost: app.example\r\nTransfer-Encoding: chunked\r\n\r\n');
  const sending = setInterval(() => client.write('1\r\nx\r\n'), 50);
  onTestFinished(() => clearInterval(sending));
  const served = gateway.logged('served');
  await closed.happened;
  expect(await served).toMatchObject({ outcome: 'cut', code: 'ERR_TUNNEL_IDLE_TIMEOUT' });
});
