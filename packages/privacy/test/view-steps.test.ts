/*
 * Chains of random deltas on random documents under random rules, seen by several cohorts: what is
 * sent leads from the oracle's view before to the oracle's view after, nothing is sent when they are
 * equal, and no text or name is sent that neither view holds.
 */
import { isDeepStrictEqual } from 'node:util'
import type { EdgeDefinition } from '@fanfold/definition'
import { applyPatch, type JsonObject, type JsonValue, type PatchOperation } from '@fanfold/document'
import fc from 'fast-check'
import jsonPatch, { type Operation } from 'fast-json-patch'
import t from 'tap'
import { catchUpPatch } from '../src/catch-up.ts'
import { CohortView, type ViewStep } from '../src/cohort-view.ts'
import { type NaiveCohort, naiveView } from '../src/naive-view.ts'
import { StagedChange } from '../src/staged-change.ts'
import { ViewRules } from '../src/view-rules.ts'
import { copyOf, definitionOf, patchOf, Stamp, type World, world } from './random-world.ts'

const cohorts: readonly NaiveCohort[] = [
  { audience: 0, clearance: 0, viewState: undefined },
  { audience: { id: 'a' }, clearance: 2, viewState: { page: 1 } },
  { audience: 'b', clearance: 239, viewState: undefined },
]
const runs = Number(process.env['FANFOLD_RUNS'] ?? 1_750)
const deltaCountMax = 40

/** One cohort on its way through a chain. */
type Watched = {
  readonly cohort: NaiveCohort
  readonly fast: CohortView
  /** The oracle's view after each delta, as JSON. */
  readonly views: string[]
}

const counts: { [kind: string]: number } = {}
const count = (kind: string): void => {
  counts[kind] = (counts[kind] ?? 0) + 1
}

const oracle = (definition: EdgeDefinition, state: JsonObject, cohort: NaiveCohort): string =>
  JSON.stringify(naiveView(definition, state, cohort))

/** True when two texts say the same, in whatever order. */
const isSame = (a: string, b: string): boolean =>
  a === b || isDeepStrictEqual(JSON.parse(a), JSON.parse(b))

/** The stamped texts and names. */
const marksIn = (text: string): string[] => text.match(/[kv]\d+/g) ?? []

/** The first stamp in `sent` that none of the views has. */
function leakIn(sent: string, views: readonly string[]): string | undefined {
  const marks = marksIn(sent)
  if (marks.length === 0) return undefined
  const seen = new Set(views.flatMap(marksIn))
  return marks.find(mark => !seen.has(mark))
}

function patched(view: string, patch: readonly PatchOperation[]): string {
  if (patch.length === 0) return view
  const operations = copyOf(patch as unknown as JsonValue) as unknown as Operation[]
  return JSON.stringify(jsonPatch.applyPatch(JSON.parse(view), operations, true, true).newDocument)
}

function sentBy(step: ViewStep, patch: readonly PatchOperation[]): readonly PatchOperation[] {
  if (step.kind === 'failed') throw step.failure.error
  if (step.kind === 'nothing') return []
  return step.kind === 'all' ? patch : JSON.parse(step.patchJson)
}

function check(isTrue: boolean, what: string, facts: object): void {
  if (!isTrue) throw new Error(`${what}: ${JSON.stringify(facts)}`)
}

function runChain(spec: World): void {
  const stamp = new Stamp()
  const definition = definitionOf(spec)
  const rules = new ViewRules(definition)
  let state = stamp.stamp(spec.state) as JsonObject
  const watched = cohorts.map((cohort): Watched => {
    const fast = new CohortView({ rules, ...cohort })
    const first = oracle(definition, state, cohort)
    const read = fast.read(state)
    check(read.ok && isSame(JSON.stringify(read.view), first), 'first read', { read, first })
    return { cohort, fast, views: [first] }
  })
  const history: PatchOperation[][] = []
  for (const steps of spec.deltas) {
    const patch = patchOf(steps, state, definition, stamp)
    const before = copyOf(state)
    const change = new StagedChange(rules, state, patch)
    for (const { fast } of watched) fast.stage(change)
    const next = applyPatch(state, copyOf(patch as unknown as JsonValue) as never)
    if (next === undefined) throw new Error('a patch that fits')
    state = next
    history.push(patch)
    for (const each of watched) settleOne(each, change, definition, before, state, patch)
  }
  for (const each of watched) checkCatchUp(each, state, history)
}

function settleOne(
  { cohort, fast, views }: Watched,
  change: StagedChange,
  definition: EdgeDefinition,
  beforeState: JsonObject,
  state: JsonObject,
  patch: readonly PatchOperation[],
): void {
  const before = views.at(-1) as string
  const after = oracle(definition, state, cohort)
  const step = fast.settle(change, state)
  const sent = sentBy(step, patch)
  count(step.kind)
  const facts = { cohort, beforeState, patch, before, after, step }
  check(isSame(patched(before, sent), after), 'the view after', facts)
  check((step.kind === 'nothing') === isSame(before, after), 'sent when changed', facts)
  const leak = leakIn(JSON.stringify(sent), [before, after])
  check(leak === undefined, `leaks ${leak}`, facts)
  views.push(after)
}

function checkCatchUp(
  { cohort, fast, views }: Watched,
  state: JsonObject,
  history: readonly (readonly PatchOperation[])[],
): void {
  const now = views.at(-1) as string
  const read = fast.read(state)
  check(read.ok && isSame(JSON.stringify(read.view), now), 'last read', { read, now })
  for (let from = history.length - 1; from >= 0; from--) {
    const patches = history.slice(from)
    const result = catchUpPatch({ view: fast, state, patches })
    count(`catch-up ${result.kind}`)
    if (result.kind === 'failed') throw result.failure.error
    if (result.kind === 'snapshot') continue
    const sent = JSON.parse(result.patchJson)
    // It holds for every seq of the span; one more than the first is looked at.
    for (const at of new Set([from, from + ((from * 7) % patches.length)])) {
      const before = views[at] as string
      const facts = { cohort, state, patches: history.slice(at), before, now, sent }
      check(isSame(patched(before, sent), now), 'caught up', facts)
    }
    const leak = leakIn(result.patchJson, views.slice(from))
    check(leak === undefined, `catching up leaks ${leak}`, { cohort, state, sent })
  }
}

t.setTimeout(400_000)

t.test('every cohort gets exactly what leads to its view, and nothing it may not see', t => {
  const seed = Number(process.env['FANFOLD_SEED'] ?? 20_260_101)
  const isBrief = process.env['FANFOLD_BRIEF'] !== undefined
  fc.assert(fc.property(world(deltaCountMax), runChain), {
    numRuns: runs,
    seed,
    endOnFailure: isBrief,
  })
  t.comment(`seed ${seed}: ${JSON.stringify(counts)}`)
  t.ok(['delta', 'all', 'nothing', 'catch-up delta'].every(kind => (counts[kind] ?? 0) > 0))
  t.end()
})
