import { Edge, type EdgeEffect, type EdgeFact, type EdgeInput } from '@fanfold/edge'
import { Prng } from '@fanfold/kernel'
import { observeLimitsDefault, systemClock, ViewerSockets } from '@fanfold/websocket'
import { wallClock } from './clock.ts'
import { MachineDriver } from './machine-driver.ts'
import { edgeLimits } from './machine-limits.ts'
import { ParentDialler } from './parent-dialler.ts'
import { inProcessIdentity, type ProcessContext } from './process-context.ts'
import { RoleLinks } from './role-links.ts'
import { sha256 } from './sha256.ts'
import type { TokenVerifier } from './viewer-tokens.ts'

/** An edge of a process: the machine, the link to its parent and its viewers. Writes nothing to disk. */
export class EdgeHost {
  readonly links: RoleLinks
  readonly viewers: ViewerSockets
  readonly #machine: Edge
  readonly #driver: MachineDriver<EdgeInput, EdgeEffect>
  readonly #dialler: ParentDialler | undefined
  readonly #context: ProcessContext

  /**
   * @param parent a role of this process, or addresses of other nodes in order of preference
   * @param seed of the waits between attempts
   */
  constructor(
    context: ProcessContext,
    options: {
      readonly name: string
      readonly region: string
      readonly parent: RoleLinks | readonly string[]
      readonly seed: string
      readonly verifier: TokenVerifier
    },
  ) {
    const { config, names, fail, log } = context
    const { name, region, parent, seed, verifier } = options
    this.#context = context
    const prng = new Prng(seed)
    this.#machine = new Edge({
      sha256,
      prng: prng.fork('machine'),
      wallClockMs: wallClock,
      limits: edgeLimits(config),
    })
    this.#driver = new MachineDriver<EdgeInput, EdgeEffect>({
      machine: this.#machine,
      perform: effect => this.#perform(effect),
      fail,
    })
    this.links = new RoleLinks({
      identity: inProcessIdentity(name, region, 'edge'),
      authenticator: context.authenticator,
      nextLink: names.nextLink,
      config,
      report: input => {
        this.#dialler?.notice(input)
        this.#driver.submit(input)
      },
    })
    this.viewers = new ViewerSockets({
      verifyToken: token => verifier.verify(token),
      nextViewer: names.nextViewer,
      report: input => this.#driver.submit(input),
      limits: {
        ...observeLimitsDefault,
        framesPerSecondMax: config.limits.framesPerSecondMax,
        framesBurst: 2 * config.limits.framesPerSecondMax,
        budgetBytes: config.limits.viewerBudgetBytes,
        stallMaxMs: config.limits.viewerStallMaxMs,
      },
      clock: systemClock,
    })
    if (parent instanceof RoleLinks) {
      this.links.inProcess.connect(parent.inProcess)
    } else {
      this.#dialler = new ParentDialler({
        addresses: parent,
        links: this.links,
        prng: prng.fork('dialler'),
        log: log.child({ role: 'edge' }),
      })
      this.#dialler.start()
    }
  }

  /** Documents followed and viewers connected. */
  get counts(): { readonly documents: number; readonly viewers: number } {
    return { documents: this.#machine.documentCount, viewers: this.#machine.viewerCount }
  }

  /** Documents of which what is held may be old. */
  get staleCount(): number {
    return this.#machine.staleCount
  }

  /** True while a parent is connected. */
  get hasParent(): boolean {
    return this.#machine.hasParent
  }

  close(): void {
    this.#dialler?.close()
    this.viewers.close()
    this.links.close()
    this.#driver.close()
  }

  #perform(effect: EdgeEffect): void {
    switch (effect.kind) {
      case 'link-send':
      case 'link-close':
        this.links.perform(effect)
        return
      case 'fact':
        this.#note(effect.fact)
        return
      default:
        this.viewers.perform(effect)
    }
  }

  #note(fact: EdgeFact): void {
    const { metrics, log } = this.#context
    switch (fact.event) {
      case 'deltas-delivered':
        metrics.labelled('records_out_total', 'edge').inc(fact.deltas)
        metrics
          .plain('delivery_lag_seconds')
          .observe(Math.max(0, wallClock() - fact.committedAtMs) / 1000)
        return
      case 'resync':
        metrics.labelled('resyncs_total', fact.reason).inc()
        log.warn(
          { event: 'stream.resync', doc: fact.doc, reason: fact.reason },
          'stream starts anew',
        )
        return
      case 'viewer-caught-up':
        metrics.plain('conflations_total').inc()
        return
      case 'upstream-refused':
        log.info({ event: 'stream.refused', doc: fact.doc, code: fact.code }, 'stream refused')
    }
  }
}
