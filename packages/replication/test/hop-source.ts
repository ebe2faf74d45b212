/*
 * One hop of the tree as a source of records: each read is by a child that held the document up to
 * some place, lost its link, and joins again when the parent has the whole log.
 */
import { type RecordSource, type SourcePart, sha256 } from '@fanfold/conformance'
import { Chain, Replica } from '@fanfold/document'
import { Prng } from '@fanfold/kernel'
import {
  decodeLinkFrame,
  type LinkEffect,
  type LinkId,
  type LogRecord,
  type Position,
} from '@fanfold/protocol'
import { ChildLinks } from '../src/child-links.ts'
import { Downstream } from '../src/downstream.ts'
import { RecordRing } from '../src/record-ring.ts'
import { Upstream } from '../src/upstream.ts'
import type { UpstreamEvent } from '../src/upstream-event.ts'
import { at, doc, link, ringLimits } from './build-stream.ts'
import { upstreamNode } from './build-upstream.ts'

/** Records that the parent holds; who lacks more gets a snapshot. */
const ringRecordsMax = 12
/** Longest frame beyond the credit that may be under way: one record over it, or the snapshot. */
const beyondCreditBytes = 8_192

/** A parent and one child. */
class Pair {
  readonly #ring = new RecordRing(ringLimits({ recordsMax: ringRecordsMax }))
  readonly #replica = new Replica(sha256)
  readonly #children: ChildLinks
  readonly #upstream: Upstream
  readonly #toChild: Uint8Array[] = []
  readonly #effects: LinkEffect[] = []
  #link: LinkId = link(0)

  constructor(creditBytes: number) {
    this.#upstream = new Upstream({
      doc,
      prng: new Prng('hop'),
      node: upstreamNode({ creditBytes }),
    })
    this.#children = new ChildLinks({
      join: (_, request) => downstream.join(request, this.#replica.position, this.#effects),
      downstream: () => downstream,
      left: () => undefined,
      flush: key => {
        if (downstream.flush(this.#effects)) this.#children.hasMore(key)
      },
      variant: () => undefined,
      signal: () => undefined,
    })
    const downstream: Downstream = new Downstream({
      doc,
      channel: this.#children.assignChannel(doc),
      ring: this.#ring,
      chain: new Chain(sha256),
      source: this.#replica,
      ceiling: () => 239,
    })
  }

  /** Bytes of frames on their way to the child. */
  get unreadBytes(): number {
    return this.#toChild.reduce((sum, frame) => sum + frame.length, 0)
  }

  publish(records: readonly LogRecord[]): void {
    for (const record of records) {
      this.#ring.push(record, at(0))
      this.#replica.append(record)
    }
    this.#children.hasMore(doc)
  }

  /** The child joins over a new link. */
  connect(): void {
    this.#link = link(this.#link + 1)
    const peer = { node: 'child', incarnation: '1', region: 'r', roles: [], ceiling: 239 }
    const opened = { kind: 'link-opened', link: this.#link, peer, dialled: false } as const
    this.#children.receive(opened, this.#effects)
    const effects: LinkEffect[] = []
    this.#upstream.attach(this.#link, at(0), effects)
    this.#carryUp(effects)
  }

  /** What was under way is lost. */
  cut(): void {
    this.#upstream.detach()
    const closed = { kind: 'link-closed', link: this.#link, reason: 'cut' } as const
    this.#children.receive(closed, this.#effects)
    this.#effects.length = 0
    this.#toChild.length = 0
  }

  /** What the child makes of the next frame; undefined when there is none. */
  next(): readonly UpstreamEvent[] | undefined {
    this.#carryDown()
    const bytes = this.#toChild.shift()
    const frame = bytes && decodeLinkFrame(bytes)
    if (frame === undefined) return undefined
    const effects: LinkEffect[] = []
    const events = this.#upstream.receive(frame, at(0), effects)
    this.#carryUp(effects)
    this.#carryDown()
    return events
  }

  #carryUp(effects: readonly LinkEffect[]): void {
    for (const effect of effects) {
      if (effect.kind !== 'link-send') continue
      const input = { kind: 'link-frame', link: this.#link, frame: effect.frame } as const
      this.#children.receive(input, this.#effects)
    }
  }

  /** The parent sends as much as it may. */
  #carryDown(): void {
    while (this.#children.hasBusy) this.#children.flushNext(this.#effects)
    for (const effect of this.#effects.splice(0)) {
      if (effect.kind === 'link-send') this.#toChild.push(effect.frame)
    }
  }
}

/** A source whose readers are children of a parent, each with so much credit. */
export function hopSource(records: readonly LogRecord[], creditBytes: number): RecordSource {
  const pairs = new Set<Pair>()
  return {
    async *read(from: Position): AsyncGenerator<SourcePart> {
      const pair = new Pair(creditBytes)
      if (from.seq > 0) {
        pair.publish(records.slice(0, from.seq))
        pair.connect()
        while (pair.next() !== undefined);
        pair.cut()
      }
      pair.publish(records.slice(from.seq))
      pair.connect()
      pairs.add(pair)
      try {
        for (let events = pair.next(); events !== undefined; events = pair.next()) {
          for (const event of events) {
            if (event.kind === 'reset') yield { kind: 'snapshot', snapshot: event.snapshot }
            else if (event.kind === 'records') yield { kind: 'records', records: event.records }
          }
        }
      } finally {
        pairs.delete(pair)
      }
    },
    unread: () => ({
      bytes: Math.max(0, ...[...pairs].map(pair => pair.unreadBytes)),
      bytesMax: creditBytes + beyondCreditBytes,
    }),
    close: async () => undefined,
  }
}
