export type { AddCall, AddOptions, AddOutcome, AnyAddCall } from './add-call.ts'
export type { Change } from './change.ts'
export { connect } from './connect.ts'
export type { ConnectOptions } from './connect-options.ts'
export type { Connection, ConnectionStatus, ObserveOptions, SendOptions } from './connection.ts'
export type { Environment } from './environment.ts'
export {
  type ClientErrorCode,
  FanfoldError,
  type FanfoldErrorOptions,
  Unauthorized,
} from './fanfold-error.ts'
export type { MessageCall } from './message-call.ts'
export type { Observation, ObservationStatus } from './observation.ts'
export type { Committed } from './outbox.ts'
export type { ReconnectOptions } from './reconnect-delay.ts'
export type { TokenSource } from './token.ts'
export type { WebSocketClass, WebSocketEvent, WebSocketLike } from './web-socket.ts'
