import { earliest, type Instant, type Machine, type Prng, type Sha256 } from '@fanfold/kernel'
import {
  type CohortId,
  type DocumentKey,
  type ErrorCode,
  encodeViewerFrame,
  type Grants,
  isGranted,
  type ViewerId,
  type ViewerRequest,
} from '@fanfold/protocol'
import { type FollowerLimits, Following, type FollowingEvent } from '@fanfold/replication'
import { adoptViewState } from './admission.ts'
import { type DocumentPort, EdgeDocument } from './edge-document.ts'
import type { EdgeEffect, EdgeInput } from './edge-effect.ts'
import { pointSaltBytes } from './resume-point.ts'
import type { SmallFrame } from './small-frame.ts'
import { Turn } from './turn.ts'
import { Variants } from './variants.ts'

/** Bounds of an edge. */
export type EdgeLimits = {
  readonly follower: FollowerLimits
  /** How long a document is followed after its last viewer has left. */
  readonly lingerMs: number
  /** Documents that one viewer may observe at a time. */
  readonly documentsPerViewerMax: number
  /** Documents followed at a time; one more is refused with `FANFOLD_OVERLOADED`. */
  readonly documentsMax: number
  /** Different views of one document at a time; one more is refused with `FANFOLD_OVERLOADED`. Default: 10,000. */
  readonly cohortsPerDocumentMax?: number | undefined
  /** Bytes of snapshots, and of deltas after them, kept for newcomers of one document. Default: 16 MiB. */
  readonly cachedBytesPerDocumentMax?: number | undefined
  /** How long a variant may be on its way before viewers are told. Default: 5,000. */
  readonly variantWaitMaxMs?: number | undefined
}

const cohortsPerDocumentMaxDefault = 10_000
const cachedBytesPerDocumentMaxDefault = 16_777_216
const variantWaitMaxMsDefault = 5_000

type Viewer = { grants: Grants; readonly docs: Set<DocumentKey> }
type Request = Exclude<ViewerRequest, { type: 'authenticate' }>

/** The role at the last mile: follows documents while viewers observe them, and serves the viewers. */
export class Edge implements Machine<EdgeInput, EdgeEffect> {
  readonly #limits: EdgeLimits
  readonly #following: Following
  readonly #variants: Variants
  readonly #port: DocumentPort
  readonly #documents = new Map<DocumentKey, EdgeDocument>()
  readonly #viewers = new Map<ViewerId, Viewer>()
  readonly #turn = new Turn()
  #nextCohort = 1

  constructor(options: {
    readonly sha256: Sha256
    readonly prng: Prng
    /** The wall's time, ms since 1970: only told to viewers. */
    readonly wallClockMs: () => number
    readonly limits: EdgeLimits
  }) {
    const { sha256, prng, wallClockMs, limits } = options
    const salts = prng.fork('salts')
    this.#limits = limits
    this.#following = new Following({
      sha256,
      prng,
      limits: limits.follower,
      lingerMs: limits.lingerMs,
      tell: (doc, event) => this.#told(doc, event),
      tellVariant: (hash, variant) => this.#variants.got(hash, variant),
    })
    this.#variants = new Variants({
      prng: prng.fork('edge variants'),
      waitMaxMs: limits.variantWaitMaxMs ?? variantWaitMaxMsDefault,
      port: {
        want: hash => this.#following.wantVariant(hash),
        unwant: hash => this.#following.unwantVariant(hash),
        drop: hash => this.#following.dropVariant(hash),
        load: variant => this.#turn.push({ kind: 'load-variant', variant }),
        changed: doc => this.#variantChanged(doc),
      },
    })
    this.#port = {
      turn: this.#turn,
      sha256,
      variants: this.#variants,
      limits: {
        cohortsMax: limits.cohortsPerDocumentMax ?? cohortsPerDocumentMaxDefault,
        cachedBytesMax: limits.cachedBytesPerDocumentMax ?? cachedBytesPerDocumentMaxDefault,
      },
      wallClockMs,
      nextCohort: () => this.#nextCohort++ as CohortId,
      salt: () => salts.bytes(pointSaltBytes),
      grantsOf: viewer => this.#viewers.get(viewer)?.grants,
      staleForMs: doc => this.#staleForMs(doc),
      ended: (doc, viewer) => this.#ended(doc, viewer),
    }
  }

  /** Viewers connected. */
  get viewerCount(): number {
    return this.#viewers.size
  }

  /** Documents followed. */
  get documentCount(): number {
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
      if (isMissingVariant || this.#staleForMs(doc) !== undefined) count++
    }
    return count
  }

  /** True while a parent is connected. */
  get hasParent(): boolean {
    return this.#following.hasParent
  }

  receive(input: EdgeInput, now: Instant, effects: EdgeEffect[]): void {
    this.#turn.begin(now, effects)
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
        return
      case 'variant-loaded':
        if (this.#variants.loaded(input.hash, input.definition, now)) {
          this.#turn.fact({ event: 'variant-loaded', hash: input.hash })
        }
        return
      case 'variant-refused': {
        const { hash, code, message } = input
        this.#turn.fact({ event: 'variant-refused', hash, code, message })
        this.#variants.refused(hash, now)
      }
    }
  }

  wakeAt(): Instant | undefined {
    return earliest(this.#following.wakeAt(), this.#variants.wakeAt())
  }

  tick(now: Instant, effects: EdgeEffect[]): void {
    this.#turn.begin(now, effects)
    this.#following.tick(now, effects)
    this.#variants.tick(now)
  }

  #serve(id: ViewerId, request: Request): void {
    const viewer = this.#viewers.get(id)
    if (viewer === undefined) return
    const { doc } = request
    switch (request.type) {
      case 'observe':
        this.#observe(id, viewer, request)
        return
      case 'leave':
        this.#leave(id, viewer, doc)
        this.#send(id, { type: 'left', doc, reason: 'asked' })
        return
      case 'viewState':
        this.#setViewState(id, request)
        return
      case 'add': {
        const message = `no reducer ${request.reducer.slice(0, 100)}`
        this.#refuse(id, doc, 'FANFOLD_NO_REDUCER', message)
      }
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
    const overload = this.#overload(viewer, doc)
    if (overload !== undefined) {
      this.#refuse(id, doc, 'FANFOLD_OVERLOADED', overload)
      return
    }
    viewer.docs.add(doc)
    this.#following.keep(doc)
    const document = this.#documents.get(doc) ?? this.#follow(doc)
    document.observe(id, { from, viewState: viewState.value })
    this.#dismissDeleted(document)
    if (document.has(id)) {
      // A viewer that resumes and has missed nothing is answered too.
      const isAnswered = document.isShown || !this.#following.hasParent
      const isDue = from !== undefined || this.#staleForMs(doc) !== undefined
      if (isDue && isAnswered) document.tellStatusTo(id)
    }
    this.#restartIfBroken(document)
  }

  /** Why there is no room for one more document; undefined while there is. */
  #overload(viewer: Viewer, doc: DocumentKey): string | undefined {
    const { documentsPerViewerMax, documentsMax } = this.#limits
    if (!viewer.docs.has(doc) && viewer.docs.size >= documentsPerViewerMax) {
      return `a viewer observes at most ${documentsPerViewerMax} documents`
    }
    const isFull = !this.#documents.has(doc) && this.#documents.size >= documentsMax
    return isFull ? `the edge follows its ${documentsMax} documents` : undefined
  }

  #setViewState(id: ViewerId, { doc, viewState }: Extract<Request, { type: 'viewState' }>): void {
    const document = this.#documents.get(doc)
    if (document?.has(id) !== true) {
      this.#refuse(id, doc, 'FANFOLD_NOT_OBSERVED', `you do not observe ${doc} here`)
      return
    }
    const adopted = adoptViewState(viewState)
    if (adopted.ok) document.setViewState(id, adopted.value)
    else this.#refuse(id, doc, adopted.code, adopted.message)
    this.#restartIfBroken(document)
  }

  /** A viewer that lagged has missed deltas, and perhaps what became of the status. */
  #catchUp(cohort: CohortId, id: ViewerId): void {
    for (const doc of this.#viewers.get(id)?.docs ?? []) {
      const document = this.#documents.get(doc)
      if (document?.catchUp(id, cohort) !== true) continue
      document.tellStatusTo(id)
      this.#restartIfBroken(document)
    }
  }

  /** That a record does not apply shows when a viewer needs the state. */
  #restartIfBroken({ doc, follower }: EdgeDocument): void {
    const { now, effects } = this.#turn
    if (follower.replica.isBroken) this.#following.restart(doc, now, effects)
  }

  #leave(id: ViewerId, viewer: Viewer, doc: DocumentKey): void {
    viewer.docs.delete(doc)
    const document = this.#documents.get(doc)
    if (document === undefined) return
    document.remove(id)
    this.#lingerIfUnused(document)
  }

  #renew(id: ViewerId, grants: Grants): void {
    const viewer = this.#viewers.get(id)
    if (viewer === undefined) return
    viewer.grants = grants
    for (const doc of [...viewer.docs]) {
      if (isGranted(grants, 'observe', doc)) {
        this.#documents.get(doc)?.renew(id)
      } else {
        this.#leave(id, viewer, doc)
        this.#refuse(id, doc, 'FANFOLD_FORBIDDEN', `the new token does not allow observing ${doc}`)
      }
    }
  }

  #close(id: ViewerId): void {
    const viewer = this.#viewers.get(id)
    if (viewer === undefined) return
    for (const doc of [...viewer.docs]) this.#leave(id, viewer, doc)
    this.#viewers.delete(id)
  }

  #follow(doc: DocumentKey): EdgeDocument {
    const { now, effects } = this.#turn
    const follower = this.#following.follow(doc, now, effects)
    const document = new EdgeDocument(doc, follower, this.#port)
    this.#documents.set(doc, document)
    return document
  }

  #lingerIfUnused(document: EdgeDocument): void {
    if (document.viewerCount > 0) return
    this.#following.release(document.doc, this.#turn.now)
  }

  #letGo(doc: DocumentKey): void {
    const document = this.#documents.get(doc)
    if (document === undefined) return
    document.close()
    this.#following.unfollow(doc, this.#turn.effects)
    this.#documents.delete(doc)
  }

  #told(doc: DocumentKey, event: FollowingEvent): void {
    const document = this.#documents.get(doc)
    if (document === undefined) return
    switch (event.kind) {
      case 'records':
        document.proceed()
        this.#settled(document)
        return
      case 'reset':
        document.restart()
        document.proceed()
        this.#settled(document)
        return
      case 'ceiling':
        document.restart()
        return
      case 'joined':
        this.#dismissDeleted(document)
        document.joined()
        this.#settled(document)
        return
      case 'refused':
        this.#refused(document, event)
        return
      case 'resync':
        this.#turn.fact({ event: 'resync', doc, reason: event.reason })
        return
      case 'staleness':
        document.tellStatus()
        return
      case 'unused':
        this.#letGo(doc)
    }
  }

  #variantChanged(doc: DocumentKey): void {
    const document = this.#documents.get(doc)
    if (document === undefined) return
    document.variantChanged()
    this.#settled(document)
  }

  #settled(document: EdgeDocument): void {
    this.#dismissDeleted(document)
    this.#restartIfBroken(document)
  }

  #refused(
    document: EdgeDocument,
    { code, message, final }: Extract<FollowingEvent, { kind: 'refused' }>,
  ): void {
    const { doc } = document
    this.#turn.fact({ event: 'upstream-refused', doc, code, message })
    if (!final) {
      document.refuseForNow(code, message)
      return
    }
    this.#forget(document, document.dismiss({ type: 'refused', doc, code, message }))
    this.#letGo(doc)
  }

  /** Who observes a document that was deleted follows from its state, not from having seen it go. */
  #dismissDeleted(document: EdgeDocument): void {
    if (!document.follower.replica.isDeleted || document.viewerCount === 0) return
    const { doc } = document
    const message = `${doc} was deleted`
    const code = 'FANFOLD_DELETED'
    this.#forget(document, document.dismissWaiting({ type: 'refused', doc, code, message }))
    this.#forget(document, document.dismiss({ type: 'left', doc, reason: 'deleted' }))
  }

  /** These viewers were dismissed: they no longer observe the document. */
  #forget(document: EdgeDocument, viewers: readonly ViewerId[]): void {
    for (const viewer of viewers) this.#viewers.get(viewer)?.docs.delete(document.doc)
    this.#lingerIfUnused(document)
  }

  #ended(doc: DocumentKey, viewer: ViewerId): void {
    this.#viewers.get(viewer)?.docs.delete(doc)
    const document = this.#documents.get(doc)
    if (document !== undefined) this.#lingerIfUnused(document)
  }

  #staleForMs(doc: DocumentKey): number | undefined {
    const staleFor = this.#following.staleFor(doc, this.#turn.now)
    return staleFor === undefined ? undefined : Math.floor(staleFor / 1000)
  }

  #refuse(viewer: ViewerId, doc: DocumentKey, code: ErrorCode, message: string): void {
    this.#send(viewer, { type: 'refused', doc, code, message })
  }

  #send(viewer: ViewerId, frame: SmallFrame): void {
    this.#turn.push({ kind: 'viewer-send', viewer, frame: encodeViewerFrame(frame) })
  }
}
