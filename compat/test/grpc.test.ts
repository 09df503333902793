// grpc-js: its server takes connections from a connection injector. Its client dials, so a listener of the test passes its connections on.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { pipeline } from 'node:stream/promises';
import {
  Client,
  credentials,
  type handleBidiStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type ServiceError,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { onTestFinished } from 'vitest';
import type { Carrier } from './support/carrier.ts';
import { turns, twins } from './support/twins.ts';

const same = (bytes: Buffer): Buffer => bytes;
const LARGE = { 'grpc.max_receive_message_length': -1 };

function method(name: string, requestStream: boolean, responseStream: boolean): ServiceDefinition[string] {
  const path = `/Test/${name}`;
  const codec = {
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
  return { path, requestStream, responseStream, ...codec };
}

const SERVICE: ServiceDefinition = {
  Echo: method('Echo', false, false),
  Count: method('Count', false, true),
  Chat: method('Chat', true, true),
  Silent: method('Silent', false, false),
};

const METHODS: UntypedServiceImplementation = {
  Echo: ((call, callback) => callback(null, call.request)) satisfies handleUnaryCall<Buffer, Buffer>,
  Count: ((call) => {
    const count = call.request.readUInt32BE();
    for (let sent = 0; sent < count; sent += 1) call.write(Buffer.alloc(1000, sent));
    call.end();
  }) satisfies handleServerStreamingCall<Buffer, Buffer>,
  Chat: ((call) => {
    call.on('data', (bytes: Buffer) => call.write(bytes)).on('end', () => call.end());
  }) satisfies handleBidiStreamingCall<Buffer, Buffer>,
  Silent: () => {},
};

async function serve(carrier: Carrier, own: UntypedServiceImplementation = {}): Promise<Client> {
  const server = new Server(LARGE);
  server.addService(SERVICE, { ...METHODS, ...own });
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  await carrier.serve(net.createServer((socket) => injector.injectConnection(socket)));
  const passing = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    void carrier.dial().then((onward) => {
      onward.on('error', () => socket.destroy());
      return Promise.allSettled([pipeline(socket, onward), pipeline(onward, socket)]);
    });
  });
  passing.listen(0, '127.0.0.1');
  await once(passing, 'listening');
  const client = new Client(
    `127.0.0.1:${(passing.address() as net.AddressInfo).port}`,
    credentials.createInsecure(),
    LARGE,
  );
  onTestFinished(() => {
    client.close();
    injector.destroy();
    server.forceShutdown();
    passing.close();
  });
  return client;
}

async function unary(client: Client, name: string, request: Buffer, options = {}): Promise<Buffer | number> {
  return new Promise((resolve) => {
    client.makeUnaryRequest(`/Test/${name}`, same, same, request, options, (error: ServiceError | null, answer) => {
      resolve(error ? error.code : (answer as Buffer));
    });
  });
}

twins(
  '20 calls at a time, with messages up to 190 kB',
  async (carrier) => {
    const client = await serve(carrier);
    const requests = Array.from({ length: 20 }, (_, at) => randomBytes(at * 10_000));
    const answers = await Promise.all(requests.map((request) => unary(client, 'Echo', request)));
    return answers.every((answer, at) => (requests[at] as Buffer).equals(answer as Buffer));
  },
  true,
);

twins(
  'a stream of 500 messages to a reader that pauses, and a stream in both directions',
  async (carrier) => {
    const client = await serve(carrier);
    const count = Buffer.alloc(4);
    count.writeUInt32BE(500);
    let received = 0;
    for await (const message of client.makeServerStreamRequest('/Test/Count', same, same, count)) {
      if ((message as Buffer).length === 1000) received += 1;
      if (received % 100 === 0) await turns(1);
    }
    const chat = client.makeBidiStreamRequest('/Test/Chat', same, same);
    const heard: string[] = [];
    chat.on('data', (bytes: Buffer) => heard.push(String(bytes)));
    for (const word of ['one', 'two', 'three']) chat.write(Buffer.from(word));
    chat.end();
    await once(chat, 'end');
    return { received, heard };
  },
  { received: 500, heard: ['one', 'two', 'three'] },
);

twins(
  'a deadline, a call that is cancelled, and the next one',
  async (carrier) => {
    const client = await serve(carrier);
    const late = await unary(client, 'Silent', Buffer.alloc(0), { deadline: Date.now() + 50 });
    const cancelled = new Promise<number>((resolve) => {
      const call = client.makeUnaryRequest('/Test/Silent', same, same, Buffer.alloc(0), (error) =>
        resolve(error?.code ?? 0),
      );
      call.cancel();
    });
    return [late, await cancelled, String(await unary(client, 'Echo', Buffer.from('next')))];
  },
  [status.DEADLINE_EXCEEDED, status.CANCELLED, 'next'],
);

twins(
  'a server that is gone fails the call',
  async (carrier) => {
    let called: (() => void) | undefined;
    const running = new Promise<void>((resolve) => {
      called = resolve;
    });
    const client = await serve(carrier, { Silent: () => called?.() });
    const answer = unary(client, 'Silent', Buffer.alloc(0));
    await running;
    carrier.fail();
    return answer;
  },
  status.UNAVAILABLE,
);
