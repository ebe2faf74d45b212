import type { Instant, Machine } from '@fanfold/kernel'
import type { DocumentKey } from '@fanfold/protocol'
import type { FollowedStanding, RequestCount } from '@fanfold/replication'
import { Documents } from './documents.ts'
import type { EdgeEffect, EdgeInput } from './edge-effect.ts'
import type { EdgeOptions } from './edge-options.ts'
import type { EdgeTenantUse } from './tenant-quotas.ts'
import { Turn } from './turn.ts'
import { Viewers } from './viewers.ts'

/** The role at the last mile: follows documents while viewers observe them, and serves the viewers. */
export class Edge implements Machine<EdgeInput, EdgeEffect> {
  readonly #turn = new Turn()
  readonly #documents: Documents
  readonly #viewers: Viewers

  constructor(options: EdgeOptions) {
    this.#documents = new Documents({
      ...options,
      turn: this.#turn,
      grantsOf: viewer => this.#viewers.grantsOf(viewer),
      forgetViewer: (viewer, doc) => this.#viewers.forget(viewer, doc),
      abandon: (doc, frame) => this.#viewers.abandon(doc, frame),
    })
    this.#viewers = new Viewers({
      limits: options.limits,
      documents: this.#documents,
      turn: this.#turn,
    })
  }

  /** Viewers connected. */
  get viewerCount(): number {
    return this.#viewers.count
  }

  /** Documents followed. */
  get documentCount(): number {
    return this.#documents.count
  }

  /** Cohorts of all documents. */
  get cohortCount(): number {
    return this.#documents.cohortCount
  }

  /** What a tenant has here. */
  tenantUse(tenant: string): EdgeTenantUse {
    return this.#documents.quotas.useOf(tenant)
  }

  /** Tenants that a quota bounds and that have something here. */
  get boundedTenants(): readonly string[] {
    return this.#documents.quotas.bounded
  }

  /** Bytes that large views hold, or will when they are made. */
  get largeViewBytes(): number {
    return this.#documents.largeViews.bytes
  }

  /** Ids of viewers that wait to hear what became of what they said. */
  get crowdIdsWaiting(): number {
    return this.#documents.crowd.waiting
  }

  /** Documents of which what is shown may be old. */
  get staleCount(): number {
    return this.#documents.staleCount
  }

  /** Documents in which something differed when they were last checked. */
  get suspectCount(): number {
    return this.#documents.checks.suspectCount
  }

  /** Where a document is had from, and how far; undefined for one that is not followed. */
  standingOf(doc: DocumentKey): FollowedStanding | undefined {
    return this.#documents.standingOf(doc)
  }

  /** What came of asking parents for documents. */
  get requestCounts(): readonly RequestCount[] {
    return this.#documents.parents.requests.counts
  }

  /** True while a parent is connected. */
  get hasParent(): boolean {
    return this.#documents.parents.count > 0
  }

  receive(input: EdgeInput, now: Instant, effects: EdgeEffect[]): void {
    this.#turn.begin(now, effects)
    this.#documents.begin()
    switch (input.kind) {
      case 'link-opened':
      case 'link-frame':
      case 'link-congested':
      case 'link-drained':
      case 'link-closed':
      case 'routes-changed':
      case 'node-unreachable':
        this.#documents.receive(input)
        return
      case 'viewer-opened':
        this.#viewers.open(input.viewer, input.grants)
        return
      case 'viewer-renewed':
        this.#viewers.renew(input.viewer, input.grants)
        return
      case 'viewer-requested':
        this.#viewers.serve(input.viewer, input.request)
        return
      case 'viewer-drained':
        this.#viewers.catchUp(input.viewer, input.cohorts)
        return
      case 'viewer-transferred':
        this.#viewers.transferred(input.viewer, input.transfer)
        return
      case 'worker-encoded':
      case 'worker-viewed':
      case 'worker-failed':
        this.#documents.receiveWorker(input)
        return
      case 'viewer-closed':
        this.#viewers.close(input.viewer)
        return
      case 'tree-asked':
        this.#documents.looks.ask(input, now, effects)
        return
      case 'quotas-changed':
        this.#viewers.quotasChanged()
        return
      case 'variant-loaded':
        this.#documents.variantLoaded(input.hash, input.definition)
        return
      case 'variant-refused': {
        const { hash, code, message } = input
        this.#turn.fact({ event: 'variant-refused', hash, code, message })
        this.#documents.variantRefused(hash)
      }
    }
  }

  wakeAt(): Instant | undefined {
    return this.#documents.wakeAt()
  }

  tick(now: Instant, effects: EdgeEffect[]): void {
    this.#turn.begin(now, effects)
    this.#documents.tick()
  }
}
