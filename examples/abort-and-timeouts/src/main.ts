// Calls that can be aborted, calls that can time out, and the error of each: its code, its scope and its origin.
import { once } from 'node:events';
import { client, type YamuxError, type YamuxStream } from '@zishuo/yamux';
import { pair, sockets } from './pair.ts';

function tell(what: string, error: unknown): void {
  const { name, message, code, scope, origin } = error as Error & Partial<YamuxError>;
  console.log(`${what}\n    ${name}${scope ? ` ${code} (${scope}, ${origin})` : ''}: ${message}`);
}
const rejection = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'no error',
    (error: unknown) => error,
  );
const errorOf = async (stream: YamuxStream): Promise<unknown> => (await once(stream, 'error'))[0];

{
  // The signal cancels the call. The session is not affected.
  const [ours, theirs] = await pair({ maxUnacknowledged: 1 });
  const stream = await ours.open();
  tell('open() waits for a slot, and is aborted', await rejection(ours.open({ signal: AbortSignal.timeout(10) })));
  const streamThere = await theirs.accept();
  tell('accept() is aborted', await rejection(theirs.accept({ signal: AbortSignal.timeout(10) })));

  // As on a socket, 'timeout' is only an event: the application decides what to do.
  stream.setTimeout(10);
  await once(stream, 'timeout');
  stream.destroy(new Error('no byte moved for 10 ms'));
  const [error, errorThere] = await Promise.all([errorOf(stream), errorOf(streamThere)]);
  tell('an idle stream is destroyed', error);
  tell('the same at the other end', errorThere);
  await ours.close();
}
{
  const [ours, theirs] = await pair({}, { acceptBacklog: 0 });
  tell('the peer takes no streams', await errorOf(await ours.open()));
  await theirs.close();
}
{
  const [ours, theirs] = await pair();
  const [first, firstThere] = await Promise.all([ours.open(), theirs.accept()]);
  firstThere.reset(42);
  tell('the peer resets a stream', await errorOf(first));

  // close() waits for live streams, until its timeout.
  const [second, secondThere] = await Promise.all([ours.open(), theirs.accept()]);
  const ends = Promise.all([errorOf(second), errorOf(secondThere)]);
  await ours.close({ timeout: 10 });
  const [error, errorThere] = await ends;
  tell('close({ timeout }) ends what is left', error);
  tell('the same at the other end', errorThere);
}
{
  // destroy() does not wait.
  const [ours, theirs] = await pair();
  const [stream, streamThere] = await Promise.all([ours.open(), theirs.accept()]);
  const ends = [errorOf(stream), errorOf(streamThere), once(theirs, 'error')];
  ours.destroy();
  const [error, errorThere] = await Promise.all(ends);
  tell('destroy() ends each stream', error);
  console.log(`and at the other end each one with the session's: ${errorThere === theirs.errored}`);
  tell('open() afterwards', await rejection(ours.open()));
}
{
  // A peer that reads everything and answers nothing.
  const [socket, silent] = await sockets();
  silent.resume();
  const session = client(socket, { keepAliveTimeout: 10 });
  const dead = once(session, 'error');
  tell('ping() without an answer', await rejection(session.ping()));
  tell('the keep-alive has noticed too', (await dead)[0]);
  silent.destroy();
}
