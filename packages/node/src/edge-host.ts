import { evaluateEdgeVariant } from '@fanfold/build/variants'
import {
  Edge,
  type EdgeEffect,
  type EdgeFact,
  type EdgeInput,
  type EdgeTenantUse,
} from '@fanfold/edge'
import { decodeUtf8, Prng, toHex } from '@fanfold/kernel'
import type { DocumentKey, ErrorCode, SignedVariant, TreeEntry } from '@fanfold/protocol'
import { observeLimitsDefault, systemClock, ViewerSockets } from '@fanfold/websocket'
import { wallClock } from './clock.ts'
import { CrowdPosts } from './crowd-posts.ts'
import { FollowerLinks, type FollowerPlace } from './follower-links.ts'
import { HostWorker } from './host-worker.ts'
import { MachineDriver } from './machine-driver.ts'
import { edgeLimits } from './machine-limits.ts'
import { Passing } from './passing.ts'
import type { ProcessContext } from './process-context.ts'
import { QuotaLog } from './quota-log.ts'
import type { RoleLinks } from './role-links.ts'
import { sha256 } from './sha256.ts'
import { snapshotCodec } from './snapshot-codec.ts'
import { TreeAnswers } from './tree-answers.ts'
import type { TokenVerifier } from './viewer-tokens.ts'

/** Failures of rules are logged at most this often, ms; the metric counts them all. */
const failureEveryMs = 1_000

/** An edge of a process: the machine, the link to its parent and its viewers. Writes nothing to disk. */
export class EdgeHost {
  readonly viewers: ViewerSockets
  /** What is said to reducers over HTTP. */
  readonly crowd: CrowdPosts
  readonly #machine: Edge
  readonly #driver: MachineDriver<EdgeInput, EdgeEffect>
  readonly #worker: HostWorker
  readonly #follower: FollowerLinks
  readonly #context: ProcessContext
  readonly #passing: Passing
  readonly #trees = new TreeAnswers(input => this.#driver.submit(input))
  readonly #quotaLog: QuotaLog
  #failureNotedMs = 0

  constructor(context: ProcessContext, place: FollowerPlace, verifier: TokenVerifier) {
    const { config, names, fail } = context
    this.#context = context
    this.#quotaLog = new QuotaLog(context)
    this.#passing = new Passing(context, 'edge')
    const prng = new Prng(place.seed)
    this.#machine = new Edge({
      sha256,
      prng: prng.fork('machine'),
      wallClockMs: wallClock,
      limits: edgeLimits(config),
      routes: place.fleet?.fleet.routesOf('edge'),
      quotaOf: context.quotas.quotaOf,
      codec: snapshotCodec,
      isSnapshotDisabled: config.disableSnapshot,
    })
    this.#worker = new HostWorker({
      open: context.openWorker,
      metrics: context.metrics,
      receive: input => this.#driver.submit(input),
    })
    this.#driver = new MachineDriver<EdgeInput, EdgeEffect>({
      machine: this.#machine,
      perform: effect => this.#perform(effect),
      fail,
    })
    this.#follower = new FollowerLinks(context, {
      role: 'edge',
      place,
      prng,
      report: input => this.#driver.submit(input),
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
      sendAll: context.sendAll,
    })
    this.crowd = new CrowdPosts({
      submit: input => this.#driver.submit(input),
      nextViewer: names.nextViewer,
      perSecondMax: config.limits.crowdMessagesPerViewerPerSecond,
      burst: config.limits.crowdMessagesPerViewerBurst,
      nowMs: () => performance.now(),
    })
    context.quotas.onChange(() => this.#driver.submit({ kind: 'quotas-changed' }))
    this.#follower.start()
  }

  /** Links to the parent. */
  get links(): RoleLinks {
    return this.#follower.links
  }

  /** Documents followed and viewers connected. */
  get counts(): { readonly documents: number; readonly viewers: number } {
    return { documents: this.#machine.documentCount, viewers: this.#machine.viewerCount }
  }

  /** Bytes sent to viewers so far. */
  get bytesOut(): number {
    return this.viewers.bytesOut
  }

  /** What a tenant has here. */
  tenantUse(tenant: string): EdgeTenantUse {
    return this.#machine.tenantUse(tenant)
  }

  /** Tenants that a quota bounds and that have something here. */
  get boundedTenants(): readonly string[] {
    return this.#machine.boundedTenants
  }

  /** Where a document is had from, and how far; undefined for one that is not followed. */
  standingOf(doc: DocumentKey): ReturnType<Edge['standingOf']> {
    return this.#machine.standingOf(doc)
  }

  /** Who has a document from whom, as far as it can be told now. */
  treeOf(doc: DocumentKey): Promise<readonly TreeEntry[]> {
    return this.#trees.ask(doc)
  }

  /** Documents of which what is held may be old. */
  get staleCount(): number {
    return this.#machine.staleCount
  }

  /** Documents in which something differed when they were last checked. */
  get suspectCount(): number {
    return this.#machine.suspectCount
  }

  /** Nodes that are dialled, and how that goes. */
  get dialled(): FollowerLinks['dialled'] {
    return this.#follower.dialled
  }

  /** What came of asking parents for documents. */
  get requestCounts(): Edge['requestCounts'] {
    return this.#machine.requestCounts
  }

  /** True while a parent is connected. */
  get hasParent(): boolean {
    return this.#machine.hasParent
  }

  /** Bytes that large views hold, or will when they are made. */
  get largeViewBytes(): number {
    return this.#machine.largeViewBytes
  }

  /** Ids of viewers that wait to hear what became of what they said. */
  get crowdIdsWaiting(): number {
    return this.#machine.crowdIdsWaiting
  }

  /** Replicas of large documents at the worker. */
  get workerReplicaCount(): number {
    return this.#worker.count
  }

  async close(): Promise<void> {
    this.crowd.close()
    this.viewers.close()
    this.#follower.close()
    this.#driver.close()
    this.#trees.close()
    await this.#worker.close()
  }

  #perform(effect: EdgeEffect): void {
    switch (effect.kind) {
      case 'link-send':
      case 'link-signal':
      case 'link-close':
        this.links.perform(effect)
        return
      case 'fact':
        this.#note(effect.fact)
        return
      case 'tree-told':
        this.#trees.told(effect)
        return
      case 'want-parents':
      case 'want-nodes':
        this.#follower.wantParents(effect)
        return
      case 'worker-open':
      case 'worker-feed':
      case 'worker-encode':
      case 'worker-view':
      case 'worker-close':
        this.#worker.perform(effect)
        return
      case 'load-variant':
        void this.#loadVariant(effect.variant)
        return
      default:
        if (!this.crowd.perform(effect)) this.viewers.perform(effect)
    }
  }

  /** Runs a variant once an authority of the fleet is known to have signed it. */
  async #loadVariant(variant: SignedVariant): Promise<void> {
    const hash = toHex(variant.hash)
    try {
      await this.#context.variantTrust.verify(variant)
      const definition = evaluateEdgeVariant(decodeUtf8(variant.code) ?? '')
      this.#driver.submit({ kind: 'variant-loaded', hash, definition })
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      this.#driver.submit({ kind: 'variant-refused', hash, code: 'FANFOLD_NO_VARIANT', message })
    }
  }

  /** One line a second is enough; what is thrown may quote the state, which is for authors only. */
  #noteFailure(code: ErrorCode, place: string, error: unknown): void {
    const now = wallClock()
    if (now - this.#failureNotedMs < failureEveryMs) return
    this.#failureNotedMs = now
    const { log, isDevelopment } = this.#context
    const thrown = error instanceof Error ? error.name : typeof error
    const shown = isDevelopment ? { err: error } : { thrown }
    log.error({ event: 'rule.failed', code, place, ...shown }, 'rule or view failed')
  }

  #noteCheck(fact: Extract<EdgeFact, { event: 'state-checked' | 'view-checked' }>): void {
    const { metrics, log } = this.#context
    const { doc, outcome } = fact
    const check = fact.event === 'state-checked' ? 'state' : 'view'
    metrics.labelled('view_checks_total', check, outcome).inc()
    if (outcome !== 'differs') return
    log.error(
      { event: 'document.differs', doc, check },
      'document is not what it should be, it is fetched or shown anew',
    )
  }

  #note(fact: EdgeFact): void {
    const { metrics, log } = this.#context
    switch (fact.event) {
      case 'deltas-delivered':
        metrics.labelled('records_out_total', 'edge').inc(fact.deltas)
        metrics
          .plain('delivery_lag_seconds')
          .observe(Math.max(0, wallClock() - fact.committedAtMs) / 1000)
        this.#passing.note(fact.doc, fact.records)
        return
      case 'snapshot-made':
        metrics.labelled('snapshots_total', 'edge').inc()
        return
      case 'viewer-caught-up':
        metrics.plain('conflations_total').inc()
        return
      case 'state-checked':
      case 'view-checked':
        this.#noteCheck(fact)
        return
      case 'rule-failed':
        metrics.labelled('rule_failures_total', fact.code).inc()
        this.#noteFailure(fact.code, fact.place, fact.error)
        return
      case 'view-failed':
        metrics.labelled('rule_failures_total', fact.code).inc()
        log.error(
          { event: 'view.failed', doc: fact.doc, code: fact.code },
          'large view could not be made',
        )
        return
      case 'crowd-heard':
        metrics.labelled('crowd_messages_total', 'heard').inc()
        return
      case 'crowd-settled':
        metrics.labelled('crowd_messages_total', fact.outcome).inc(fact.messages)
        metrics.labelled('crowd_windows_total', fact.outcome).inc()
        return
      case 'crowd-rejected':
        metrics.labelled('crowd_rejected_total', fact.code).inc()
        return
      case 'crowd-failed':
        metrics.labelled('rule_failures_total', 'FANFOLD_RULE_FAILED').inc()
        this.#noteFailure('FANFOLD_RULE_FAILED', 'reducers', fact.error)
        return
      case 'quota-refused':
        this.#quotaLog.refused('viewers', fact)
        return
      case 'quota-spent':
        this.#quotaLog.spent(fact)
        return
      case 'variant-loaded':
        metrics.labelled('variants_total', 'loaded').inc()
        log.info({ event: 'variant.loaded', hash: fact.hash }, 'variant loaded')
        return
      case 'variant-refused':
        metrics.labelled('variants_total', 'refused').inc()
        log.error(
          { event: 'variant.refused', hash: fact.hash, code: fact.code, reason: fact.message },
          'variant refused',
        )
        return
      case 'variant-missing':
        metrics.labelled('variants_total', 'missing').inc()
        log.warn({ event: 'variant.missing', hash: fact.hash }, 'variant cannot be had now')
        return
      default:
        this.#follower.note(fact)
    }
  }
}
