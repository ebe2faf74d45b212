/*
 * A viewer that fell behind is told the values now of all that was touched since, whatever it holds:
 * no old state is kept for it. That is exact where what it may see there does not depend on when one
 * looks. What is now in no array was in none when it was touched, unless something above it was
 * touched as well; and then that is told.
 */
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  type PatchOperation,
  parsePointer,
} from '@fanfold/document'
import { unreachable } from '@fanfold/kernel'
import type { CohortView } from './cohort-view.ts'
import { memberAt, outermost, type Place, placeAt } from './place.ts'
import type { ViewFailure } from './rule-asker.ts'
import type { StateFilter } from './state-filter.ts'
import { touchedRules } from './touched-rules.ts'

/** What brings a lagging viewer up to date. */
export type CatchUp =
  /** Applies to what the cohort saw at any seq of the span; `[]` when nothing it sees was touched. */
  | { readonly kind: 'delta'; readonly patchJson: string }
  /** Only the whole view is exact. */
  | { readonly kind: 'snapshot' }
  | { readonly kind: 'failed'; readonly failure: ViewFailure }

/**
 * What leads from any seq inside the span of `patches` to `state`, the state now: the values now of
 * the places they touched. It is larger than the view when much was touched: the caller compares.
 *
 * A place is told of when its value may be seen now, also when an operation left it as it was. Where
 * something below it may be hidden, only a snapshot does not tell that it was touched.
 */
export function catchUpPatch({
  view,
  state,
  patches,
}: {
  readonly view: CohortView
  readonly state: JsonObject
  readonly patches: readonly (readonly PatchOperation[])[]
}): CatchUp {
  if (view.failure !== undefined) return { kind: 'failed', failure: view.failure }
  if (view.rules.definition.view !== undefined) return { kind: 'snapshot' }
  const paths = touchedPaths(state, patches)
  if (paths === undefined || touchedRules(view.rules.readers, paths).length > 0) {
    return { kind: 'snapshot' }
  }
  const filter = view.filter(state)
  const texts: string[] = []
  let known: ReadonlySet<string> | undefined
  const isKnown = (pointer: string): boolean => {
    known ??= knownPlaces(patches)
    return known.has(pointer)
  }
  const isExact = outermostPlaces(view, paths).every(place =>
    tell(place, state, filter, isKnown, texts),
  )
  filter.end()
  if (filter.failure !== undefined) return { kind: 'failed', failure: filter.failure }
  return isExact ? { kind: 'delta', patchJson: `[${texts.join(',')}]` } : { kind: 'snapshot' }
}

/** The paths that the patches touch, each ended at the first array on it; undefined for the root. */
function touchedPaths(
  state: JsonObject,
  patches: readonly (readonly PatchOperation[])[],
): string[][] | undefined {
  const paths = new Map<string, string[]>()
  for (const operation of patches.flat()) {
    for (const { pointer } of stepsOf(operation)) {
      const segments = parsePointer(pointer)
      if (segments === undefined || segments.length === 0) return undefined
      if (!paths.has(pointer)) paths.set(pointer, upToArray(state, segments))
    }
  }
  return [...paths.values()]
}

/**
 * The places that surely held something at a seq of the span. What a patch wrote and took back again
 * did not, and is nobody's to know.
 */
function knownPlaces(patches: readonly (readonly PatchOperation[])[]): ReadonlySet<string> {
  const known = new Set<string>()
  for (const patch of patches) {
    const isFilled = new Map<string, boolean>()
    for (const { pointer, isFilling, isChange } of patch.flatMap(stepsOf)) {
      // Only what was there before the patch can be changed first.
      if (isChange && !isFilled.has(pointer)) known.add(pointer)
      isFilled.set(pointer, isFilling)
    }
    for (const [pointer, isFilledNow] of isFilled) if (isFilledNow) known.add(pointer)
  }
  return known
}

/** One place that an operation touches. */
type Step = {
  readonly pointer: string
  /** True when something is there afterwards. */
  readonly isFilling: boolean
  /** True when something was there before, surely. */
  readonly isChange: boolean
}

function stepsOf(operation: PatchOperation): readonly Step[] {
  const { op, path: pointer } = operation
  switch (op) {
    case 'test':
      return []
    case 'add':
    case 'copy':
      return [{ pointer, isFilling: true, isChange: false }]
    case 'replace':
      return [{ pointer, isFilling: true, isChange: true }]
    case 'remove':
      return [{ pointer, isFilling: false, isChange: true }]
    case 'move':
      return [
        { pointer: operation.from, isFilling: false, isChange: true },
        { pointer, isFilling: true, isChange: false },
      ]
    default:
      return unreachable(op)
  }
}

/** A path as far as it leads through objects. */
function upToArray(state: JsonObject, segments: string[]): string[] {
  let value: JsonValue = state
  for (const [depth, name] of segments.entries()) {
    if (Array.isArray(value)) return segments.slice(0, depth)
    if (!isJsonObject(value) || !Object.hasOwn(value, name)) break
    value = value[name] as JsonValue
  }
  return segments
}

/** The places at the ends of the paths, but for those within others. */
function outermostPlaces({ rules }: CohortView, paths: readonly string[][]): Place[] {
  const places = paths.map(path => placeAt(rules, path))
  return outermost(new Map(places.map(place => [place.pointer, place])))
}

/** Appends what is at a place now; false when what a viewer may hold there cannot be told. */
function tell(
  place: Place,
  state: JsonObject,
  filter: StateFilter,
  isKnown: (pointer: string) => boolean,
  texts: string[],
): boolean {
  const { pointer: path, segments, shows } = place
  if (shows === 'nothing' || !filter.allows(place)) return true
  // Perhaps only what is hidden below was touched: to tell the place again would tell that.
  if (place.coverage.hasBelow) return false
  const value = filter.seenAt(place, false)
  if (value !== undefined) {
    texts.push(JSON.stringify({ op: 'add', path, value }))
    return true
  }
  if (!isKnown(path)) return false
  if (!isJsonObject(memberAt(state, segments.slice(0, -1)))) return false
  // The viewer has it or not: first it has, and then it has not.
  texts.push(JSON.stringify({ op: 'add', path, value: null }))
  texts.push(JSON.stringify({ op: 'remove', path }))
  return true
}
