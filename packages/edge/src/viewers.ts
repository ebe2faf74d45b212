/*
 * The viewers of an edge and what they ask for: whether it may be asked at all, and of which document.
 */
import { SmallSet } from '@fanfold/kernel'
import {
  type DocumentKey,
  type DrainedCohort,
  type ErrorCode,
  encodeViewerFrame,
  type Grants,
  isGranted,
  type TransferId,
  type ViewerId,
  type ViewerRequest,
} from '@fanfold/protocol'
import { adoptViewState } from './admission.ts'
import type { Documents } from './documents.ts'
import type { EdgeDocument } from './edge-document.ts'
import { type EdgeLimits, type FullEdgeLimits, withDefaults } from './edge-limits.ts'
import { paceOf } from './pace.ts'
import type { SmallFrame } from './small-frame.ts'
import type { Turn } from './turn.ts'

type Viewer = { grants: Grants; readonly docs: SmallSet<DocumentKey> }
type Request = Exclude<ViewerRequest, { type: 'authenticate' }>

/** The viewers connected to an edge. */
export class Viewers {
  readonly #limits: FullEdgeLimits
  readonly #documents: Documents
  readonly #turn: Turn
  readonly #viewers = new Map<ViewerId, Viewer>()

  constructor(options: {
    readonly limits: EdgeLimits
    readonly documents: Documents
    readonly turn: Turn
  }) {
    this.#limits = withDefaults(options.limits)
    this.#documents = options.documents
    this.#turn = options.turn
  }

  get count(): number {
    return this.#viewers.size
  }

  /** What the viewer's token says; undefined for one that is gone. */
  grantsOf(viewer: ViewerId): Grants | undefined {
    return this.#viewers.get(viewer)?.grants
  }

  /** A viewer has come. */
  open(viewer: ViewerId, grants: Grants): void {
    this.#viewers.set(viewer, { grants, docs: new SmallSet() })
  }

  /** The viewer observes the document no more, not by its own doing. */
  forget(viewer: ViewerId, doc: DocumentKey): void {
    const docs = this.#viewers.get(viewer)?.docs
    if (docs !== undefined && this.#drop(docs, doc)) this.#voidSignal(viewer, doc)
  }

  /** Tenants may have something else than before. */
  quotasChanged(): void {
    this.#documents.quotas.recount(this.#viewers.values())
    this.#documents.quotasChanged()
  }

  /** The document is put aside: who was in the midst of something with it is told, too. */
  abandon(doc: DocumentKey, frame: SmallFrame): void {
    for (const [id, { docs }] of this.#viewers) {
      if (!this.#drop(docs, doc)) continue
      this.#voidSignal(id, doc)
      this.#send(id, frame)
    }
  }

  /** Takes a request. */
  serve(id: ViewerId, request: Request): void {
    const viewer = this.#viewers.get(id)
    if (viewer === undefined) return
    const { doc } = request
    switch (request.type) {
      case 'observe':
        this.#observe(id, viewer, request)
        return
      case 'leave':
        this.#leave(id, viewer, doc)
        this.#voidSignal(id, doc)
        this.#send(id, { type: 'left', doc, reason: 'asked' })
        return
      case 'viewState':
        this.#setViewState(id, request)
        return
      case 'add':
        this.#add(id, viewer, request)
    }
  }

  #observe(id: ViewerId, viewer: Viewer, request: Extract<Request, { type: 'observe' }>): void {
    const { doc, from } = request
    if (!isGranted(viewer.grants, 'observe', doc)) {
      this.#refuse(id, doc, 'FANFOLD_FORBIDDEN', `the token does not allow observing ${doc}`)
      return
    }
    const viewState = adoptViewState(request.viewState)
    if (!viewState.ok) {
      this.#refuse(id, doc, viewState.code, viewState.message)
      return
    }
    const { documentsPerViewerMax } = this.#limits
    if (!viewer.docs.has(doc) && viewer.docs.size >= documentsPerViewerMax) {
      // That there is room again is for the viewer to see to.
      const message = `a viewer observes at most ${documentsPerViewerMax} documents`
      this.#refuse(id, doc, 'FANFOLD_OVERLOADED', message)
      return
    }
    const overload = this.#overload(id, doc)
    if (overload !== undefined) {
      const retryAfter = this.#documents.retryAfterMs()
      const code = 'FANFOLD_OVERLOADED'
      this.#send(id, { type: 'refused', doc, code, message: overload, retryAfter })
      return
    }
    const full = this.#documents.quotas.problemOf(doc, viewer.docs)
    if (full !== undefined) {
      const retryAfter = this.#documents.retryAfterMs()
      this.#send(id, {
        type: 'refused',
        doc,
        code: 'FANFOLD_QUOTA_EXCEEDED',
        message: full,
        retryAfter,
      })
      return
    }
    const aside = this.#documents.aside.refusal(doc)
    if (aside !== undefined) {
      this.#send(id, aside)
      return
    }
    if (!viewer.docs.has(doc)) this.#documents.quotas.observes(doc, viewer.docs)
    viewer.docs.add(doc)
    this.#documents.keep(doc)
    const document = this.#documents.get(doc) ?? this.#documents.follow(doc)
    const pace = paceOf(request.maxRate)
    this.#documents.guard(doc, () => {
      document.observe(id, { from, viewState: viewState.value, pace })
      this.#observed(id, document, from)
    })
  }

  #observed(id: ViewerId, document: EdgeDocument, from: string | undefined): void {
    const { doc } = document
    this.#documents.dismissDeleted(document)
    // Who waits for its turn is answered then.
    if (document.has(id) && !document.isNext(id)) {
      // A viewer that resumes and has missed nothing is answered too.
      const isAnswered = document.isShown || !this.#documents.parents.mayBeHad(doc)
      const isDue = from !== undefined || this.#documents.staleForMs(doc) !== undefined
      if (isDue && isAnswered) document.tellStatusTo(id)
    }
    this.#documents.restartIfBroken(document)
  }

  /** Why there is no room for the viewer now; undefined while there is. */
  #overload(id: ViewerId, doc: DocumentKey): string | undefined {
    const { documentsMax, joinsWaitingMax } = this.#limits
    const documents = this.#documents
    if (documents.get(doc) === undefined && documents.count >= documentsMax) {
      return `the edge follows its ${documentsMax} documents`
    }
    const isFull = documents.joins.tally.count >= joinsWaitingMax && !documents.has(doc, id)
    return isFull ? `${joinsWaitingMax} viewers wait to be let in` : undefined
  }

  #setViewState(id: ViewerId, { doc, viewState }: Extract<Request, { type: 'viewState' }>): void {
    const document = this.#documents.get(doc)
    if (document?.has(id) !== true) {
      this.#refuse(id, doc, 'FANFOLD_NOT_OBSERVED', `you do not observe ${doc} here`)
      return
    }
    const adopted = adoptViewState(viewState)
    if (!adopted.ok) {
      this.#refuse(id, doc, adopted.code, adopted.message)
      return
    }
    this.#documents.guard(doc, () => {
      document.setViewState(id, adopted.value)
      this.#documents.restartIfBroken(document)
    })
  }

  #add(id: ViewerId, { grants }: Viewer, request: Extract<Request, { type: 'add' }>): void {
    const { doc } = request
    const documents = this.#documents
    const mayObserve = isGranted(grants, 'observe', doc)
    const adding = { viewer: id, subject: grants.subject, mayObserve, document: documents.get(doc) }
    documents.guard(doc, () => documents.crowd.add(request, adding))
  }

  /** A viewer has been sent a large view. */
  transferred(id: ViewerId, transfer: TransferId): void {
    this.#first(id, document => document.transferred(id, transfer))
  }

  /** A viewer that lagged has missed deltas of these cohorts. */
  catchUp(id: ViewerId, cohorts: readonly DrainedCohort[]): void {
    for (const cohort of cohorts) this.#first(id, document => document.catchUp(id, cohort))
  }

  /** The first of the viewer's documents that this is about takes it. */
  #first(id: ViewerId, takes: (document: EdgeDocument) => boolean): void {
    let isTaken = false
    for (const doc of this.#viewers.get(id)?.docs ?? []) {
      const document = this.#documents.get(doc)
      if (document === undefined) continue
      this.#documents.guard(doc, () => {
        isTaken = takes(document)
        if (isTaken) this.#documents.restartIfBroken(document)
      })
      if (isTaken) return
    }
  }

  #leave(id: ViewerId, viewer: Viewer, doc: DocumentKey): void {
    this.#drop(viewer.docs, doc)
    const document = this.#documents.get(doc)
    if (document === undefined) return
    this.#documents.guard(doc, () => {
      document.remove(id)
      this.#documents.lingerIfUnused(document)
    })
  }

  /** The viewer has shown another token. */
  renew(id: ViewerId, grants: Grants): void {
    const viewer = this.#viewers.get(id)
    if (viewer === undefined) return
    viewer.grants = grants
    for (const doc of [...viewer.docs]) {
      if (isGranted(grants, 'observe', doc)) {
        this.#documents.guard(doc, () => this.#documents.get(doc)?.renew(id))
      } else {
        this.#leave(id, viewer, doc)
        this.#voidSignal(id, doc)
        this.#refuse(id, doc, 'FANFOLD_FORBIDDEN', `the new token does not allow observing ${doc}`)
      }
    }
  }

  /** The viewer is gone. */
  close(id: ViewerId): void {
    const viewer = this.#viewers.get(id)
    if (viewer === undefined) return
    for (const doc of [...viewer.docs]) this.#leave(id, viewer, doc)
    this.#documents.crowd.forget(id)
    this.#viewers.delete(id)
  }

  /** The viewer with these documents has this one no more; false when it did not. */
  #drop(docs: SmallSet<DocumentKey>, doc: DocumentKey): boolean {
    if (!docs.delete(doc)) return false
    this.#documents.quotas.leaves(doc, docs)
    return true
  }

  /** A status that waits for a slow viewer must not outlive its observing: it may observe anew, and fresh. */
  #voidSignal(viewer: ViewerId, doc: DocumentKey): void {
    this.#turn.push({ kind: 'signal-end', viewer, key: doc })
  }

  #refuse(viewer: ViewerId, doc: DocumentKey, code: ErrorCode, message: string): void {
    this.#send(viewer, { type: 'refused', doc, code, message })
  }

  #send(viewer: ViewerId, frame: SmallFrame): void {
    this.#turn.push({ kind: 'viewer-send', viewer, frame: encodeViewerFrame(frame) })
  }
}
