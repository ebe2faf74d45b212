/*
 * The documents that an edge follows for its viewers, and the variants that they are shown by.
 */
import type { EdgeDefinition } from '@fanfold/definition'
import type { ReplicaWorkerInput } from '@fanfold/document'
import { Deadlines, earliest, type Instant } from '@fanfold/kernel'
import {
  type DocumentKey,
  type Grants,
  type LinkInput,
  meaningOf,
  type ViewerId,
} from '@fanfold/protocol'
import {
  aboveIn,
  type ConnectedParents,
  type FollowedStanding,
  Following,
  type FollowingEvent,
  noteOf,
  ownStanding,
  type RouteInput,
  SafetyRounds,
  TreeLooks,
  WorkerNames,
} from '@fanfold/replication'
import { Checks } from './checks.ts'
import { Crowd } from './crowd.ts'
import { DocumentGuard } from './document-guard.ts'
import { type DocumentPort, documentPort } from './document-port.ts'
import { EdgeDocument } from './edge-document.ts'
import { withDefaults } from './edge-limits.ts'
import type { EdgeOptions } from './edge-options.ts'
import { comeAgain, JoinQueue } from './join-queue.ts'
import { LargeViews } from './large-views.ts'
import { LargeWork } from './large-work.ts'
import { ParentReports } from './parent-reports.ts'
import { deletedFrame, type SmallFrame } from './small-frame.ts'
import { TenantQuotas } from './tenant-quotas.ts'
import type { Turn } from './turn.ts'
import { Variants } from './variants.ts'
import { Watching } from './watching.ts'

/** The documents that an edge follows. */
export class Documents {
  /** What is held and shown is checked now and then. */
  readonly checks: Checks
  /** When a viewer for which there is no room may come again, ms: they do not come all at once. */
  readonly retryAfterMs: () => number
  /** Viewers that wait to be let in. */
  readonly joins: JoinQueue
  /** Large views, those that are being made too. */
  readonly largeViews: LargeViews
  /** Documents that are put aside. */
  readonly aside: DocumentGuard
  /** What viewers say to reducers. */
  readonly crowd: Crowd
  /** Where viewers look. */
  readonly watching: Watching
  /** What tenants may have here, and have. */
  readonly quotas: TenantQuotas
  /** The looks at trees that come from here, or come by. */
  readonly looks: TreeLooks
  readonly #turn: Turn
  readonly #following: Following
  readonly #variants: Variants
  readonly #port: DocumentPort
  readonly #forgetViewer: (viewer: ViewerId, doc: DocumentKey) => void
  readonly #abandon: (doc: DocumentKey, frame: SmallFrame) => void
  readonly #documents = new Map<DocumentKey, EdgeDocument>()
  readonly #workerNames = new WorkerNames()
  readonly #largeWork: LargeWork
  /** When documents are ticked. */
  readonly #due = new Deadlines<DocumentKey>()
  readonly #rounds = new SafetyRounds<DocumentKey>()
  readonly #reports: ParentReports
  /** Documents that are let go soon, as nobody wants them. */
  readonly #lingering = new Set<DocumentKey>()

  constructor(
    options: EdgeOptions & {
      readonly turn: Turn
      /** What a viewer's token says; undefined for one that is gone. */
      readonly grantsOf: (viewer: ViewerId) => Grants | undefined
      /** The viewer observes the document no more. */
      readonly forgetViewer: (viewer: ViewerId, doc: DocumentKey) => void
      /** The document is put aside; viewers that are left hear of it. */
      readonly abandon: (doc: DocumentKey, frame: SmallFrame) => void
    },
  ) {
    const { sha256, prng, wallClockMs, turn, grantsOf } = options
    const limits = withDefaults(options.limits)
    const salts = prng.fork('salts')
    this.#turn = turn
    this.retryAfterMs = comeAgain(prng.fork('come again'))
    this.joins = new JoinQueue(limits.joinSliceBytes)
    this.largeViews = new LargeViews(limits.largeViewsBytesMax)
    this.#largeWork = new LargeWork(sha256, doc => this.#changed(doc))
    this.#forgetViewer = options.forgetViewer
    this.#abandon = options.abandon
    this.#following = new Following({
      sha256,
      prng,
      limits: limits.follower,
      routes: options.routes,
      lingerMs: limits.lingerMs,
      codec: options.codec,
      isSnapshotDisabled: options.isSnapshotDisabled,
      assemblyLimits: limits.assembly,
      guard: (doc, step) => this.guard(doc, step),
      tell: (doc, event) => this.#told(doc, event),
      tellVariant: (hash, variant) => this.#variants.got(hash, variant),
      tellCrowd: (link, frame) => this.crowd.receive(link, frame),
      tellTree: (link, frame) => this.looks.receive(link, frame, turn.now, turn.effects),
      wallClockMs,
    })
    this.looks = new TreeLooks({
      role: 'edge',
      ...aboveIn(this.#following, () => turn),
      childrenOf: () => [],
      standingOf: (doc, now) =>
        ownStanding(this.#following.standingOf(doc, now), {
          viewers: this.#documents.get(doc)?.viewerCount ?? 0,
          children: 0,
        }),
    })
    this.crowd = new Crowd({
      turn,
      prng,
      limits,
      wallClockMs,
      retryAfterMs: this.retryAfterMs,
      linkOf: doc => this.#following.parents.linkOf(doc),
      guard: (doc, step) => this.guard(doc, step),
    })
    this.watching = new Watching({
      turn,
      get: doc => this.#documents.get(doc),
      fold: (doc, look) => this.crowd.watch(doc, look, this.#documents.get(doc)?.watched),
      guard: (doc, step) => this.guard(doc, step),
    })
    this.aside = new DocumentGuard(turn)
    this.quotas = new TenantQuotas(options.quotaOf ?? (() => undefined), turn)
    this.checks = new Checks({
      limits,
      prng: prng.fork('checks'),
      sha256,
      turn,
      documents: this.#documents,
      refetch: doc => this.#following.restart(doc, turn.now, turn.effects, 'diverged'),
      guard: (doc, step) => this.guard(doc, step),
    })
    this.#reports = new ParentReports({ turn, following: this.#following, wallClockMs })
    this.#variants = new Variants({
      prng: prng.fork('edge variants'),
      waitMaxMs: limits.variantWaitMaxMs,
      port: {
        parents: this.#following.variants,
        load: variant => turn.push({ kind: 'load-variant', variant }),
        changed: doc => this.guard(doc, () => this.#variantChanged(doc)),
      },
    })
    this.#port = documentPort({
      turn,
      sha256,
      variants: this.#variants,
      limits,
      wallClockMs,
      salts,
      joins: this.joins,
      workerNames: this.#workerNames,
      largeViews: this.largeViews,
      largeWork: this.#largeWork,
      grantsOf,
      staleForMs: doc => this.staleForMs(doc),
      ended: (doc, viewer) => this.#ended(doc, viewer),
      retryAfterMs: this.retryAfterMs,
      changed: doc => this.#changed(doc),
    })
  }

  /** Documents followed. */
  get count(): number {
    return this.#documents.size
  }

  /** Cohorts of all documents. */
  get cohortCount(): number {
    let count = 0
    for (const document of this.#documents.values()) count += document.cohortCount
    return count
  }

  /** Documents of which what is shown may be old. */
  get staleCount(): number {
    let count = 0
    for (const [doc, { isMissingVariant }] of this.#documents) {
      if (isMissingVariant || this.staleForMs(doc) !== undefined) count++
    }
    return count
  }

  /** The parents that are connected, and what may be had from them. */
  get parents(): ConnectedParents {
    return this.#following.parents
  }

  /** Where a document is had from, and how far; undefined for one that is not followed. */
  standingOf(doc: DocumentKey): FollowedStanding | undefined {
    return this.#following.standingOf(doc)
  }

  /** The document, if it is followed. */
  get(doc: DocumentKey): EdgeDocument | undefined {
    return this.#documents.get(doc)
  }

  /** Takes what happened to parents. */
  receive(input: LinkInput | RouteInput): void {
    const { now, effects } = this.#turn
    this.#following.receive(input, now, effects)
    this.looks.notice(input, now, effects)
  }

  /** Takes what the worker has answered; what was closed meanwhile is nobody's. */
  receiveWorker(input: ReplicaWorkerInput): void {
    const doc = this.#workerNames.docOf(input.replica)
    const document = doc && this.#documents.get(doc)
    if (document === undefined) return
    this.#step(document, () => document.receiveWorker(input))
  }

  /** The rim has run a variant. */
  variantLoaded(hash: string, definition: EdgeDefinition): void {
    if (this.#variants.loaded(hash, definition, this.#turn.now)) {
      this.#turn.fact({ event: 'variant-loaded', hash })
    }
  }

  /** The rim cannot run a variant, or may not. */
  variantRefused(hash: string): void {
    this.#variants.refused(hash, this.#turn.now)
  }

  /** True for a viewer that observes the document or waits for it. */
  has(doc: DocumentKey, viewer: ViewerId): boolean {
    return this.#documents.get(doc)?.has(viewer) === true
  }

  /** A turn begins. */
  begin(): void {
    this.joins.slice.pass(this.#turn.now)
  }

  wakeAt(): Instant | undefined {
    if (this.joins.isDue || this.#largeWork.isDue) return this.#turn.now
    const byParent = earliest(this.#following.wakeAt(), this.#variants.wakeAt())
    const due = earliest(earliest(byParent, this.checks.wakeAt()), this.looks.wakeAt())
    const byTime = earliest(this.#rounds.wakeAt(), this.quotas.wakeAt())
    return earliest(
      earliest(due, this.#due.wakeAt()),
      earliest(byTime, earliest(this.crowd.wakeAt(), this.watching.wakeAt())),
    )
  }

  /** Does what is due. */
  tick(): void {
    const { now, effects } = this.#turn
    this.#following.tick(now, effects)
    this.#variants.tick(now)
    for (const doc of this.#due.due(now)) {
      const document = this.#documents.get(doc)
      if (document !== undefined) this.#step(document, () => document.tick())
    }
    this.quotas.serve(now, doc => {
      const document = this.#documents.get(doc)
      if (document !== undefined) this.#step(document, () => document.takeTurn())
    })
    for (const doc of this.#rounds.due(now)) this.guard(doc, () => this.#reconcile(doc))
    this.checks.tick()
    this.looks.tick(now, effects)
    this.watching.tick()
    this.crowd.tick()
    const broken = this.#largeWork.tick()
    if (broken !== undefined) this.#following.restart(broken, now, effects)
    this.joins.serve(now, doc => {
      this.guard(doc, () => this.#documents.get(doc)?.serve())
      this.watching.note(doc)
    })
  }

  /** Tenants may have something else than before. */
  quotasChanged(): void {
    for (const [doc, document] of this.#documents) {
      const { allowance } = document
      if (this.quotas.isAsBefore(doc, allowance)) continue
      document.allowance = this.quotas.follow(doc)
      if (allowance !== undefined) this.quotas.unfollow(doc, allowance)
      this.#changed(doc)
    }
  }

  /** Somebody wants the document: it stays. */
  keep(doc: DocumentKey): void {
    this.#lingering.delete(doc)
    this.#following.keep(doc)
    this.crowd.keep(doc)
  }

  /** Follows a document from now on. */
  follow(doc: DocumentKey): EdgeDocument {
    const { now, effects } = this.#turn
    const follower = this.#following.follow(doc, now, effects)
    const document = new EdgeDocument(doc, follower, this.#port)
    document.allowance = this.quotas.follow(doc)
    this.#documents.set(doc, document)
    this.#rounds.add(doc, now)
    return document
  }

  /** A document that nobody wants is followed for a while only. */
  lingerIfUnused(document: EdgeDocument): void {
    if (document.viewerCount > 0) return
    this.#lingering.add(document.doc)
    this.#following.release(document.doc, this.#turn.now)
  }

  /** Whatever has led to it: what is kept for nobody goes, and who may see nothing any more is told. */
  #reconcile(doc: DocumentKey): void {
    const document = this.#documents.get(doc)
    if (document === undefined) return
    document.reconcile()
    this.#settled(document)
    if (!this.#lingering.has(doc)) this.lingerIfUnused(document)
  }

  #changed(doc: DocumentKey): void {
    const document = this.#documents.get(doc)
    if (document === undefined) return
    this.#due.set(doc, document.dueAt)
    const { allowance } = document
    if (allowance !== undefined && document.isHeldUp) this.quotas.wait(doc, allowance)
    this.#reports.presence(doc, document.viewerCount)
    this.watching.note(doc)
  }

  /** Runs what concerns one document alone: an assertion that fails inside puts no other one aside. */
  guard(doc: DocumentKey, step: () => void): void {
    this.aside.run(doc, step, frame => {
      const viewers = this.#documents.get(doc)?.dismiss(frame, true) ?? []
      for (const viewer of viewers) this.#forgetViewer(viewer, doc)
      this.#abandon(doc, frame)
      this.#letGo(doc)
    })
  }

  /** The same where what is done may show that what is held is broken. */
  #step(document: EdgeDocument, step: () => void): void {
    this.guard(document.doc, () => {
      step()
      this.restartIfBroken(document)
    })
  }

  #letGo(doc: DocumentKey): void {
    const document = this.#documents.get(doc)
    if (document === undefined) return
    document.close()
    this.crowd.letGo(doc)
    this.watching.forget(doc)
    if (document.allowance !== undefined) this.quotas.unfollow(doc, document.allowance)
    this.#following.unfollow(doc, this.#turn.effects)
    this.#documents.delete(doc)
    this.joins.delete(doc)
    this.#due.set(doc, undefined)
    this.#rounds.delete(doc)
    this.#reports.forget(doc)
    this.checks.forget(doc)
    this.#lingering.delete(doc)
  }

  #told(doc: DocumentKey, event: FollowingEvent): void {
    const document = this.#documents.get(doc)
    if (document === undefined) return
    for (const fact of noteOf(doc, event)) this.#turn.fact(fact)
    switch (event.kind) {
      case 'piece-damaged':
      case 'resync':
      case 'caught-up':
        return
      case 'records':
        this.checks.changed(doc)
        document.append(event.records)
        this.#reports.lag(doc, event.records)
        this.#settled(document)
        return
      case 'reset':
        this.checks.changed(doc)
        document.restart()
        document.proceed()
        this.#settled(document)
        return
      case 'ceiling':
        document.giveUp()
        return
      case 'joined':
        this.dismissDeleted(document)
        document.joined()
        this.#settled(document)
        this.crowd.joined(doc)
        return
      case 'refused':
        this.#refused(document, event)
        return
      case 'state-hash':
        this.checks.answered(doc, event.answer)
        return
      case 'staleness':
        document.tellStatus()
        return
      case 'unused':
        this.#unused(doc)
    }
  }

  /** Nobody wants the document any more: it stays until what its viewers have said is counted. */
  #unused(doc: DocumentKey): void {
    const until = this.crowd.keptUntil(doc)
    if (until === undefined) this.#letGo(doc)
    else this.#following.release(doc, this.#turn.now, until)
  }

  #variantChanged(doc: DocumentKey): void {
    const document = this.#documents.get(doc)
    if (document === undefined) return
    document.variantChanged()
    this.#settled(document)
  }

  #settled(document: EdgeDocument): void {
    this.watching.note(document.doc)
    this.dismissDeleted(document)
    this.restartIfBroken(document)
  }

  #refused(
    document: EdgeDocument,
    { code, final }: Extract<FollowingEvent, { kind: 'refused' }>,
  ): void {
    const { doc } = document
    // The parent's own words are for the log: they may name files.
    const sentence = `${doc}: ${meaningOf(code).meaning}`
    if (!final) {
      document.refuseForNow(code, sentence)
      return
    }
    this.#forget(document, document.dismiss({ type: 'refused', doc, code, message: sentence }))
    this.#letGo(doc)
  }

  /** Who observes a document that was deleted follows from its state, not from having seen it go. */
  dismissDeleted(document: EdgeDocument): void {
    if (!document.follower.replica.isDeleted) return
    const { doc } = document
    this.crowd.letGo(doc)
    if (document.viewerCount === 0) return
    this.#forget(document, document.dismissWaiting(deletedFrame(doc)))
    this.#forget(document, document.dismiss({ type: 'left', doc, reason: 'deleted' }))
  }

  /** These viewers were dismissed: they no longer observe the document. */
  #forget(document: EdgeDocument, viewers: readonly ViewerId[]): void {
    for (const viewer of viewers) this.#forgetViewer(viewer, document.doc)
    this.lingerIfUnused(document)
  }

  #ended(doc: DocumentKey, viewer: ViewerId): void {
    this.#forgetViewer(viewer, doc)
    const document = this.#documents.get(doc)
    if (document !== undefined) this.lingerIfUnused(document)
  }

  /** That a record does not apply shows when a viewer needs the state. */
  restartIfBroken({ doc, follower }: EdgeDocument): void {
    const { now, effects } = this.#turn
    if (follower.replica.isBroken) this.#following.restart(doc, now, effects)
  }

  /** How long what is held may have been old, ms; undefined while it is fresh. */
  staleForMs(doc: DocumentKey): number | undefined {
    const staleFor = this.#following.staleFor(doc, this.#turn.now)
    return staleFor === undefined ? undefined : Math.floor(staleFor / 1000)
  }
}
