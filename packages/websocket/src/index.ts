export {
  type ClientLimits,
  observeLimitsDefault,
  writeLimitsDefault,
} from './client-limits.ts'
export { type Clock, systemClock } from './clock.ts'
export {
  type InProcessLimits,
  InProcessLinks,
  inProcessLimitsDefault,
} from './in-process-links.ts'
export {
  type LinkAgreement,
  type LinkAuthenticator,
  linkProofBytes,
  type VerifiedPeer,
} from './link-handshake.ts'
export { type LinkLimits, linkLimitsDefault } from './link-socket.ts'
export { LinkSockets, type LinkStats } from './link-sockets.ts'
export { tokenBytesMax } from './request-token.ts'
export { TlsDialler } from './tls-dialler.ts'
export { tokensVerifyingMaxDefault } from './token-gate.ts'
export { TurnShare } from './turn-share.ts'
export {
  handshakesBurstDefault,
  handshakesPerSecondMaxDefault,
  httpServerOptions,
  type LinkAcceptor,
  listenBacklog,
  type RouteName,
  retryAfterHeader,
  routePaths,
  UpgradeRouter,
} from './upgrade-router.ts'
export { ViewerSockets, type ViewerStats } from './viewer-sockets.ts'
export { WriterSockets, type WriterStats, writesInFlightMaxDefault } from './writer-sockets.ts'
