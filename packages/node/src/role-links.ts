import {
  encodeLinkFrame,
  type LinkEffect,
  type LinkId,
  type LinkInput,
  type PeerIdentity,
} from '@fanfold/protocol'
import {
  InProcessLinks,
  inProcessLimitsDefault,
  type LinkAcceptor,
  type LinkAgreement,
  type LinkAuthenticator,
  LinkSockets,
  type LinkStats,
  linkLimitsDefault,
  systemClock,
  type TlsDialler,
  TurnShare,
} from '@fanfold/websocket'
import type { Config } from './config.ts'

/** How long children have to join elsewhere before the links of a node that goes away are closed, ms. */
const handOverMs = 250
/** The share of the time to end in good order that it takes at most. */
const handOverShare = 0.25

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
  /** Links of this node's own workers, in place of other nodes' that dial it; undefined where it has none. */
  readonly #workers: LinkSockets | undefined
  /** Links that other nodes opened. */
  readonly #children = new Set<LinkId>()
  readonly #drainDeadlineMs: number
  /** Called when the last child has gone. */
  #whenAlone: (() => void) | undefined

  constructor(options: {
    readonly identity: PeerIdentity
    readonly authenticator: LinkAuthenticator | undefined
    /** Who the node is to its own workers, where it has some: it takes links of nobody else then. */
    readonly toWorkers?: LinkAuthenticator | undefined
    /** What the fleet of the process is set to; undefined where it is part of none. */
    readonly agreement: LinkAgreement | undefined
    /** How other nodes are dialled over TLS; those of a process share it. */
    readonly tlsDialler: TlsDialler
    readonly nextLink: NextLink
    readonly config: Config
    readonly report: (input: LinkInput) => void
  }) {
    const { identity, authenticator, toWorkers, agreement, tlsDialler, nextLink, config, report } =
      options
    this.#drainDeadlineMs = config.limits.drainDeadlineMs
    const share = new TurnShare(systemClock)
    this.inProcess = new InProcessLinks({
      identity,
      nextLink,
      report,
      limits: inProcessLimitsDefault,
      share,
      defer: setImmediate,
    })
    const open = (
      authenticator: LinkAuthenticator,
      agreement: LinkAgreement | undefined,
    ): LinkSockets =>
      new LinkSockets({
        authenticator,
        agreement,
        tls: tlsDialler,
        nextLink,
        report: input => {
          this.#notice(input)
          report(input)
        },
        limits: {
          ...linkLimitsDefault,
          silenceMaxMs: config.limits.linkSilenceMaxMs,
          pingEveryMs: config.limits.linkPingMs,
        },
        clock: systemClock,
        share,
      })
    if (authenticator !== undefined) this.#sockets = open(authenticator, agreement)
    // Processes of one node are set alike.
    if (toWorkers !== undefined) this.#workers = open(toWorkers, undefined)
  }

  /** Opens a link to the node at `address`; undefined where the node may have none. */
  dial(address: string): LinkId | undefined {
    return this.#sockets?.dial(address)
  }

  /** What takes over connections that other nodes open; undefined where the node may have none. */
  get acceptor(): LinkAcceptor | undefined {
    return this.#workers ?? this.#sockets
  }

  perform(effect: LinkEffect): void {
    this.inProcess.perform(effect)
    this.#sockets?.perform(effect)
    this.#workers?.perform(effect)
  }

  /** Bytes sent to other nodes so far. */
  get bytesOut(): number {
    return this.#sockets?.bytesOut ?? 0
  }

  /** Numbers of the links to other nodes. */
  stats(): LinkStats | undefined {
    return this.#sockets?.stats()
  }

  /**
   * Tells the nodes below that this one goes away, waits a moment for them to join elsewhere, and then
   * closes the links to other nodes.
   */
  async drain(): Promise<void> {
    if (this.#children.size > 0) {
      const waitMs = Math.min(handOverMs, this.#drainDeadlineMs * handOverShare)
      const frame = encodeLinkFrame({
        kind: 'signal',
        signal: 'hand-over',
        doc: undefined,
        value: Math.floor(waitMs),
      })
      for (const link of this.#children) {
        this.perform({ kind: 'link-signal', link, key: 'hand-over', frame })
      }
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, waitMs)
        this.#whenAlone = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    this.#workers?.drain()
    this.#sockets?.drain()
  }

  /** Closes every link. */
  close(): void {
    this.#whenAlone?.()
    this.inProcess.close()
    this.#workers?.close()
    this.#sockets?.close()
  }

  #notice(input: LinkInput): void {
    if (input.kind === 'link-opened' && !input.dialled) this.#children.add(input.link)
    if (input.kind !== 'link-closed') return
    if (this.#children.delete(input.link) && this.#children.size === 0) this.#whenAlone?.()
  }
}
