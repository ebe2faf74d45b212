import type { Prng } from '@fanfold/kernel'
import type { LinkInput } from '@fanfold/protocol'
import {
  type DiallerFact,
  type FollowingFact,
  ParentDialler,
  type ParentEffect,
  type RouteInput,
} from '@fanfold/replication'
import type { BreakerState } from '@fanfold/topology'
import type { LinkAuthenticator } from '@fanfold/websocket'
import { FleetLinks, type FleetPlace } from './fleet-links.ts'
import type { Log } from './logging.ts'
import { inProcessIdentity, type ProcessContext } from './process-context.ts'
import { RoleLinks } from './role-links.ts'

/** Who a role below the authority is, and whom it follows. */
export type FollowerPlace = {
  readonly name: string
  readonly region: string
  /** A role of this process, or addresses of other nodes in order of preference. */
  readonly parent: RoleLinks | readonly string[]
  /** Who serves what, where nodes find each other; the role of this process is one of them then. */
  readonly fleet?: FleetPlace | undefined
  /** Seed of the waits between attempts. */
  readonly seed: string
  /** A directory of its own where a proxy keeps documents over a restart. */
  readonly warm?: string | undefined
}

/** A node that is dialled: whether there is a link, and, of one of a fleet, whether it is worth being tried. */
export type DialledNode = {
  readonly node: string
  readonly isOpen: boolean
  readonly breaker?: BreakerState | undefined
}

/** The links of a role below the authority: those to parents are kept, the others are its children's. */
export class FollowerLinks {
  readonly links: RoleLinks
  readonly #context: ProcessContext
  readonly #role: 'proxy' | 'edge'
  readonly #parent: RoleLinks | readonly string[]
  readonly #dialler: ParentDialler | undefined
  readonly #fleet: FleetLinks | undefined

  constructor(
    context: ProcessContext,
    options: {
      readonly role: 'proxy' | 'edge'
      readonly place: FollowerPlace
      readonly prng: Prng
      readonly report: (input: LinkInput | RouteInput) => void
      /** Who the node is to its own workers, which are the only children then. */
      readonly toWorkers?: LinkAuthenticator | undefined
    },
  ) {
    const { config, names, log, metrics, fail } = context
    const { role, place, prng, report, toWorkers } = options
    this.#context = context
    this.#role = role
    this.#parent = place.parent
    this.links = new RoleLinks({
      identity: inProcessIdentity(place.name, place.region, role),
      authenticator: context.authenticator,
      toWorkers,
      agreement: context.agreement,
      tlsDialler: context.tlsDialler,
      nextLink: names.nextLink,
      config,
      report: input => {
        this.#dialler?.notice(input)
        if (this.#fleet?.notice(input) !== false) report(input)
      },
    })
    const ownLog = log.child({ role })
    if (place.fleet !== undefined) {
      const { links } = this
      const dialling = { links, prng: prng.fork('dialler'), log: ownLog, metrics, report, fail }
      // Nobody is sent to an edge for documents: whom it cannot reach is of no use to others.
      const isParent = role === 'proxy' && toWorkers === undefined
      const cutOff = isParent ? place.fleet.cutOff : () => undefined
      this.#fleet = new FleetLinks({ ...place.fleet, ...dialling, what: 'parent', cutOff })
    } else if (!(place.parent instanceof RoleLinks)) {
      this.#dialler = new ParentDialler({
        addresses: place.parent,
        links: this.links,
        prng: prng.fork('dialler'),
        note: fact => noteParent(ownLog, fact),
        after: (delayMs, task) => {
          const timer = setTimeout(task, delayMs)
          return () => clearTimeout(timer)
        },
      })
    }
  }

  /** Connects to the parent, and from then on again whenever the link is lost. */
  start(): void {
    if (this.#parent instanceof RoleLinks) this.links.inProcess.connect(this.#parent.inProcess)
    this.#dialler?.start()
  }

  /** Nodes that are dialled, of a fleet or by their addresses, and how that goes. */
  get dialled(): readonly DialledNode[] {
    return this.#fleet?.nodes ?? this.#dialler?.dialled ?? []
  }

  /** Keeps these links to parents from now on, as far as there are addresses. */
  wantParents(effect: ParentEffect): void {
    if (effect.kind === 'want-parents') this.#dialler?.want(effect.count)
    else this.#fleet?.want(effect)
  }

  /** Writes down what happened to the streams from the parent. */
  note(fact: FollowingFact): void {
    const { metrics, log } = this.#context
    if (fact.event === 'resync') {
      metrics.labelled('resyncs_total', fact.reason).inc()
      log.warn({ event: 'stream.resync', doc: fact.doc, reason: fact.reason }, 'stream starts anew')
    } else if (fact.event === 'piece-damaged') {
      metrics.labelled('snapshot_checksum_failures_total', this.#role).inc()
    } else if (fact.event === 'caught-up') {
      const { doc, rung, tookMs } = fact
      metrics.labelled('catchups_total', this.#role, rung).inc()
      metrics.labelled('catchup_seconds', this.#role, rung).observe(tookMs / 1000)
      log.debug({ event: 'stream.caught-up', doc, rung, tookMs }, 'stream caught up')
    } else if (fact.event === 'document-set-aside') {
      const { doc, error } = fact
      metrics.labelled('assertion_failures_total', this.#role).inc()
      log.error({ event: 'document.set-aside', doc, err: error }, 'document put aside for a while')
    } else {
      log.info({ event: 'stream.refused', doc: fact.doc, code: fact.code }, 'stream refused')
    }
  }

  close(): void {
    this.#dialler?.close()
    this.#fleet?.close()
    this.links.close()
  }
}

function noteParent(log: Log, fact: DiallerFact): void {
  if (fact.event === 'parent-connected') {
    const fields = { event: 'link.parent-connected', parent: fact.address, peer: fact.peer }
    log.info(fields, 'parent connected')
  } else {
    const fields = { event: 'link.parent-lost', parent: fact.address, reason: fact.reason }
    log.warn(fields, 'no link to parent')
  }
}
