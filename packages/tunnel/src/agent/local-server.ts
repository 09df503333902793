// The HTTP server of an agent, which listens on no port: node:http needs no socket to serve a connection, a stream of a session is one to
// it. Everything that a gateway can ask for comes in here.
import { createServer, type Server } from 'node:http';
import type { Connection } from '../http/connection.ts';
import { upgradeResponse } from '../http/upgrade-response.ts';
import type { Log } from '../log.ts';
import { serveLocalConnect } from './local-connect.ts';
import { serveLocalRequest } from './local-request.ts';
import type { Targets } from './targets.ts';

/** Takes streams as `server.emit('connection', stream)`. */
export function localServer(targets: Targets, log: Log): Server {
  const server = createServer({ requestTimeout: 0 }); // how long a body may take is for the gateway to say
  server.on('request', (request, response) => void serveLocalRequest(request, response, targets, log));
  // The target says whether it wants the body.
  server.on('checkContinue', (request, response) => void serveLocalRequest(request, response, targets, log));
  server.on('upgrade', (request, socket: Connection, head) => {
    const upgrade = { socket, head };
    void serveLocalRequest(request, upgradeResponse(request, upgrade), targets, log, upgrade);
  });
  server.on('connect', (request, socket: Connection, head) =>
    serveLocalConnect(request, { socket, head }, targets, log),
  );
  return server;
}
