/*
 * What sums of a crowd do to the state, in one change: what one reducer's `apply` fails with costs that
 * reducer its sum, and no other one. The windows count all the same: sent again, it would fail again.
 */
import { applySum } from '@fanfold/definition'
import type { JsonObject, Labels } from '@fanfold/document'
import { decodeContent, type Part } from '@fanfold/reduction'
import type { LoadedDefinition } from './loaded-definition.ts'
import { deltaParts, type Payload } from './record-parts.ts'
import { record } from './recorder.ts'
import type { WriteProblem } from './write-problem.ts'

/** A sum that has done nothing. */
export type FailedSum = { readonly reducer: string } & WriteProblem

/** What sums do. */
export type CrowdChange = {
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
  /** The part of the record that says what is counted. */
  readonly entry: Payload
}

type Step = { readonly reducer: string; readonly apply: (state: unknown) => unknown }

/** Changes the state by the sums in `content`. */
export function changeByCrowd(content: Uint8Array, place: CrowdPlace): CrowdChange {
  const failed: FailedSum[] = []
  const steps = decodeContent(content).flatMap(part => stepOf(part, place, failed))
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
  const { state, labels, stateBytesLeft, entry } = place
  let culprit = 0
  // What fails when all have run is all of them together: then the last one goes.
  const run = (draft: JsonObject): unknown => {
    for (const [at, { apply }] of steps.entries()) {
      culprit = at
      const returned = apply(draft)
      // For the recorder to refuse.
      if (returned instanceof Promise) return returned
    }
    return undefined
  }
  const recorded = record(state, run, { stateBytesLeft })
  if (!recorded.ok) return { culprit, problem: recorded.problem }
  const parts = deltaParts(recorded.patch, state, labels, [entry])
  const { undo, bytesDelta } = recorded
  if (parts.ok) return { change: { payloads: parts.payloads, bytesDelta, undo } }
  undo()
  return { culprit, problem: { code: parts.code, message: parts.message } }
}
