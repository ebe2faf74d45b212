import type { PrivacyRule } from '@fanfold/definition'
import { isJsonObject, type JsonObject, type JsonValue, pointerTo } from '@fanfold/document'
import type { Coverage } from './coverage.ts'
import type { ViewRules } from './view-rules.ts'

/**
 * One place of a document with all that decides who sees what is there, but for the answers of the
 * rules. The way to it leads through objects only.
 */
export type Place = {
  readonly segments: readonly string[]
  readonly pointer: string
  /** What rules and labels say at it. */
  readonly coverage: Coverage
  /** All rules on its path. */
  readonly rules: readonly PrivacyRule[]
  /** The highest label on its path. */
  readonly label: number
  /**
   * What can be seen there by whom rules and labels let: any value; an object on the way to what
   * rules show; nothing.
   */
  readonly shows: 'values' | 'ways' | 'nothing'
}

/** Looks up the place that `segments` lead to. */
export function placeAt(rules: ViewRules, segments: readonly string[]): Place {
  const { isOpen } = rules.definition
  const found: PrivacyRule[] = []
  let coverage = rules.root
  let { label } = coverage
  let shows: Place['shows'] = 'ways'
  for (let at = 0; ; at++) {
    found.push(...coverage.rules)
    label = Math.max(label, coverage.label)
    if (isOpen || found.length > 0) shows = shows === 'nothing' ? 'nothing' : 'values'
    else if (at > 0 && coverage.wayLabel === Number.POSITIVE_INFINITY) shows = 'nothing'
    const name = segments[at]
    if (name === undefined) break
    coverage = coverage.below(name)
  }
  return { segments, pointer: pointerTo(segments), coverage, rules: found, label, shows }
}

/** The value at the end of a way through objects; undefined when there is none. */
export function memberAt(state: JsonObject, segments: readonly string[]): JsonValue | undefined {
  let value: JsonValue = state
  for (const name of segments) {
    if (!isJsonObject(value) || !Object.hasOwn(value, name)) return undefined
    value = value[name] as JsonValue
  }
  return value
}

/** The places that are below none of the others, by their pointers. */
export const outermost = (places: ReadonlyMap<string, Place>): Place[] => {
  const pointers = new Set(places.keys())
  return [...places.values()].filter(({ pointer }) => !isBelow(pointer, pointers))
}

/** True when a place above `pointer` is one of `places`. */
export const isBelow = (pointer: string, places: ReadonlySet<string>): boolean =>
  pointer !== '' && isWithin(pointer.slice(0, pointer.lastIndexOf('/')), places)

/** True when `pointer`, or a place above it, is one of `places`. */
export function isWithin(pointer: string, places: ReadonlySet<string>): boolean {
  if (places.size === 0) return false
  for (let end = pointer.indexOf('/'); end !== -1; end = pointer.indexOf('/', end + 1)) {
    if (places.has(pointer.slice(0, end))) return true
  }
  return places.has(pointer)
}
