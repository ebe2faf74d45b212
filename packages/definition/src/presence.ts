/* How many watch a document, in the document. Edges count and tiers add up: no viewer says anything for it. */
import { type EveryMsRange, everyMsProblem } from './every-ms.ts'
import { isObject, read } from './members.ts'
import { type At, declare, isDeclaration } from './message.ts'

/** What is done with the number of viewers. */
export type PresenceRule<State> = {
  /** It is told at most once in so long, ms. */
  readonly everyMs: number
  // A method, so that rules of any state are rules of `unknown`.
  apply(state: State, viewers: number, at: At): void
}

/** What `presence` returns. */
export type PresenceDeclaration<State> = () => PresenceRule<State>

/** How often the number of viewers may be told, ms. */
export const presenceEveryMs: EveryMsRange = { min: 100, max: 60_000, default: 1_000 }

/**
 * Declares what the number of viewers does to the state. It runs at the authority only, when the number is
 * another one than it was told last, and at most once every `everyMs` (100 … 60,000 ms, default 1,000).
 *
 * @param rule.apply changes the state in place
 */
export function presence<State>(rule: {
  readonly everyMs?: number | undefined
  readonly apply: (state: State, viewers: number, at: At) => void
}): PresenceDeclaration<State> {
  const { everyMs = presenceEveryMs.default, apply } = rule
  return declare(Object.freeze({ everyMs, apply }))
}

/** Everything that is wrong with what stands under `presence`, with its place. */
export function presenceProblems(declaration: unknown): string[] {
  if (declaration === undefined) return []
  const rule = isDeclaration(declaration) ? declaration() : undefined
  const isPresence = isObject(rule) && 'everyMs' in rule && !('into' in rule)
  if (!isPresence) return ['presence: made by presence({ everyMs, apply })']
  const problem = everyMsProblem(read(rule, 'everyMs'), presenceEveryMs)
  const problems = problem === undefined ? [] : [`presence.${problem}`]
  if (typeof read(rule, 'apply') !== 'function') {
    problems.push('presence.apply: a function of the state and the number of viewers')
  }
  return problems
}
