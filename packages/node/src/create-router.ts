import { UpgradeRouter } from '@fanfold/websocket'
import type { Config } from './config.ts'

/** The front door of a public port, with the bounds of the configuration and no routes yet. */
export const createRouter = ({ limits, compression }: Config): UpgradeRouter =>
  new UpgradeRouter({
    origins: ['*'],
    connectionsMax: limits.viewersMax,
    handshakesPerSecondMax: limits.handshakesPerSecondMax,
    handshakesBurst: limits.handshakesBurst,
    isCompressing: compression,
  })
