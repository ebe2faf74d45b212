/*
 * What this node is set to where all nodes of its fleet must be alike, and what it makes of a peer that is set
 * otherwise: no link, a line of the log with each difference, a count. The peer does the same.
 */
import type { PeerIdentity } from '@fanfold/protocol'
import {
  type ConfiguredView,
  defaultMembersOptions,
  describeDifferences,
  differences,
  fingerprintOf,
  type MembersOptions,
  parseView,
  shortFingerprint,
  viewText,
} from '@fanfold/topology'
import type { LinkAgreement } from '@fanfold/websocket'
import type { Config } from './config.ts'
import type { Log } from './logging.ts'
import type { Metrics } from './metrics.ts'
import { Seldom } from './seldom.ts'
import { sha256 } from './sha256.ts'

/** A peer that comes again and again is logged once in so long, ms. */
const againAfterMs = 60_000

/** How the nodes of the fleet know of each other. */
export const membersOptionsOf = ({ limits }: Config): MembersOptions => ({
  ...defaultMembersOptions,
  heartbeatMs: limits.memberHeartbeatMs,
  memberDeadAfterMs: limits.memberDeadAfterMs,
})

/** What all nodes of a fleet must be set to alike: options by their names, and how owners are computed. */
export const configuredViewOf = ({ redis, limits }: Config): ConfiguredView => ({
  'redis.keyPrefix': redis.keyPrefix,
  'limits.memberDeadAfterMs': limits.memberDeadAfterMs,
  'limits.memberHeartbeatMs': limits.memberHeartbeatMs,
  placement: 'rendezvous-1',
})

/** Compares what peers are set to with what this node is. */
export class FleetAgreement implements LinkAgreement {
  readonly configuredView: string
  /** Of the configured view. */
  readonly fingerprint: string
  readonly #view: ConfiguredView
  readonly #log: Log
  readonly #metrics: Metrics
  readonly #seldom: Seldom

  constructor(options: {
    readonly view: ConfiguredView
    readonly log: Log
    readonly metrics: Metrics
    /** A clock that never goes back, ms. */
    readonly nowMs: () => number
  }) {
    const { view, log, metrics, nowMs } = options
    this.configuredView = viewText(view)
    this.fingerprint = fingerprintOf(view, sha256)
    this.#view = view
    this.#log = log
    this.#metrics = metrics
    this.#seldom = new Seldom(againAfterMs, nowMs)
  }

  refusalOf(peer: PeerIdentity, configuredView: string): string | undefined {
    if (configuredView === this.configuredView) return undefined
    const theirs = parseView(configuredView)
    const found = theirs && differences(this.#view, theirs)
    // The same in another order is the same.
    if (theirs !== undefined && found?.length === 0) return undefined
    const fingerprint = theirs && fingerprintOf(theirs, sha256)
    this.#metrics.plain('links_differing_total').inc()
    if (this.#seldom.isDue(`${peer.node} ${configuredView}`)) {
      this.#log.error(
        {
          event: 'link.view-differs',
          peer: peer.node,
          fingerprint: shortFingerprint(this.fingerprint),
          peerFingerprint: fingerprint && shortFingerprint(fingerprint),
          differences: found,
        },
        'a node is set otherwise, no link with it: set both alike, and restart the one that was wrong',
      )
    }
    const where =
      found === undefined ? 'what the peer says of it is not read here' : describeDifferences(found)
    const prints = `${shortFingerprint(this.fingerprint)} here and ${shortFingerprint(fingerprint ?? 'unknown')} there`
    return `the nodes are set differently, ${prints}: ${where}`
  }
}
