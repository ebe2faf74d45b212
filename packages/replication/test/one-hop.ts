/*
 * One hop in a test's hands: a parent and real children, with pipes between them that carry what the
 * test lets through.
 */
import { sha256 } from '@fanfold/conformance'
import { Chain, Replica } from '@fanfold/document'
import { Prng } from '@fanfold/kernel'
import { decodeLinkFrame, type LinkEffect, type LinkId, type LogRecord } from '@fanfold/protocol'
import { ChildLinks } from '../src/child-links.ts'
import { Downstream } from '../src/downstream.ts'
import { RecordRing } from '../src/record-ring.ts'
import { Upstream } from '../src/upstream.ts'
import type { UpstreamEvent } from '../src/upstream-event.ts'
import { at, doc, link, recordsOf, ringLimits } from './build-stream.ts'
import { upstreamNode } from './build-upstream.ts'

/** The log that the parent publishes. */
export const published: readonly LogRecord[] = recordsOf(400)

/** A child with all that it was told. */
export class Child {
  readonly upstream: Upstream
  readonly replica = new Replica(sha256)
  readonly toParent: Uint8Array[] = []
  readonly toChild: Uint8Array[] = []
  /** Seqs as they were handed on: a reset is the seq of its snapshot. */
  readonly problems: string[] = []
  isCongested = false
  isJoined = false

  constructor(seed: string, creditBytes: number) {
    this.upstream = new Upstream({
      doc,
      prng: new Prng(seed),
      node: upstreamNode({ creditBytes }),
    })
  }

  keep(events: readonly UpstreamEvent[]): void {
    for (const event of events) {
      if (event.kind === 'reset') this.#reset(event.snapshot)
      else if (event.kind === 'records') for (const record of event.records) this.#append(record)
      else if (event.kind === 'resync') this.problems.push(`resync ${event.reason}`)
    }
  }

  #reset(snapshot: Parameters<Replica['reset']>[0]): void {
    if (snapshot.manifest.at.seq < this.replica.position.seq) this.problems.push('went back')
    this.replica.reset(snapshot)
  }

  #append(record: LogRecord): void {
    if (record.seq !== this.replica.position.seq + 1) this.problems.push(`a hole at ${record.seq}`)
    this.replica.append(record)
  }
}

/** A parent with children. */
export class Hop {
  readonly children: Child[]
  readonly #ring = new RecordRing(ringLimits({ recordsMax: 12 }))
  readonly #replica = new Replica(sha256)
  readonly #downstream: Downstream
  readonly #links: ChildLinks
  readonly #effects: LinkEffect[] = []
  #published = 0
  #nowMs = 0

  constructor(childCount: number, creditBytes: number) {
    this.children = Array.from(
      { length: childCount },
      (_, index) => new Child(`child ${index}`, creditBytes),
    )
    const owner = {
      join: (_: unknown, request: Parameters<Downstream['join']>[0]) => {
        this.#downstream.join(request, this.#replica.position, this.#effects)
        this.#flush()
      },
      downstream: () => this.#downstream,
      left: () => undefined,
      flush: () => this.#flush(),
      variant: () => undefined,
      signal: () => undefined,
    }
    this.#links = new ChildLinks(owner)
    this.#downstream = new Downstream({
      doc,
      channel: this.#links.assignChannel(doc),
      ring: this.#ring,
      chain: new Chain(sha256),
      source: this.#replica,
      ceiling: () => 239,
    })
    for (const index of this.children.keys()) {
      const peer = { node: `n${index}`, incarnation: '1', region: 'r', roles: [], ceiling: 239 }
      const input = { kind: 'link-opened', link: link(index), peer, dialled: false } as const
      this.#links.receive(input, this.#effects)
    }
    this.publish(1)
  }

  publish(count: number): void {
    for (const record of published.slice(this.#published, this.#published + count)) {
      this.#ring.push(record, at(this.#nowMs))
      this.#replica.append(record)
      this.#published++
    }
    this.#flush()
  }

  /** The child begins, or begins again, over its link. */
  attach(child: Child): void {
    child.isJoined = true
    const effects: LinkEffect[] = []
    child.upstream.attach(link(0), at(this.#nowMs), effects)
    this.#sendUp(child, effects)
  }

  leave(child: Child): void {
    child.isJoined = false
    const effects: LinkEffect[] = []
    child.upstream.leave(effects)
    this.#sendUp(child, effects)
    // The rest of the stream is under way and belongs to nobody: a new link begins empty.
    this.carryUp(child, Number.POSITIVE_INFINITY)
    child.toChild.splice(0)
  }

  congest(child: Child, isCongested: boolean): void {
    child.isCongested = isCongested
    const kind = isCongested ? 'link-congested' : 'link-drained'
    this.#links.receive({ kind, link: this.#linkOf(child) }, this.#effects)
    this.#flushBusy()
  }

  /** Lets at most so many frames through, up. */
  carryUp(child: Child, count: number): void {
    for (const frame of child.toParent.splice(0, count)) {
      this.#links.receive({ kind: 'link-frame', link: this.#linkOf(child), frame }, this.#effects)
    }
    this.#flushBusy()
  }

  /** Lets at most so many frames through, down. */
  carryDown(child: Child, count: number): void {
    for (const bytes of child.toChild.splice(0, count)) {
      const frame = decodeLinkFrame(bytes)
      const effects: LinkEffect[] = []
      if (frame !== undefined) {
        child.keep(child.upstream.receive(frame, at(this.#nowMs), effects))
      }
      this.#sendUp(child, effects)
    }
  }

  /** Everything congested drains, everything under way arrives, every wait ends. */
  settle(): void {
    for (let round = 0; round < 200; round++) {
      let isQuiet = true
      for (const child of this.children) {
        if (!child.isJoined) this.attach(child)
        if (child.isCongested) this.congest(child, false)
        if (child.toParent.length + child.toChild.length > 0) isQuiet = false
        this.carryUp(child, Number.POSITIVE_INFINITY)
        this.carryDown(child, Number.POSITIVE_INFINITY)
      }
      this.#flush()
      if (isQuiet) return
    }
  }

  #linkOf(child: Child): LinkId {
    return link(this.children.indexOf(child))
  }

  #flushBusy(): void {
    while (this.#links.hasBusy) this.#links.flushNext(this.#effects)
    this.#carry()
  }

  #flush(): void {
    for (let turn = 0; turn < 100 && this.#downstream.flush(this.#effects); turn++);
    this.#carry()
  }

  #carry(): void {
    for (const effect of this.#effects.splice(0)) {
      if (effect.kind === 'link-send') this.children[effect.link]?.toChild.push(effect.frame)
    }
  }

  #sendUp(child: Child, effects: readonly LinkEffect[]): void {
    for (const effect of effects) if (effect.kind === 'link-send') child.toParent.push(effect.frame)
  }
}
