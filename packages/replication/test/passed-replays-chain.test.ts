import { sha256 } from '@fanfold/conformance'
import { Chain } from '@fanfold/document'
import { Prng } from '@fanfold/kernel'
import type { LinkEffect, LinkFrame } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import { PassedReplays } from '../src/passed-replays.ts'
import type { Replays } from '../src/replays.ts'
import { doc, framesOf, link } from './build-stream.ts'
import { bytesEach, replayedIn, requestOf, ServingRig, seqs } from './replay-rig.ts'

const first = link(1)

/** A node with a log, nodes that pass replays on, and a child at the end. */
class PassedChain {
  heldMost = 0
  readonly heldBound: number
  readonly #top = new ServingRig()
  readonly #nodes: PassedReplays[]
  /** What is on its way down to each node, and to the child last. */
  readonly #down: LinkFrame[][]
  readonly #taken: (number | string)[] = []
  readonly #effects: LinkEffect[] = []

  constructor(length: number, credit: number) {
    this.heldBound = credit + 2 * bytesEach + 1_000
    this.#down = Array.from({ length: length + 1 }, () => [])
    this.#nodes = Array.from(
      { length },
      (_, index) =>
        new PassedReplays({
          chain: new Chain(sha256),
          prng: new Prng(`${index}`),
          held: () => undefined,
          above: {
            ask: ({ have, credit }) => {
              this.#at(index - 1).request(doc, requestOf({ have, credit }), this.#effects)
              return 1
            },
            credit: (replay, bytes) => this.#at(index - 1).credit(first, replay, bytes),
            leave: replay => this.#at(index - 1).leave(first, replay),
          },
          note: () => undefined,
        }),
    )
    this.#at(length - 1).request(doc, requestOf({ credit }), this.#effects)
  }

  step(batch: number, carried: number, turns: number): void {
    this.#top.answer(1, batch)
    this.#deliver(0, framesOf(this.#top.turns(turns)))
    for (const [index, node] of this.#nodes.entries()) {
      for (const frame of this.#down[index]?.splice(0, carried) ?? []) {
        if (frame.kind === 'replay' || frame.kind === 'replay-ended') node.receive(frame)
      }
      for (let turn = 0; turn < turns && node.hasMore; turn++) node.sendNext(this.#effects)
      this.#deliver(index + 1, framesOf(this.#effects.splice(0)))
    }
    const last = this.#down.length - 1
    const held = this.#down.slice(0, last).map(frames => bytesOf(frames))
    this.heldMost = Math.max(this.heldMost, ...held)
    for (const frame of this.#down[last]?.splice(0, carried) ?? []) this.#take(frame)
  }

  settle(): (number | string)[] {
    for (let round = 0; round < 2_000 && !this.#taken.includes('end'); round++) this.step(10, 4, 4)
    return this.#taken
  }

  #take(frame: LinkFrame): void {
    if (frame.kind === 'replay-ended') this.#taken.push('end')
    this.#taken.push(...replayedIn([frame]))
    const bytes = bytesOf([frame])
    if (bytes > 0) this.#at(this.#nodes.length - 1).credit(first, 1, bytes)
  }

  #deliver(to: number, frames: readonly LinkFrame[]): void {
    this.#down[to]?.push(...frames)
  }

  /** A node, or the top at −1. */
  #at(index: number): Replays {
    return this.#nodes[index] ?? this.#top.replays
  }
}

const bytesOf = (frames: readonly LinkFrame[]): number =>
  frames
    .flatMap(frame => (frame.kind === 'replay' ? frame.records : []))
    .reduce((sum, { bytes }) => sum + bytes.length, 0)

t.test('through nodes that pass it on, a replay is the log', async t => {
  const step = fc.record({
    batch: fc.integer({ min: 1, max: 30 }),
    carried: fc.nat(4),
    turns: fc.nat(3),
  })
  const holds = fc.property(
    fc.array(step, { maxLength: 60 }),
    fc.integer({ min: 1, max: 30 }),
    (steps, credit) => {
      const chain = new PassedChain(3, credit * bytesEach)
      for (const { batch, carried, turns } of steps) chain.step(batch, carried, turns)
      return chain.settle().join() === `${seqs(1, 200)},end` && chain.heldMost <= chain.heldBound
    },
  )
  t.doesNotThrow(() => fc.assert(holds, { numRuns: 100 }))
})
