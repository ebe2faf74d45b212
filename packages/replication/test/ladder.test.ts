/*
 * What may happen to a stream, at random, with two parents: whatever it is, nothing that does not verify
 * is applied, and in the end the child is where the authority is.
 */
import { sha256 } from '@fanfold/conformance'
import { equalBytes, type Instant, Prng } from '@fanfold/kernel'
import type { LinkId, LogRecord, Position } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import { Following } from '../src/following.ts'
import type { FollowingEvent } from '../src/following-event.ts'
import type { FollowingEffect } from '../src/parent-effect.ts'
import { defaultUpstreamLimits } from '../src/upstream-limits.ts'
import { after, at, doc, link, recordsOf, ringLimits } from './build-stream.ts'
import { type Fault, FaultyParent, type ParentMood } from './faulty-parent.ts'

const log: readonly LogRecord[] = recordsOf(120)
const peer = { node: 'parent', incarnation: '1', region: 'r', roles: [], ceiling: 239 }

/** A child, two parents and the links between, on a clock of the test. */
class Tree {
  readonly problems: string[] = []
  readonly #following: Following
  readonly #parents: readonly FaultyParent[]
  /** Links that are open, with the parent at their other end. */
  readonly #links = new Map<LinkId, FaultyParent>()
  readonly #effects: FollowingEffect[] = []
  #wanted = 1
  #nextLink = 1
  #nowMs = 0
  #seq = 0
  #resetSeq = 0

  constructor(parents: readonly FaultyParent[], isStateNeeded: boolean, seed: number) {
    this.#parents = parents
    this.#following = new Following({
      sha256,
      prng: new Prng(`ladder ${seed}`),
      limits: {
        ring: ringLimits({ recordsMax: 20 }),
        upstream: defaultUpstreamLimits,
        pendingBytesMax: 2_000,
        largeStateBytes: isStateNeeded ? 100_000 : 10_000_000,
      },
      lingerMs: 1_000,
      tell: (_, event) => this.#check(event),
      tellVariant: () => undefined,
      isStateNeeded,
    })
    this.#following.follow(doc, this.#now, this.#effects)
    this.#fill()
  }

  get #now(): Instant {
    return at(this.#nowMs)
  }

  /** Where the child is. */
  get position(): Position | undefined {
    return this.#following.get(doc)?.replica.position
  }

  get state(): unknown {
    return this.#following.get(doc)?.replica.state()
  }

  /** What is handed on is the authority's, in order. */
  #check(event: FollowingEvent): void {
    if (event.kind === 'records') {
      for (const record of event.records) {
        // Told of a reset, the role sees the records behind it already.
        if (record.seq <= this.#resetSeq) continue
        if (record.seq !== this.#seq + 1) this.problems.push(`${record.seq} after ${this.#seq}`)
        this.#seq = record.seq
        const own = log[record.seq - 1]
        if (own === undefined || !equalBytes(own.bytes, record.bytes)) {
          this.problems.push(`the record ${record.seq} is another one`)
        }
      }
    } else if (event.kind === 'reset') {
      const { seq, hash } = this.position ?? after(undefined)
      if (seq < this.#seq) this.problems.push(`back from ${this.#seq} to ${seq}`)
      if (!equalBytes(after(log[seq - 1]).hash, hash)) this.problems.push(`another hash at ${seq}`)
      this.#seq = seq
      this.#resetSeq = seq
    }
  }

  /** A link is cut; the driver dials again. */
  cut(): void {
    const [link] = this.#links.keys()
    if (link !== undefined) this.#close(link)
    this.#fill()
  }

  /** Lets so much time pass, in steps in which everything under way arrives. */
  pass(ms: number): void {
    const end = this.#nowMs + ms
    for (let step = 0; step < 20_000; step++) {
      this.#carry()
      const wakeAt = this.#following.wakeAt()
      if (wakeAt !== undefined && wakeAt > at(end)) break
      if (wakeAt === undefined) break
      this.#nowMs = Math.max(this.#nowMs, Math.ceil(wakeAt / 1_000))
      this.#following.tick(this.#now, this.#effects)
    }
    this.#nowMs = end
  }

  #carry(): void {
    for (;;) {
      this.#perform()
      const open = [...this.#links].find(([, parent]) => !parent.isQuiet)
      if (open === undefined) return
      const [link, parent] = open
      const frame = parent.next()
      if (frame !== undefined) {
        this.#following.receive({ kind: 'link-frame', link, frame }, this.#now, this.#effects)
      }
    }
  }

  #perform(): void {
    for (const effect of this.#effects.splice(0)) {
      if (effect.kind === 'link-send') this.#links.get(effect.link)?.receive(effect.frame)
      else if (effect.kind === 'link-close') this.#close(effect.link)
      else if (effect.kind === 'want-parents') this.#wanted = effect.count
    }
    this.#fill()
    if (this.#effects.length > 0) this.#perform()
  }

  /** As many links as are wanted. */
  #fill(): void {
    while (this.#links.size > this.#wanted) this.#close([...this.#links.keys()].at(-1) ?? link(0))
    while (this.#links.size < Math.min(this.#wanted, this.#parents.length)) {
      const connected = [...this.#links.values()]
      const parent = this.#parents.find(parent => !connected.includes(parent))
      if (parent === undefined) return
      const to = link(this.#nextLink++)
      parent.reset()
      this.#links.set(to, parent)
      const input = { kind: 'link-opened', link: to, peer, dialled: true } as const
      this.#following.receive(input, this.#now, this.#effects)
    }
  }

  #close(link: LinkId): void {
    if (!this.#links.delete(link)) return
    const input = { kind: 'link-closed', link, reason: 'cut' } as const
    this.#following.receive(input, this.#now, this.#effects)
  }
}

const fault: fc.Arbitrary<Fault> = fc.oneof(
  fc.constant<Fault>({ kind: 'lost' }),
  fc.constant<Fault>({ kind: 'twice' }),
  fc.record({ kind: fc.constant('flipped' as const), bit: fc.nat(2_000) }),
)

const mood: fc.Arbitrary<ParentMood> = fc.record({
  faults: fc
    .array(fc.tuple(fc.nat(40), fault), { maxLength: 12 })
    .map(list => new Map<number, Fault>(list)),
  isSnapshotBad: fc.boolean(),
  tailMax: fc.integer({ min: 0, max: 30 }),
})

const step = fc.oneof(
  fc.record({ kind: fc.constant('publish' as const), count: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ kind: fc.constant('pass' as const), count: fc.nat(3_000) }),
  fc.record({ kind: fc.constant('cut' as const), count: fc.constant(0) }),
)

t.test('whatever is lost or damaged, the child ends where the authority is', async t => {
  const holds = fc.property(
    fc.tuple(mood, mood),
    fc.array(step, { maxLength: 8 }),
    fc.integer({ min: 1, max: 40 }),
    fc.boolean(),
    fc.nat(1_000),
    (moods, steps, head, isStateNeeded, seed) => {
      const parents = moods.map(mood => new FaultyParent(log, head, mood))
      const tree = new Tree(parents, isStateNeeded, seed)
      let last = head
      for (const { kind, count } of steps) {
        if (kind === 'cut') tree.cut()
        else if (kind === 'pass') tree.pass(count)
        else for (const parent of parents) parent.publish(count)
        if (kind === 'publish') last = Math.min(last + count, log.length)
      }
      // Once nothing is lost any more, what a parent says of its head shows what was.
      for (let round = 0; round < 60; round++) {
        for (const parent of parents) parent.tellHead()
        tree.pass(1_000)
      }
      const { seq, hash } = tree.position ?? after(undefined)
      const isThere = seq === last && equalBytes(hash, after(log[last - 1]).hash)
      if (!isThere) tree.problems.push(`at ${seq} of ${last}`)
      const state = tree.state as { n?: number } | undefined
      if (state?.n !== last && last > 1) tree.problems.push(`n is ${state?.n}`)
      if (tree.problems.length > 0) throw new Error(tree.problems.join('; '))
    },
  )
  t.doesNotThrow(() => fc.assert(holds, { numRuns: 200 }))
})
