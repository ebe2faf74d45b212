/*
 * Links between nodes over WebSockets: performs `LinkEffect`, reports `LinkInput`.
 *
 * Who dials whom, and when again, is decided elsewhere; here a link is tried once.
 */
import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { assert, unreachable } from '@fanfold/kernel'
import {
  limits as bounds,
  type LinkEffect,
  type LinkId,
  type LinkInput,
  linkSubprotocol,
} from '@fanfold/protocol'
import { WebSocket } from 'ws'
import type { Clock } from './clock.ts'
import { CloseCounts } from './close-reason.ts'
import { InputQueue } from './input-queue.ts'
import { type LinkAgreement, type LinkAuthenticator, nonceBytes } from './link-handshake.ts'
import { type LinkLimits, LinkSocket } from './link-socket.ts'
import { Sweep } from './sweep.ts'
import { TlsDialler } from './tls-dialler.ts'
import { TurnCork } from './turn-cork.ts'
import type { TurnShare } from './turn-share.ts'
import { routePaths } from './upgrade-router.ts'

/** Numbers of a node's links, for metrics. */
export type LinkStats = {
  /** Links that are open. */
  readonly links: number
  readonly framesIn: number
  readonly framesOut: number
  readonly bytesIn: number
  readonly bytesOut: number
  readonly congestions: number
  /** Signals that were to be sent. */
  readonly signalsOut: number
  /** Those of them that were dropped because too many waited. */
  readonly signalsDropped: number
  /** Connections that ended before they became links. */
  readonly handshakesFailed: number
  /** Links and connections that ended, by the first word of the reason. */
  readonly closes: Readonly<Record<string, number>>
}

/** How often silence and deadlines are looked at, ms: the precision of both. */
const sweepMs = 50
/** Whoever is dialled is to be a parent: a token that says neither is of a node that serves viewers only. */
const parentRoles: ReadonlySet<string> = new Set(['authority', 'proxy'])

/** The links of one node. */
export class LinkSockets {
  readonly #authenticator: LinkAuthenticator
  readonly #agreement: LinkAgreement | undefined
  readonly #limits: LinkLimits
  readonly #tls: TlsDialler
  readonly #nextLink: () => LinkId
  readonly #inputs: InputQueue<LinkInput>
  readonly #sweep: Sweep
  readonly #cork = new TurnCork()
  readonly #share: TurnShare
  readonly #links = new Map<LinkId, LinkSocket>()
  readonly #closes = new CloseCounts()
  #open = 0
  #framesIn = 0
  #framesOut = 0
  #bytesIn = 0
  #bytesOut = 0
  #congestions = 0
  #signalsOut = 0
  /** Of links that have closed. */
  #signalsDropped = 0
  #handshakesFailed = 0
  #isClosed = false

  constructor(options: {
    readonly authenticator: LinkAuthenticator
    /** What the node's fleet is set to; undefined for a node that is part of none. */
    readonly agreement?: LinkAgreement | undefined
    /** How nodes are dialled over TLS; undefined for one that believes those whom Node does. */
    readonly tls?: TlsDialler | undefined
    /** Names for links, unique in the process. */
    readonly nextLink: () => LinkId
    /** Takes what happens; never called from inside `perform`, `dial` or `accept`. */
    readonly report: (input: LinkInput) => void
    readonly limits: LinkLimits
    readonly clock: Clock
    /** What frames that come in may use of a turn of the event loop. */
    readonly share: TurnShare
  }) {
    this.#authenticator = options.authenticator
    this.#agreement = options.agreement
    this.#limits = options.limits
    this.#tls = options.tls ?? new TlsDialler([])
    this.#share = options.share
    this.#nextLink = options.nextLink
    this.#inputs = new InputQueue(options.report)
    this.#sweep = new Sweep({
      clock: options.clock,
      periodMs: Math.min(sweepMs, options.limits.pingEveryMs),
      isNeeded: () => this.#links.size > 0,
      task: awakeMs => {
        for (const link of this.#links.values()) link.sweep(awakeMs)
      },
    })
  }

  /**
   * Connects to the node at `address`, such as `wss://proxy.example.com:9600/edge/2`.
   *
   * The link opens, or closes for one of the reasons `refused` (nobody listens there), `no-answer`,
   * `untrusted` (the certificate that it showed is not believed, with Node's code for why), `unreachable`, or what
   * the peer said.
   */
  dial(address: string): LinkId {
    const link = this.#nextLink()
    this.#inputs.perform(() => {
      const url = linkUrl(address)
      if (url === undefined || this.#isClosed) {
        const reason = this.#isClosed ? 'closed: the node stops' : 'unreachable: no URL of a node'
        this.#closed(link, { wasOpen: false, dialled: true, reason })
        return
      }
      const options = {
        ...this.#tls.optionsFor(url),
        handshakeTimeout: this.#limits.handshakeMaxMs,
        perMessageDeflate: false,
        maxPayload: bounds.linkFrameBytesMax.value,
      }
      this.#start(link, { ws: new WebSocket(url, linkSubprotocol, options), dialled: true })
    })
    return link
  }

  /** Takes over a connection that a node opened here; a link is reported once it has shown who it is. */
  accept(ws: WebSocket, request: IncomingMessage): LinkId {
    const link = this.#nextLink()
    if (this.#isClosed) ws.terminate()
    else this.#start(link, { ws, socket: request.socket, dialled: false })
    return link
  }

  /** Does what a machine wants done. A link that is closed, or was never there, loses what is sent. */
  perform(effect: LinkEffect): void {
    this.#inputs.perform(() => {
      const link = this.#links.get(effect.link)
      if (link === undefined) return
      switch (effect.kind) {
        case 'link-send':
          this.#framesOut++
          this.#bytesOut += effect.frame.length
          link.send(effect.frame)
          return
        case 'link-signal':
          this.#signalsOut++
          link.signal(effect.key, effect.frame)
          return
        case 'link-close':
          link.close(effect.code, effect.message)
          return
        default:
          unreachable(effect)
      }
    })
  }

  /** Bytes sent over links so far. */
  get bytesOut(): number {
    return this.#bytesOut
  }

  /** Numbers for metrics. */
  stats(): LinkStats {
    let signalsDropped = this.#signalsDropped
    for (const link of this.#links.values()) signalsDropped += link.signalsDropped
    return {
      links: this.#open,
      framesIn: this.#framesIn,
      framesOut: this.#framesOut,
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
      congestions: this.#congestions,
      signalsOut: this.#signalsOut,
      signalsDropped,
      handshakesFailed: this.#handshakesFailed,
      closes: this.#closes.snapshot(),
    }
  }

  /** Closes every link with 1012, so that peers go elsewhere at once. Each is reported closed. */
  drain(): void {
    this.#inputs.perform(() => {
      for (const link of [...this.#links.values()]) {
        link.close('FANFOLD_DRAINING', 'the node is going away')
      }
    })
  }

  /** Cuts every link and reports nothing any more. May be called at any time, and twice. */
  close(): void {
    this.#isClosed = true
    this.#inputs.close()
    this.#sweep.stop()
    for (const link of [...this.#links.values()]) link.terminate()
  }

  #start(
    link: LinkId,
    connection: {
      readonly ws: WebSocket
      readonly socket?: IncomingMessage['socket']
      readonly dialled: boolean
    },
  ): void {
    const { ws, socket, dialled } = connection
    let wasOpen = false
    const linkSocket = new LinkSocket({
      ws,
      socket,
      limits: this.#limits,
      tls: this.#tls,
      cork: this.#cork,
      share: this.#share,
      awakeMs: this.#sweep.awakeMs,
      events: {
        opened: peer => {
          if (dialled && !peer.roles.some(role => parentRoles.has(role))) {
            linkSocket.close('FANFOLD_BAD_TOKEN', 'the peer may be nobody’s parent by its token')
            return
          }
          wasOpen = true
          this.#open++
          this.#inputs.report({ kind: 'link-opened', link, peer, dialled })
        },
        frame: frame => {
          this.#framesIn++
          this.#bytesIn += frame.length
          this.#inputs.report({ kind: 'link-frame', link, frame })
        },
        congested: () => {
          this.#congestions++
          this.#inputs.report({ kind: 'link-congested', link })
        },
        drained: () => this.#inputs.report({ kind: 'link-drained', link }),
        closed: reason => this.#closed(link, { wasOpen, dialled, reason }),
      },
    })
    this.#links.set(link, linkSocket)
    this.#sweep.start()
    linkSocket.start({
      authenticator: this.#authenticator,
      dialled,
      nonce: randomBytes(nonceBytes),
      agreement: this.#agreement,
    })
  }

  #closed(
    link: LinkId,
    end: { readonly wasOpen: boolean; readonly dialled: boolean; readonly reason: string },
  ): void {
    this.#signalsDropped += this.#links.get(link)?.signalsDropped ?? 0
    this.#links.delete(link)
    this.#closes.add(firstWord(end.reason))
    if (end.wasOpen) this.#open--
    else this.#handshakesFailed++
    assert(this.#open >= 0, `open links are counted, ${this.#open}`)
    // Of a connection that was accepted and showed nobody, nobody knows.
    if (end.wasOpen || end.dialled) {
      this.#inputs.report({ kind: 'link-closed', link, reason: end.reason })
    }
  }
}

function firstWord(reason: string): string {
  return reason.slice(0, reason.indexOf(':'))
}

function linkUrl(address: string): string | undefined {
  if (!URL.canParse(address)) return undefined
  const url = new URL(address)
  if (url.protocol === 'http:') url.protocol = 'ws:'
  if (url.protocol === 'https:') url.protocol = 'wss:'
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') return undefined
  url.hash = ''
  url.pathname = `${url.pathname.replace(/\/+$/, '')}${routePaths.link}`
  return url.href
}
