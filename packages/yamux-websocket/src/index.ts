// The public surface.
export type { BackoffOptions } from './backoff.ts';
export type { WebSocketByteStream } from './byte-stream.ts';
export type { SocketClose } from './close-codes.ts';
export { type DialOptions, dial, type WsClientOptions } from './dial.ts';
export {
  type Refusal,
  UpgradeRefusedError,
  type WebSocketErrorCode,
  type WebSocketErrorDetail,
  YamuxWebSocketError,
} from './errors.ts';
export { MessageBudget } from './message-budget.ts';
export type { MessageData, MessageListener, MessageSocket } from './message-socket.ts';
export type { Carrier, WebSocketStreamOptions } from './options.ts';
export { keepConnected, type Reconnector } from './reconnect.ts';
export type { DialAttempt, KeepConnectedOptions, KeptDialOptions, RetryEvent } from './reconnect-options.ts';
export { type CarriedStreamOptions, client, server, socketClosed } from './session.ts';
export { type AnyWebSocket, webSocketStream } from './stream.ts';
export { acceptUpgrades, type UpgradeAcceptor } from './upgrade.ts';
export type { ByIdentity, UpgradeOptions } from './upgrade-options.ts';
export { type RecommendedWsOptions, recommendedWsOptions } from './ws-options.ts';
export type { WsLike } from './ws-socket.ts';
