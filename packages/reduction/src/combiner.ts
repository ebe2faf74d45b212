/*
 * A tier between edges and the authority, for one document: takes an aggregate of each child, merges what there
 * is, and has one under way at a time; while it is, the next one grows. So the tier above gets as many as it
 * answers, whatever the number of children, and each is as large as its bound.
 *
 * Nothing here is remembered over a crash, and nothing need be: what a child has not been told of it sends again,
 * here or elsewhere, and the ledger tells what of it counted. Aggregates are never taken apart: when one is refused
 * that was merged of several, those that are not the reason are merged anew, and the child that is, is told.
 */
import { assert } from '@fanfold/kernel'
import { type Aggregate, mergeAggregates } from './aggregate.ts'
import type { Range, Standing } from './ranges.ts'

/** What a child has under way. */
type Held = {
  /** Which one of the child's it is: the answer says so. */
  readonly number: number
  readonly aggregate: Aggregate
}

/** What a child is told. */
export type ChildAnswer<Child> = {
  readonly child: Child
  readonly number: number
  /** Of all sessions that its aggregate covers, in their order. */
  readonly standings: readonly Standing[]
}

/** What is sent up. */
export type Sent = { readonly number: number; readonly aggregate: Aggregate }

/** Merges what children say of one document. */
export class Combiner<Child> {
  readonly #held = new Map<Child, Held>()
  /** Those whose aggregates are in what is under way. */
  #underWay: ReadonlyMap<Child, Held> | undefined
  #lastNumber = 0

  /** True while an answer from above is waited for. */
  get isWaiting(): boolean {
    return this.#underWay !== undefined
  }

  /** True when nothing is held, and nothing under way. */
  get isIdle(): boolean {
    return this.#held.size === 0 && this.#underWay === undefined
  }

  /** What is held of whom, in the order in which it goes up; of it `isUnderWay` what is answered next. */
  get held(): { child: Child; number: number; ranges: readonly Range[]; isUnderWay: boolean }[] {
    return [...this.#held].map(([child, held]) => {
      const isUnderWay = this.#underWay?.get(child) === held
      return { child, number: held.number, ranges: held.aggregate.ranges, isUnderWay }
    })
  }

  /** A child has an aggregate; its last one, if there is one, is none any more. */
  receive(child: Child, number: number, aggregate: Aggregate): void {
    this.#held.set(child, { number, aggregate })
  }

  /** The child is gone. What is under way of it may count yet. */
  leave(child: Child): void {
    this.#held.delete(child)
  }

  /** What goes up now; undefined while something is under way, or nothing is held. */
  next(): Sent | undefined {
    if (this.#underWay !== undefined || this.#held.size === 0) return undefined
    const underWay = new Map<Child, Held>()
    let merged: Aggregate | undefined
    for (const [child, held] of this.#held) {
      const both = merged === undefined ? held.aggregate : mergeAggregates(merged, held.aggregate)
      if (both === undefined) continue
      merged = both
      underWay.set(child, held)
    }
    assert(merged !== undefined, 'the first that is held goes up')
    // Who did not fit is first in the next one.
    for (const [child, held] of underWay) {
      this.#held.delete(child)
      this.#held.set(child, held)
    }
    this.#underWay = underWay
    return { number: ++this.#lastNumber, aggregate: merged }
  }

  /** The answer from above: who is to be told of it. One to what is not under way any more says nothing. */
  answered(number: number, standings: readonly Standing[]): ChildAnswer<Child>[] {
    if (this.#underWay === undefined || number !== this.#lastNumber) return []
    const bySession = new Map(standings.map(standing => [standing.session, standing]))
    const answers: ChildAnswer<Child>[] = []
    for (const [child, held] of this.#underWay) {
      // It has another one by now, or is gone: what it is told it would not understand.
      if (this.#held.get(child) !== held) continue
      const own = standingsFor(held.aggregate.ranges, bySession)
      if (own === undefined) continue
      this.#held.delete(child)
      answers.push({ child, number: held.number, standings: own })
    }
    this.#underWay = undefined
    return answers
  }

  /** There is no parent any more, or another one: what was under way is sent again. */
  interrupt(): void {
    this.#underWay = undefined
  }
}

/**
 * What the child is told; undefined when it is not to be told yet: when all its sessions are where its aggregate
 * begins, that was refused for another one's sake.
 */
function standingsFor(
  ranges: readonly Range[],
  bySession: ReadonlyMap<number, Standing>,
): Standing[] | undefined {
  const standings: Standing[] = []
  let isNext = true
  for (const { session, after } of ranges) {
    const standing = bySession.get(session)
    // An answer that leaves one out is not to what was asked.
    if (standing === undefined) return undefined
    standings.push(standing)
    if (standing.state !== 'open' || standing.upTo !== after) isNext = false
  }
  return isNext ? undefined : standings
}
