/*
 * An edge in a test's hands: a parent's frames go in, and a model of the rim keeps what each viewer gets.
 */
import { sha256 } from '@fanfold/conformance'
import type { EdgeDefinition } from '@fanfold/definition'
import { plainCodec, type ReplicaWorkerInput } from '@fanfold/document'
import {
  assert,
  decodeUtf8,
  type Instant,
  instant,
  milliseconds,
  Prng,
  toHex,
} from '@fanfold/kernel'
import {
  type CohortId,
  type DocumentKey,
  decodeLinkFrame,
  encodeLinkFrame,
  type Grants,
  type LinkFrame,
  type PeerIdentity,
  type TransferId,
  type ViewerFrame,
  type ViewerId,
  type ViewerRequest,
} from '@fanfold/protocol'
import { defaultUpstreamLimits, type FollowerLimits, type RingLimits } from '@fanfold/replication'
import { WorkerReplicas } from '@fanfold/worker'
import { Edge } from '../src/edge.ts'
import type { EdgeEffect, EdgeInput } from '../src/edge-effect.ts'
import type { EdgeLimits } from '../src/edge-limits.ts'
import type { ViewerQuotaOf } from '../src/tenant-quotas.ts'
import {
  define,
  doc,
  grants,
  hashOf,
  parent,
  snapshot,
  startMs,
  variantOf,
  viewer,
  welcome,
} from './edge-log.ts'
import { ProjectingParent } from './projecting-parent.ts'

const at = (ms: number): Instant => instant(Math.round(ms * 1_000))

/** A frame that a viewer received, with its bytes. */
export type Received = { readonly frame: ViewerFrame; readonly bytes: Uint8Array }

/** How documents are followed where a test does not care. */
export const followerLimits = (ring: Partial<RingLimits> = {}): FollowerLimits => ({
  ring: { recordsMax: 1_000, bytesMax: 1_000_000, ageMax: milliseconds(60_000), ...ring },
  upstream: defaultUpstreamLimits,
  pendingBytesMax: 1_000_000,
})

/** Bounds of an edge, and from which size on documents are large. */
export type RigLimits = Partial<EdgeLimits> & { readonly largeStateBytes?: number }

/** An edge, its parent, and the rim as the port describes it. */
export class Rig {
  readonly edge: Edge
  nowMs = 0
  /** Variants that the parent has, by name. */
  readonly offered = new Map<string, EdgeDefinition>()
  /** The worker, and what it has answered but the edge not heard. */
  readonly worker = new WorkerReplicas({
    sha256,
    codec: plainCodec,
    evaluate: code => {
      const definition = this.offered.get(decodeUtf8(code) ?? '')
      if (definition === undefined) throw new Error('no such variant')
      return definition
    },
  })
  readonly answers: ReplicaWorkerInput[] = []
  /** False while the worker and the sockets of transfers only get on by `work` and `sendOn`. */
  isSwift = true
  readonly transfers = new Map<ViewerId, { transfer: TransferId; frames: Uint8Array[] }>()
  /** What each viewer received. */
  readonly received = new Map<ViewerId, Received[]>()
  /** Who is in each cohort. */
  readonly cohorts = new Map<CohortId, Set<ViewerId>>()
  /** Cohorts that each lagging viewer has left, and where it stands in them. */
  readonly lagging = new Map<ViewerId, Map<CohortId, number | undefined>>()
  /** The mark of the last effect of a cohort that each of its members took. */
  readonly #marks = new Map<CohortId, Map<ViewerId, number>>()
  /** Signals for viewers that lag, the latest of each key. */
  readonly #signals = new Map<ViewerId, Map<string, Uint8Array>>()
  #effects: EdgeEffect[] = []
  readonly #parent = new ProjectingParent()
  /** What the rim has to tell after the effects at hand. */
  readonly #reports: EdgeInput[] = []

  /** What tenants may have; `setQuota` changes it. */
  readonly #quotas = new Map<string, NonNullable<ReturnType<ViewerQuotaOf>>>()

  constructor(limits: RigLimits = {}, ring: Partial<RingLimits> = {}) {
    this.edge = new Edge({
      quotaOf: tenant => this.#quotas.get(tenant),
      sha256: (input, target, offset) => {
        this.#stumble()
        sha256(input, target, offset)
      },
      prng: new Prng('edge'),
      wallClockMs: () => {
        this.#stumble()
        return startMs + this.nowMs
      },
      limits: {
        follower: { ...followerLimits(ring), largeStateBytes: limits.largeStateBytes },
        lingerMs: 500,
        documentsPerViewerMax: 10,
        documentsMax: 100,
        ...limits,
      },
    })
    // Of large documents the worker needs the text of the variant, which comes from the parent.
    if (limits.largeStateBytes === undefined) this.load('open', define())
    else this.offered.set('open', define())
  }

  /** A tenant may have this from now on; nothing bounds it where nothing is said. */
  setQuota(
    quota: { viewersMax?: number; bytesPerSecondMax?: number | undefined } | undefined,
    tenant = 'acme',
  ): void {
    if (quota === undefined) this.#quotas.delete(tenant)
    else this.#quotas.set(tenant, { viewersMax: undefined, bytesPerSecondMax: undefined, ...quota })
    this.take({ kind: 'quotas-changed' })
  }

  /** While it is set, an assertion fails wherever the edge hashes something or asks for the time. */
  isStumbling = false

  #stumble(): void {
    assert(!this.isStumbling, 'nothing is planted')
  }

  /** The rim has run a variant. */
  load(name: string, definition: EdgeDefinition): void {
    this.take({ kind: 'variant-loaded', hash: hashOf(name), definition })
  }

  take(input: EdgeInput): void {
    const effects: EdgeEffect[] = []
    this.edge.receive(input, at(this.nowMs), effects)
    this.#perform(effects)
    this.#report()
  }

  #report(): void {
    for (const input of this.#reports.splice(0)) this.take(input)
    if (this.isSwift) this.finish()
  }

  /** The edge hears what the worker has answered. */
  work(): void {
    for (const input of this.answers.splice(0)) this.take(input)
  }

  /** The worker and the sockets have done all that there was to do. */
  finish(): void {
    this.work()
    // One transfer may be followed by another, to the end of the map.
    for (const id of this.transfers.keys()) this.sendOn(id)
  }

  /** A viewer's socket takes so many frames of a transfer. */
  sendOn(id: ViewerId, count = Number.POSITIVE_INFINITY): void {
    const sent = this.transfers.get(id)
    if (sent === undefined || this.lagging.has(id)) return
    for (const frame of sent.frames.splice(0, count)) this.#deliver(id, frame)
    if (sent.frames.length > 0) return
    this.transfers.delete(id)
    this.take({ kind: 'viewer-transferred', viewer: id, transfer: sent.transfer })
  }

  openParent(id = parent): void {
    const peer: PeerIdentity = { node: 'p', incarnation: '1', region: 'r', roles: [], ceiling: 239 }
    this.take({ kind: 'link-opened', link: id, peer, dialled: true })
  }

  closeParent(id = parent): void {
    this.take({ kind: 'link-closed', link: id, reason: 'gone' })
  }

  frame(...frames: LinkFrame[]): void {
    for (const frame of frames.flatMap(frame => this.#parent.project(frame))) {
      this.take({ kind: 'link-frame', link: parent, frame: encodeLinkFrame(frame) })
    }
  }

  /** The edge follows the document for a while, without a viewer. */
  follow(): void {
    const passerby = viewer(9_999)
    this.open(passerby)
    this.observe(passerby)
    this.take({ kind: 'viewer-closed', viewer: passerby })
  }

  /** The viewer shows another token. */
  renew(id: ViewerId, overrides: Partial<Grants>): void {
    this.take({ kind: 'viewer-renewed', viewer: id, grants: grants(overrides) })
  }

  open(id: ViewerId, overrides: Partial<Grants> = {}): void {
    this.take({ kind: 'viewer-opened', viewer: id, grants: grants(overrides) })
  }

  request(id: ViewerId, request: Exclude<ViewerRequest, { type: 'authenticate' }>): void {
    this.take({ kind: 'viewer-requested', viewer: id, request })
  }

  observe(
    id: ViewerId,
    overrides: { doc?: DocumentKey; from?: string; viewState?: unknown; maxRate?: number } = {},
  ): void {
    const { from, viewState, maxRate } = overrides
    const key = overrides.doc ?? doc
    this.request(id, { type: 'observe', doc: key, from, viewState, maxRate })
  }

  /** A viewer's socket is full: frames of cohorts do not reach it, and it leaves them. */
  lag(id: ViewerId): void {
    if (!this.lagging.has(id)) this.lagging.set(id, new Map())
  }

  /** Its socket has drained. */
  drain(id: ViewerId): void {
    const cohorts = [...(this.lagging.get(id) ?? [])].map(([cohort, mark]) => ({ cohort, mark }))
    this.lagging.delete(id)
    if (cohorts.length > 0) this.take({ kind: 'viewer-drained', viewer: id, cohorts })
    for (const frame of this.#signals.get(id)?.values() ?? []) this.#deliver(id, frame)
    this.#signals.delete(id)
    if (this.isSwift) this.finish()
  }

  /** Lets time pass, ticking whenever the machine wants it. */
  pass(ms: number): void {
    const end = this.nowMs + ms
    for (let turn = 0; turn < 1_000; turn++) {
      const wakeAt = this.edge.wakeAt()
      if (wakeAt === undefined || wakeAt > at(end)) break
      this.nowMs = Math.max(this.nowMs, Math.ceil(wakeAt / 1_000))
      this.turn()
    }
    this.nowMs = end
  }

  /** One turn, in which the machine does what is due now. */
  turn(): void {
    const effects: EdgeEffect[] = []
    this.edge.tick(at(this.nowMs), effects)
    this.#perform(effects)
    this.#report()
  }

  /** What the edge wanted since the last time. */
  effects(): EdgeEffect[] {
    return this.#effects.splice(0)
  }

  /** Frames to the parent since the last time, for any; the other effects are forgotten. */
  sent(): LinkFrame[] {
    return this.effects().flatMap(effect =>
      effect.kind === 'link-send' ? (decodeLinkFrame(effect.frame) ?? []) : [],
    )
  }

  /** What a viewer received since the last time. */
  got(id: ViewerId): ViewerFrame[] {
    return (this.received.get(id)?.splice(0) ?? []).map(({ frame }) => frame)
  }

  #perform(effects: readonly EdgeEffect[]): void {
    this.#effects.push(...effects)
    for (const effect of effects) {
      if ('replica' in effect) this.answers.push(...this.worker.perform(effect))
      else if (effect.kind === 'viewer-transfer') {
        const { viewer, transfer, frames } = effect
        this.transfers.set(viewer, { transfer, frames: [...frames] })
      } else if (effect.kind === 'transfer-end') {
        const isSent = this.transfers.get(effect.viewer)?.transfer === effect.transfer
        if (isSent) this.transfers.delete(effect.viewer)
      } else if (effect.kind === 'load-variant') {
        const name = decodeUtf8(effect.variant.code) ?? ''
        const definition = this.offered.get(name)
        if (definition === undefined) continue
        this.#reports.push({ kind: 'variant-loaded', hash: hashOf(name), definition })
      } else if (effect.kind === 'link-send') this.#answerParent(effect.frame)
      else if (effect.kind === 'viewer-send') this.#deliver(effect.viewer, effect.frame)
      else if (effect.kind === 'cohort-enter') this.#enter(effect)
      else if (effect.kind === 'cohort-exit') {
        this.#cohort(effect.cohort).delete(effect.viewer)
        this.lagging.get(effect.viewer)?.delete(effect.cohort)
      } else if (effect.kind === 'cohort-send') this.#fanOut(effect)
      else if (effect.kind === 'cohort-move') this.#move(effect)
      else if (effect.kind === 'viewer-signal') this.#signal(effect.viewer, effect)
      else if (effect.kind === 'cohort-signal') {
        const lagging = [...this.lagging].filter(([, left]) => left.has(effect.cohort))
        const members = [...this.#cohort(effect.cohort), ...lagging.map(([id]) => id)]
        for (const id of new Set(members)) this.#signal(id, effect)
      }
    }
  }

  /** The parent has the variants that are offered. */
  #answerParent(bytes: Uint8Array): void {
    const frame = decodeLinkFrame(bytes)
    if (frame?.kind !== 'request-variant') return
    for (const name of this.offered.keys()) {
      if (hashOf(name) !== toHex(frame.hash)) continue
      const answer = encodeLinkFrame({ kind: 'variant', variant: variantOf(name) })
      this.#reports.push({ kind: 'link-frame', link: parent, frame: answer })
    }
  }

  #enter({ cohort, viewer, mark }: { cohort: CohortId; viewer: ViewerId; mark: number }): void {
    this.#cohort(cohort).add(viewer)
    this.#took(cohort, viewer, mark)
    this.lagging.get(viewer)?.delete(cohort)
  }

  #took(cohort: CohortId, viewer: ViewerId, mark: number): void {
    const marks = this.#marks.get(cohort) ?? new Map<ViewerId, number>()
    this.#marks.set(cohort, marks.set(viewer, mark))
  }

  #signal(viewer: ViewerId, { key, frame }: { key: string; frame: Uint8Array }): void {
    const signals = this.#signals.get(viewer) ?? new Map<string, Uint8Array>()
    if (!this.lagging.has(viewer)) this.#deliver(viewer, frame)
    else this.#signals.set(viewer, signals.set(key, frame))
  }

  #move({ viewer, from, to, frame, mark }: Extract<EdgeEffect, { kind: 'cohort-move' }>): void {
    const lagging = this.lagging.get(viewer)
    if (this.#cohort(from).delete(viewer)) {
      if (frame !== undefined) this.#deliver(viewer, frame)
      this.#enter({ cohort: to, viewer, mark })
    } else if (lagging?.has(from) === true) {
      const stands = from === to ? lagging.get(from) : undefined
      lagging.delete(from)
      lagging.set(to, stands)
    } else {
      const stands = from === to ? this.#marks.get(from)?.get(viewer) : undefined
      const cohorts = [{ cohort: to, mark: stands }]
      this.#reports.push({ kind: 'viewer-drained', viewer, cohorts })
    }
  }

  #fanOut({ cohort, frame, mark }: Extract<EdgeEffect, { kind: 'cohort-send' }>): void {
    for (const id of [...this.#cohort(cohort)]) {
      const left = this.lagging.get(id)
      if (left === undefined) {
        this.#deliver(id, frame)
        this.#took(cohort, id, mark)
      } else {
        left.set(cohort, this.#marks.get(cohort)?.get(id))
        this.#cohort(cohort).delete(id)
      }
    }
  }

  #cohort(cohort: CohortId): Set<ViewerId> {
    const members = this.cohorts.get(cohort) ?? new Set()
    this.cohorts.set(cohort, members)
    return members
  }

  #deliver(id: ViewerId, bytes: Uint8Array): void {
    const list = this.received.get(id) ?? []
    this.received.set(id, list)
    list.push({ frame: JSON.parse(Buffer.from(bytes).toString()), bytes })
  }
}

/** An edge with a parent, live at the tenth record, and one viewer. */
export function live(limits: Partial<EdgeLimits> = {}, ring: Partial<RingLimits> = {}): Rig {
  const rig = new Rig(limits, ring)
  rig.openParent()
  rig.open(viewer(1))
  rig.observe(viewer(1))
  rig.frame(welcome('snapshot', 10), ...snapshot(10))
  rig.got(viewer(1))
  rig.effects()
  return rig
}

/** From and to of each frame, as text: `=10` a snapshot, `10>11` a delta, else its type. */
export const rangesOf = (frames: readonly ViewerFrame[]): string[] =>
  frames.map(frame =>
    frame.type === 'snapshot'
      ? `=${frame.seq}`
      : frame.type === 'delta'
        ? `${frame.from}>${frame.seq}`
        : frame.type === 'status'
          ? frame.status
          : frame.type,
  )
