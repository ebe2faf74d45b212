/*
 * A proxy in a test's hands, with the frames of its parent and of its children.
 */
import { buildLog, sha256 } from '@fanfold/conformance'
import { encodeSnapshot, type Snapshot, type SnapshotCodec } from '@fanfold/document'
import { assert, type Instant, instant, milliseconds, Prng } from '@fanfold/kernel'
import {
  type DocumentKey,
  decodeLinkFrame,
  encodeLinkFrame,
  type LinkFrame,
  type LinkId,
  type LogRecord,
  type PeerIdentity,
  type Position,
  parseDocumentKey,
} from '@fanfold/protocol'
import { defaultUpstreamLimits, type Routes } from '@fanfold/replication'
import type { FleetTree } from '@fanfold/topology'
import type { ProxyEffect, ProxyInput, ProxyLimits } from '../src/proxy-effect.ts'
import { ProxyTier } from '../src/proxy-tier.ts'

/** The document of the tests. */
export const doc: DocumentKey = parseDocumentKey('acme/match/final')

/** Its log. */
export const log: readonly LogRecord[] = buildLog({ doc, count: 60 }).records

export const link = (number: number): LinkId => number as LinkId
export const parent: LinkId = link(100)
export const child: LinkId = link(1)

const at = (ms: number): Instant => instant(Math.round(ms * 1_000))

/** The position after the record with this seq. */
export const positionAt = (seq: number): Position => {
  const record = log[seq - 1]
  if (record === undefined) throw new Error(`the log has no record ${seq}`)
  return { epoch: record.epoch, seq, hash: record.chainHash }
}

/** What the parent calls the document. */
export const channel = 55

export const welcome = (mode: 'tail' | 'snapshot', seq: number, ceiling = 239): LinkFrame => ({
  kind: 'welcome',
  doc,
  channel,
  mode,
  head: positionAt(seq),
  ceiling,
})

/** The records of these seqs, as the parent sends them. */
export const records = (first: number, last: number): LinkFrame => ({
  kind: 'records',
  channel,
  records: log.slice(first - 1, last),
})

/** A snapshot at a seq. */
export const snapshotAt = (seq: number): Snapshot =>
  encodeSnapshot({ at: positionAt(seq), state: { n: seq }, definition: undefined, sha256 })

/** A snapshot at a seq, as the parent sends it. */
export const snapshot = (seq: number): LinkFrame[] => {
  const made = snapshotAt(seq)
  return [
    { kind: 'snapshot-begin', channel, manifest: made.manifest },
    ...made.pieces.map(
      (piece, index): LinkFrame => ({
        kind: 'snapshot-piece',
        channel,
        index,
        codec: 0,
        piece,
      }),
    ),
  ]
}

/** A proxy and what it sends. */
export class Rig {
  readonly proxy: ProxyTier
  nowMs = 0
  /** While it is set, an assertion fails wherever the proxy hashes something. */
  isStumbling = false
  readonly #effects: ProxyEffect[] = []

  constructor(
    limits: Partial<ProxyLimits> = {},
    options: {
      readonly isWarm?: boolean
      readonly codec?: SnapshotCodec
      readonly routes?: Routes
      readonly tree?: FleetTree
      readonly isFront?: boolean
    } = {},
  ) {
    this.proxy = new ProxyTier({
      ...options,
      sha256: (input, target, offset) => {
        assert(!this.isStumbling, 'nothing is planted')
        sha256(input, target, offset)
      },
      prng: new Prng('proxy'),
      limits: {
        follower: {
          ring: { recordsMax: 1_000, bytesMax: 1_000_000, ageMax: milliseconds(60_000) },
          upstream: defaultUpstreamLimits,
          pendingBytesMax: 1_000_000,
        },
        lingerMs: 500,
        ...limits,
      },
    })
  }

  open(id: LinkId, ceiling = 239, as: Partial<PeerIdentity> = {}): void {
    const unnamed = { node: `n${id}`, incarnation: '1', region: 'r', roles: [], ceiling }
    const peer: PeerIdentity = { ...unnamed, ...as }
    const dialled = id >= parent
    this.proxy.receive(
      { kind: 'link-opened', link: id, peer, dialled },
      at(this.nowMs),
      this.#effects,
    )
  }

  close(id: LinkId): void {
    const input = { kind: 'link-closed', link: id, reason: 'gone' } as const
    this.proxy.receive(input, at(this.nowMs), this.#effects)
  }

  frame(from: LinkId, ...frames: LinkFrame[]): void {
    for (const frame of frames) this.bytes(from, encodeLinkFrame(frame))
  }

  bytes(from: LinkId, frame: Uint8Array): void {
    this.proxy.receive({ kind: 'link-frame', link: from, frame }, at(this.nowMs), this.#effects)
  }

  /** An input that is no link's. */
  take(input: ProxyInput): void {
    this.proxy.receive(input, at(this.nowMs), this.#effects)
  }

  congest(id: LinkId, isCongested: boolean): void {
    const kind = isCongested ? 'link-congested' : 'link-drained'
    this.proxy.receive({ kind, link: id }, at(this.nowMs), this.#effects)
  }

  join(id = child, have?: Position): void {
    this.frame(id, { kind: 'join', doc, have, credit: 1_000_000, take: 'any', codecs: 0 })
  }

  /** Lets time pass, ticking whenever the machine wants it. */
  pass(ms: number): void {
    const end = this.nowMs + ms
    for (let turn = 0; turn < 1_000; turn++) {
      const wakeAt = this.proxy.wakeAt()
      if (wakeAt === undefined || wakeAt > at(end)) break
      this.nowMs = Math.max(this.nowMs, Math.ceil(wakeAt / 1_000))
      this.proxy.tick(at(this.nowMs), this.#effects)
    }
    this.nowMs = end
  }

  effects(): ProxyEffect[] {
    return this.#effects.splice(0)
  }

  /** Frames to a link since the last time, for any; the others are forgotten. */
  sent(to: LinkId): LinkFrame[] {
    return framesOf(this.effects(), to)
  }
}

/** Frames to a link among effects, signals too. */
export const framesOf = (effects: readonly ProxyEffect[], to: LinkId): LinkFrame[] =>
  effects.flatMap(effect =>
    (effect.kind === 'link-send' || effect.kind === 'link-signal') && effect.link === to
      ? (decodeLinkFrame(effect.frame) ?? [])
      : [],
  )

/** Effects of these kinds. */
export const effectsOf = <Kind extends ProxyEffect['kind']>(
  effects: readonly ProxyEffect[],
  ...kinds: readonly Kind[]
): Extract<ProxyEffect, { kind: Kind }>[] =>
  effects.filter((effect): effect is Extract<ProxyEffect, { kind: Kind }> =>
    kinds.some(kind => kind === effect.kind),
  )

/** The seqs of all records in frames, in order. */
export const seqsOf = (frames: readonly LinkFrame[]): number[] =>
  frames.flatMap(frame =>
    frame.kind === 'records' || frame.kind === 'replay' ? frame.records.map(({ seq }) => seq) : [],
  )

/** Events among effects. */
export const factsOf = (effects: readonly ProxyEffect[]): string[] =>
  effects.flatMap(effect => (effect.kind === 'fact' ? [effect.fact.event] : []))

/** A proxy with a parent and a child that is up to date at the tenth record. */
export function live(
  limits: Partial<ProxyLimits> = {},
  options: { readonly isFront?: boolean } = {},
): Rig {
  const rig = new Rig(limits, options)
  rig.open(parent)
  rig.open(child)
  rig.join()
  rig.frame(parent, welcome('snapshot', 10), ...snapshot(10))
  rig.effects()
  return rig
}
