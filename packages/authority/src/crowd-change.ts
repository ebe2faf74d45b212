/*
 * What sums of a crowd do to the state, in one change: what one reducer's `apply` fails with costs that
 * reducer its sum, and no other one. The windows count all the same: sent again, it would fail again.
 */
import { type At, applySum } from '@fanfold/definition'
import type { JsonObject, Labels } from '@fanfold/document'
import { decodeContent, type Part } from '@fanfold/reduction'
import type { LoadedDefinition } from './loaded-definition.ts'
import { deltaParts, type Payload } from './record-parts.ts'
import { record } from './recorder.ts'
import type { WriteProblem } from './write-problem.ts'

/** A sum that has done nothing. */
export type FailedSum = { readonly reducer: string } & WriteProblem

/** What changes the state. */
export type CrowdNews = {
  /** Sums that are counted now, as an aggregate has them; undefined for none. */
  readonly content: Uint8Array | undefined
  /** How many watch; undefined where that is no news. */
  readonly viewers: number | undefined
}

/** What that does. */
export type CrowdChange = {
  /** True when the state is as it was. */
  readonly isNone: boolean
  readonly payloads: readonly Payload[]
  readonly bytesDelta: number
  readonly failed: readonly FailedSum[]
  undo(): void
}

/** Where they do it. */
export type CrowdPlace = {
  readonly state: JsonObject
  readonly labels: Labels
  readonly loaded: LoadedDefinition
  readonly stateBytesLeft: number
  /** The part of the record that says what is counted, if anything is. */
  readonly entry: readonly Payload[]
  /** Of the record. */
  readonly timeMs: number
}

type Step = { readonly reducer: string; readonly apply: (state: unknown, at: At) => unknown }

/** Changes the state. */
export function changeByCrowd({ content, viewers }: CrowdNews, place: CrowdPlace): CrowdChange {
  const failed: FailedSum[] = []
  const parts = content === undefined ? [] : decodeContent(content)
  const steps = parts.flatMap(part => stepOf(part, place, failed))
  const { presence } = place.loaded.definition
  if (viewers !== undefined && presence !== undefined) {
    const apply = (state: unknown, at: At): void => presence.apply(state, viewers, at)
    steps.push({ reducer: 'presence', apply })
  }
  for (;;) {
    const { change, culprit, problem } = attempt(steps, place)
    if (change !== undefined) return { ...change, failed }
    const [step] = steps.splice(culprit, 1)
    failed.push({ reducer: step?.reducer ?? '', ...problem })
  }
}

function stepOf(
  { reducer, shape, bytes }: Part,
  { loaded }: CrowdPlace,
  failed: FailedSum[],
): Step[] {
  const applied = applySum(loaded.definition, reducer, shape, bytes)
  if (applied.ok) return [{ reducer, apply: applied.apply }]
  const { code, message } = applied
  failed.push({ reducer, code, message })
  return []
}

type Attempt =
  | {
      readonly change: Omit<CrowdChange, 'failed'>
      readonly culprit?: never
      readonly problem?: never
    }
  | { readonly change?: undefined; readonly culprit: number; readonly problem: WriteProblem }

/** All steps in one change: values of a patch are the state's own, so one is written before the next one is begun. */
function attempt(steps: readonly Step[], place: CrowdPlace): Attempt {
  const { state, labels, stateBytesLeft, entry, timeMs } = place
  let culprit = 0
  // What fails when all have run is all of them together: then the last one goes.
  const run = (draft: JsonObject): unknown => {
    for (const [at, { apply }] of steps.entries()) {
      culprit = at
      const returned = apply(draft, { timeMs })
      // For the recorder to refuse.
      if (returned instanceof Promise) return returned
    }
    return undefined
  }
  const recorded = record(state, run, { stateBytesLeft })
  if (!recorded.ok) return { culprit, problem: recorded.problem }
  const parts = deltaParts(recorded.patch, state, labels, entry)
  const { undo, bytesDelta } = recorded
  const isNone = recorded.patch.length === 0
  if (parts.ok) return { change: { isNone, payloads: parts.payloads, bytesDelta, undo } }
  undo()
  return { culprit, problem: { code: parts.code, message: parts.message } }
}
