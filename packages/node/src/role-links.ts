import type { LinkEffect, LinkId, LinkInput, PeerIdentity } from '@fanfold/protocol'
import {
  InProcessLinks,
  inProcessLimitsDefault,
  type LinkAuthenticator,
  LinkSockets,
  type LinkStats,
  linkLimitsDefault,
  type SocketAcceptor,
  systemClock,
} from '@fanfold/websocket'
import type { Config } from './config.ts'

/** Names links, unique in the process. */
export type NextLink = () => LinkId

/**
 * All links of one role: those to other roles of this process, and those to other nodes.
 *
 * A link's name is unique in the process, so an effect is given to both kinds: the one that does not
 * know the link does nothing.
 */
export class RoleLinks {
  readonly inProcess: InProcessLinks
  /** Undefined where the node has no link token: it has no links to other nodes. */
  readonly #sockets: LinkSockets | undefined

  constructor(options: {
    readonly identity: PeerIdentity
    readonly authenticator: LinkAuthenticator | undefined
    readonly nextLink: NextLink
    readonly config: Config
    readonly report: (input: LinkInput) => void
  }) {
    const { identity, authenticator, nextLink, config, report } = options
    this.inProcess = new InProcessLinks({
      identity,
      nextLink,
      report,
      limits: inProcessLimitsDefault,
      defer: setImmediate,
    })
    if (authenticator === undefined) return
    this.#sockets = new LinkSockets({
      authenticator,
      nextLink,
      report,
      limits: {
        ...linkLimitsDefault,
        silenceMaxMs: config.limits.linkSilenceMaxMs,
        pingEveryMs: config.limits.linkPingMs,
      },
      clock: systemClock,
    })
  }

  /** Opens a link to the node at `address`; undefined where the node may have none. */
  dial(address: string): LinkId | undefined {
    return this.#sockets?.dial(address)
  }

  /** What takes over connections that other nodes open; undefined where the node may have none. */
  get acceptor(): SocketAcceptor | undefined {
    return this.#sockets
  }

  perform(effect: LinkEffect): void {
    this.inProcess.perform(effect)
    this.#sockets?.perform(effect)
  }

  /** Numbers of the links to other nodes. */
  stats(): LinkStats | undefined {
    return this.#sockets?.stats()
  }

  /** Tells other nodes that this one is going away, and closes their links. */
  drain(): void {
    this.#sockets?.drain()
  }

  /** Closes every link. */
  close(): void {
    this.inProcess.close()
    this.#sockets?.close()
  }
}
