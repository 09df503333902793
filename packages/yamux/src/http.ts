// The subpath ./http: node:http over streams, on both sides.

export { httpAgent, type RequestToOpen, type SourceOfRequest, type StreamSource } from './http/agent.ts';
export { type HttpServer, type StreamSession, serveHttp } from './http/serve.ts';
