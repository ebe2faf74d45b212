import type { Instant, Machine, Prng, Sha256 } from '@fanfold/kernel'
import {
  type CohortId,
  type DocumentKey,
  type ErrorCode,
  encodeViewerFrame,
  type Grants,
  isGranted,
  type LinkInput,
  type ViewerId,
  type ViewerInput,
  type ViewerRequest,
} from '@fanfold/protocol'
import { type FollowerLimits, Following, type FollowingEvent } from '@fanfold/replication'
import { EdgeDocument, type SmallFrame } from './edge-document.ts'
import type { EdgeEffect } from './edge-effect.ts'

/** Bounds of an edge. */
export type EdgeLimits = {
  readonly follower: FollowerLimits
  /** How long a document is followed after its last viewer has left. */
  readonly lingerMs: number
  /** Documents that one viewer may observe at a time. */
  readonly documentsPerViewerMax: number
  /** Documents followed at a time; one more is refused with `FANFOLD_OVERLOADED`. */
  readonly documentsMax: number
}

/** What happens to an edge: all its links are parents'. */
export type EdgeInput = LinkInput | ViewerInput

/** When a viewer that waits may ask again, ms; the edge goes on trying by itself. */
const askAgainMs = 2_000

type Viewer = { grants: Grants; readonly docs: Set<DocumentKey> }

/** The role at the last mile: follows documents while viewers observe them, and serves the viewers. */
export class Edge implements Machine<EdgeInput, EdgeEffect> {
  readonly #limits: EdgeLimits
  readonly #wallClockMs: () => number
  readonly #following: Following
  readonly #documents = new Map<DocumentKey, EdgeDocument>()
  readonly #cohorts = new Map<CohortId, EdgeDocument>()
  readonly #viewers = new Map<ViewerId, Viewer>()
  #nextCohort = 1
  // The callback of `#following` runs inside `receive` and `tick`, which lend it these two.
  #now: Instant = 0 as Instant
  #effects: EdgeEffect[] = []

  constructor(options: {
    readonly sha256: Sha256
    readonly prng: Prng
    /** The wall's time, ms since 1970: only told to viewers. */
    readonly wallClockMs: () => number
    readonly limits: EdgeLimits
  }) {
    const { sha256, prng, wallClockMs, limits } = options
    this.#limits = limits
    this.#wallClockMs = wallClockMs
    this.#following = new Following({
      sha256,
      prng,
      limits: limits.follower,
      lingerMs: limits.lingerMs,
      tell: (doc, event) => this.#told(doc, event),
      tellVariant: () => undefined,
    })
  }

  /** Viewers connected. */
  get viewerCount(): number {
    return this.#viewers.size
  }

  /** Documents followed; each has one cohort. */
  get documentCount(): number {
    return this.#documents.size
  }

  /** Documents of which what is held may be old. */
  get staleCount(): number {
    return this.#following.staleCount
  }

  /** True while a parent is connected. */
  get hasParent(): boolean {
    return this.#following.hasParent
  }

  receive(input: EdgeInput, now: Instant, effects: EdgeEffect[]): void {
    this.#now = now
    this.#effects = effects
    switch (input.kind) {
      case 'link-opened':
      case 'link-frame':
      case 'link-congested':
      case 'link-drained':
      case 'link-closed':
        this.#following.receive(input, now, effects)
        return
      case 'viewer-opened':
        this.#viewers.set(input.viewer, { grants: input.grants, docs: new Set() })
        return
      case 'viewer-renewed':
        this.#renew(input.viewer, input.grants)
        return
      case 'viewer-requested':
        this.#serve(input.viewer, input.request)
        return
      case 'viewer-drained':
        for (const cohort of input.cohorts) this.#catchUp(cohort, input.viewer)
        return
      case 'viewer-closed':
        this.#close(input.viewer)
    }
  }

  wakeAt(): Instant | undefined {
    return this.#following.wakeAt()
  }

  tick(now: Instant, effects: EdgeEffect[]): void {
    this.#now = now
    this.#effects = effects
    this.#following.tick(now, effects)
  }

  #serve(id: ViewerId, request: Exclude<ViewerRequest, { type: 'authenticate' }>): void {
    const viewer = this.#viewers.get(id)
    if (viewer === undefined) return
    switch (request.type) {
      case 'observe':
        this.#observe(id, viewer, request)
        return
      case 'leave':
        this.#leave(id, viewer, request.doc)
        this.#send(id, { type: 'left', doc: request.doc, reason: 'asked' })
        return
      case 'viewState':
        this.#refuse(id, request.doc, 'FANFOLD_NO_VIEW_STATE', 'this document takes no view state')
        return
      case 'add':
        this.#refuse(
          id,
          request.doc,
          'FANFOLD_NO_REDUCER',
          `no reducer ${request.reducer.slice(0, 100)}`,
        )
    }
  }

  #observe(
    id: ViewerId,
    viewer: Viewer,
    request: Extract<ViewerRequest, { type: 'observe' }>,
  ): void {
    const { doc, from } = request
    if (!isGranted(viewer.grants, 'observe', doc)) {
      this.#refuse(id, doc, 'FANFOLD_FORBIDDEN', `the token does not allow observing ${doc}`)
      return
    }
    if (request.viewState !== undefined) {
      this.#refuse(id, doc, 'FANFOLD_NO_VIEW_STATE', 'this document takes no view state')
      return
    }
    if (!viewer.docs.has(doc) && viewer.docs.size >= this.#limits.documentsPerViewerMax) {
      const max = this.#limits.documentsPerViewerMax
      this.#refuse(id, doc, 'FANFOLD_OVERLOADED', `a viewer observes at most ${max} documents`)
      return
    }
    const { documentsMax } = this.#limits
    if (!this.#documents.has(doc) && this.#documents.size >= documentsMax) {
      const message = `the edge follows its ${documentsMax} documents`
      this.#refuse(id, doc, 'FANFOLD_OVERLOADED', message)
      return
    }
    viewer.docs.add(doc)
    this.#following.keep(doc)
    const document = this.#documents.get(doc) ?? this.#follow(doc)
    document.observe(id, from, this.#effects)
    this.#dismissDeleted(document)
    if (!document.has(id)) return
    const isStale = this.#following.staleFor(doc, this.#now) !== undefined
    // A viewer that resumes and has missed nothing is answered too.
    const isAnswered = document.follower.hasState || !this.#following.hasParent
    if ((isStale || from !== undefined) && isAnswered) this.#send(id, this.#statusOf(doc))
    this.#restartIfBroken(document)
  }

  /** A viewer that lagged has missed deltas, and perhaps what became of the status. */
  #catchUp(cohort: CohortId, viewer: ViewerId): void {
    const document = this.#cohorts.get(cohort)
    if (document === undefined || !document.has(viewer)) return
    document.catchUp(viewer, this.#effects)
    this.#send(viewer, this.#statusOf(document.doc))
    this.#restartIfBroken(document)
  }

  /** That a record does not apply shows when a viewer needs the state. */
  #restartIfBroken({ doc, follower }: EdgeDocument): void {
    if (follower.replica.isBroken) this.#following.restart(doc, this.#now, this.#effects)
  }

  #leave(id: ViewerId, viewer: Viewer, doc: DocumentKey): void {
    viewer.docs.delete(doc)
    const document = this.#documents.get(doc)
    if (document === undefined) return
    document.remove(id, this.#effects)
    this.#lingerIfUnused(document)
  }

  #renew(id: ViewerId, grants: Grants): void {
    const viewer = this.#viewers.get(id)
    if (viewer === undefined) return
    viewer.grants = grants
    for (const doc of [...viewer.docs]) {
      if (isGranted(grants, 'observe', doc)) continue
      this.#leave(id, viewer, doc)
      this.#refuse(id, doc, 'FANFOLD_FORBIDDEN', `the new token does not allow observing ${doc}`)
    }
  }

  #close(id: ViewerId): void {
    const viewer = this.#viewers.get(id)
    if (viewer === undefined) return
    for (const doc of [...viewer.docs]) this.#leave(id, viewer, doc)
    this.#viewers.delete(id)
  }

  #follow(doc: DocumentKey): EdgeDocument {
    const follower = this.#following.follow(doc, this.#now, this.#effects)
    const cohort = this.#nextCohort++ as CohortId
    const document = new EdgeDocument(doc, cohort, follower)
    this.#documents.set(doc, document)
    this.#cohorts.set(cohort, document)
    return document
  }

  #lingerIfUnused(document: EdgeDocument): void {
    if (document.viewerCount > 0) return
    this.#following.release(document.doc, this.#now)
  }

  #letGo(doc: DocumentKey): void {
    const document = this.#documents.get(doc)
    if (document === undefined) return
    this.#following.unfollow(doc, this.#effects)
    this.#documents.delete(doc)
    this.#cohorts.delete(document.cohort)
  }

  #told(doc: DocumentKey, event: FollowingEvent): void {
    const document = this.#documents.get(doc)
    if (document === undefined) return
    switch (event.kind) {
      case 'records':
        document.deliver(event.records, this.#now, this.#effects)
        this.#dismissDeleted(document)
        return
      case 'reset':
        document.reset(this.#effects)
        this.#dismissDeleted(document)
        this.#restartIfBroken(document)
        return
      case 'joined':
        this.#dismissDeleted(document)
        document.serveWaiting(this.#effects)
        this.#restartIfBroken(document)
        return
      case 'refused': {
        const { code, message } = event
        this.#effects.push({
          kind: 'fact',
          fact: { event: 'upstream-refused', doc, code, message },
        })
        if (event.final) {
          document.dismiss({ type: 'refused', doc, code, message }, this.#effects)
          this.#forgetViewersOf(doc)
          this.#letGo(doc)
        } else {
          const frame: SmallFrame = { type: 'refused', doc, code, message, retryAfter: askAgainMs }
          document.refuseForNow(frame, this.#effects)
        }
        return
      }
      case 'resync':
        this.#effects.push({ kind: 'fact', fact: { event: 'resync', doc, reason: event.reason } })
        return
      case 'staleness':
        document.tell(this.#statusOf(doc), this.#effects)
        return
      case 'unused':
        this.#letGo(doc)
    }
  }

  /** Who observes a document that was deleted follows from its state, not from having seen it go. */
  #dismissDeleted(document: EdgeDocument): void {
    if (!document.follower.replica.isDeleted) return
    const { doc } = document
    document.dismissWaiting(
      { type: 'refused', doc, code: 'FANFOLD_DELETED', message: `${doc} was deleted` },
      this.#effects,
    )
    document.dismiss({ type: 'left', doc, reason: 'deleted' }, this.#effects)
    this.#forgetViewersOf(document.doc)
  }

  /** The document's viewers were dismissed: they no longer observe it. */
  #forgetViewersOf(doc: DocumentKey): void {
    for (const viewer of this.#viewers.values()) viewer.docs.delete(doc)
    const document = this.#documents.get(doc)
    if (document !== undefined) this.#lingerIfUnused(document)
  }

  #statusOf(doc: DocumentKey): SmallFrame {
    const staleFor = this.#following.staleFor(doc, this.#now)
    const ageMs = Math.floor((staleFor ?? 0) / 1000)
    const status = staleFor === undefined ? 'live' : 'stale'
    return { type: 'status', doc, status, since: this.#wallClockMs() - ageMs }
  }

  #refuse(viewer: ViewerId, doc: DocumentKey, code: ErrorCode, message: string): void {
    this.#send(viewer, { type: 'refused', doc, code, message })
  }

  #send(viewer: ViewerId, frame: SmallFrame): void {
    this.#effects.push({ kind: 'viewer-send', viewer, frame: encodeViewerFrame(frame) })
  }
}
