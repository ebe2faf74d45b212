import type { Prng } from '@fanfold/kernel'
import { saidKinds } from '../board.ts'
import type { Said } from './saying.ts'

/** Something that is to be said: of which document is found when it is time. */
export type DrawnSaying = Omit<Said, 'viewer' | 'doc'> & {
  /** Picks one of the documents that the viewer then observes. */
  readonly pick: number
}

/** Share of what is told apart; the rest is of kinds. */
const namedShare = 0.75
/** Share of what has an id. */
const askedShare = 0.6
const picksMax = 1_000

/** Draws something to say; `name` is its own. */
export function drawSaying(prng: Prng, name: string): DrawnSaying {
  const isNamed = prng.chance(namedShare)
  const kind = prng.pick(saidKinds)
  return {
    pick: prng.below(picksMax),
    reducer: isNamed ? 'said' : 'kinds',
    name,
    operand: isNamed ? name : kind,
    hasId: prng.chance(askedShare),
  }
}
