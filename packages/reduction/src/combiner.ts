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
import { mergeContents } from './content.ts'
import { crowdLimits } from './crowd-limits.ts'
import type { Downward, Upward } from './exchange.ts'
import { type Range, type Standing, sorted } from './ranges.ts'

/** What a child has under way. */
type Held = Upward & {
  /** Which one of the child's it is: the answer says so. */
  readonly number: number
}

/** What a child is told. */
export type ChildAnswer<Child> = {
  readonly child: Child
  readonly number: number
  readonly answer: Downward
}

/** Merges what children say of one document. */
export class Combiner<Child> {
  readonly #held = new Map<Child, Held>()
  /** Those whose aggregates are in what is under way. */
  #underWay: ReadonlyMap<Child, Held> | undefined

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
      return { child, number: held.number, ranges: held.aggregate?.ranges ?? [], isUnderWay }
    })
  }

  /** A child says something; what it said last, if that is still here, is void. */
  receive(child: Child, number: number, { asked, aggregate }: Upward): void {
    // Who asks for more than is asked for at a time asks again for the others.
    this.#held.set(child, { number, asked: Math.min(asked, crowdLimits.askedMax), aggregate })
  }

  /** The child is gone. What is under way of it may count yet. */
  leave(child: Child): void {
    this.#held.delete(child)
  }

  /** What goes up now; undefined while something is under way, or nothing is held. */
  next(): Upward | undefined {
    if (this.#underWay !== undefined || this.#held.size === 0) return undefined
    const picked = this.#pick()
    let content = mergeContents(picked.flatMap(([, { aggregate }]) => aggregate?.content ?? []))
    while (content === undefined) {
      assert(picked.length > 1, 'what one child says is not too much for one')
      picked.length = Math.ceil(picked.length / 2)
      content = mergeContents(picked.flatMap(([, { aggregate }]) => aggregate?.content ?? []))
    }
    // Who did not fit is first in the next one.
    for (const [child, held] of picked) {
      this.#held.delete(child)
      this.#held.set(child, held)
    }
    this.#underWay = new Map(picked)
    const ranges = sorted(picked.flatMap(([, { aggregate }]) => aggregate?.ranges ?? []))
    return {
      asked: picked.reduce((sum, [, { asked }]) => sum + asked, 0),
      aggregate: ranges.length === 0 ? undefined : { ranges, content },
    }
  }

  /** Those that go together: no session is in two of them, and together they are not too many. */
  #pick(): [Child, Held][] {
    const sessions = new Set<number>()
    let asked = 0
    return [...this.#held].filter(([, held]) => {
      const ranges = held.aggregate?.ranges ?? []
      const isTooMany =
        sessions.size + ranges.length > crowdLimits.rangesMax ||
        asked + held.asked > crowdLimits.askedMax
      if (isTooMany || ranges.some(({ session }) => sessions.has(session))) return false
      for (const { session } of ranges) sessions.add(session)
      asked += held.asked
      return true
    })
  }

  /** The answer from above to what is under way: who is to be told of it. */
  answered({ sessions, standings }: Downward): ChildAnswer<Child>[] {
    const bySession = new Map(standings.map(standing => [standing.session, standing]))
    const told: (Held & { child: Child; standings: Standing[] })[] = []
    for (const [child, held] of this.#underWay ?? []) {
      // It has said something else by now, or is gone: what it is told it would not understand.
      if (this.#held.get(child) !== held) continue
      const own = standingsFor(held.aggregate?.ranges ?? [], bySession)
      if (own === undefined) continue
      this.#held.delete(child)
      told.push({ ...held, child, standings: own })
    }
    this.#underWay = undefined
    const shares = sharesOf(
      sessions,
      told.map(({ asked }) => asked),
    )
    return told.map(({ child, number, standings: own }, at) => {
      return { child, number, answer: { sessions: shares[at] ?? [], standings: own } }
    })
  }

  /** There is no parent any more, or another one: what was under way is sent again. */
  interrupt(): void {
    this.#underWay = undefined
  }
}

/** What each is given who asks for so many. Who asks for few is given them: who asks for many takes none of theirs. */
function sharesOf(sessions: readonly number[], asked: readonly number[]): (readonly number[])[] {
  const shares: (readonly number[])[] = []
  let given = 0
  const fewestFirst = [...asked.keys()].toSorted((a, b) => (asked[a] ?? 0) - (asked[b] ?? 0))
  for (const [before, at] of fewestFirst.entries()) {
    const fair = Math.ceil((sessions.length - given) / (asked.length - before))
    const share = sessions.slice(given, given + Math.min(asked[at] ?? 0, fair))
    shares[at] = share
    given += share.length
  }
  return shares
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
  let isNext = ranges.length > 0
  for (const { session, after } of ranges) {
    const standing = bySession.get(session)
    // An answer that leaves one out is not to what was asked.
    if (standing === undefined) return undefined
    standings.push(standing)
    if (standing.state !== 'open' || standing.upTo !== after) isNext = false
  }
  return isNext ? undefined : standings
}
