/*
 * What is imported as `@fanfold/client/line`: how the client connects, loses its connection and comes back, without
 * what it does with frames. For programs that stand for many viewers and look at frames as little as they can.
 */
export { asMoveTarget, type Endpoint, parseEndpoints } from './endpoint.ts'
export { realEnvironment } from './environment.ts'
export { Line, type LineEvents, type LineOptions, type LineTarget } from './line.ts'
export { type ReconnectOptions, reconnectDelayMs } from './reconnect-delay.ts'
export type { WebSocketClass, WebSocketEvent, WebSocketLike } from './web-socket.ts'
