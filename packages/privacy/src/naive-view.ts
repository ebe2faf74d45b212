/*
 * The oracle: what a cohort sees, read off the words of the definition alone. It asks every rule about
 * every value and copies the whole state; it is the measure for the filter that does not, and shares
 * no code with it.
 */
import type { EdgeDefinition, PrivacyRule } from '@fanfold/definition'
import {
  anySegment,
  type JsonObject,
  type JsonValue,
  parsePathPattern,
  type Segment,
} from '@fanfold/document'

/** Who looks. */
export type NaiveCohort = {
  readonly audience: JsonValue
  readonly clearance: number
  readonly viewState: JsonValue | undefined
}

/**
 * The whole view of a state, made anew. What a rule or the view throws is thrown on.
 *
 * Cost: members times rules. For tests and checkers.
 */
export function naiveView(
  definition: EdgeDefinition,
  state: JsonObject,
  cohort: NaiveCohort,
): JsonObject {
  const filter = new NaiveFilter(definition, state, cohort)
  const visible = (filter.seen(state, []) ?? {}) as JsonObject
  if (definition.view === undefined) return visible
  const audience = frozenCopy(cohort.audience)
  const viewState = cohort.viewState === undefined ? undefined : frozenCopy(cohort.viewState)
  return JSON.parse(JSON.stringify(definition.view(frozenCopy(visible), audience, viewState)))
}

type Path = readonly string[]

class NaiveFilter {
  readonly #definition: EdgeDefinition
  readonly #state: JsonObject
  readonly #cohort: NaiveCohort
  readonly #labels: readonly { readonly segments: readonly Segment[]; readonly label: number }[]

  constructor(definition: EdgeDefinition, state: JsonObject, cohort: NaiveCohort) {
    this.#labels = definition.labels.map(({ pattern, label }) => {
      const segments = parsePathPattern(pattern)?.segments
      if (segments === undefined) throw new TypeError(`a label stands at a pattern, got ${pattern}`)
      return { segments, label }
    })
    this.#definition = definition
    this.#state = state
    this.#cohort = cohort
  }

  /** What is seen of the value at `path`; undefined when it is not. */
  seen(value: JsonValue, path: Path): JsonValue | undefined {
    if (!this.#isSeen(value, path)) return undefined
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) {
      return value
        .map((element, index) => this.seen(element, [...path, String(index)]))
        .filter(element => element !== undefined)
    }
    const copy: JsonObject = {}
    for (const [name, member] of Object.entries(value)) {
      const seen = this.seen(member, [...path, name])
      if (seen !== undefined) copy[name] = seen
    }
    return copy
  }

  #isSeen(value: JsonValue, path: Path): boolean {
    const { rules, isOpen } = this.#definition
    for (const { segments, label } of this.#labels) {
      if (label > this.#cohort.clearance && covers(segments, path)) return false
    }
    const onPath = rules.filter(rule => covers(rule.pattern.segments, path))
    if (!onPath.every(rule => this.#allows(rule, path))) return false
    if (isOpen || onPath.length > 0) return true
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return (
      isObject && rules.some(rule => isOnTheWay(path, rule.pattern.segments) && this.#isFor(rule))
    )
  }

  /** False when all places of the rule are labelled above the cohort's clearance. */
  #isFor({ pattern }: PrivacyRule): boolean {
    return !this.#labels.some(
      ({ segments, label }) =>
        label > this.#cohort.clearance &&
        segments.length <= pattern.segments.length &&
        segments.every((segment, at) => segment === anySegment || segment === pattern.segments[at]),
    )
  }

  #allows(rule: PrivacyRule, path: Path): boolean {
    const keys = path.filter((_, depth) => rule.pattern.segments[depth] === anySegment)
    const reads: { [text: string]: JsonValue | undefined } = Object.create(null)
    for (const { text, segments } of rule.reads) {
      const rest = [...keys]
      reads[text] = this.#valueAt(
        segments.map(segment => (segment === anySegment ? rest.shift() : segment)),
      )
    }
    const audience = frozenCopy(this.#cohort.audience)
    return rule.allow(audience, { key: keys.at(-1) ?? '', keys, reads }) === true
  }

  #valueAt(path: readonly (string | undefined)[]): JsonValue | undefined {
    let value: JsonValue = this.#state
    for (const name of path) {
      if (name === undefined || typeof value !== 'object' || value === null) return undefined
      const member: [string, JsonValue] | undefined = Object.entries(value).find(
        entry => entry[0] === name,
      )
      if (member === undefined) return undefined
      value = member[1]
    }
    return frozenCopy(value)
  }
}

/** True when `path` is at or below a place of the pattern. */
const covers = (segments: readonly Segment[], path: Path): boolean =>
  segments.length <= path.length && segments.every((segment, depth) => fits(segment, path[depth]))

const fits = (segment: Segment, name: string | undefined): boolean =>
  segment === anySegment || segment === name

/** True when `path` leads to places of the pattern by names alone, and is none of them. */
const isOnTheWay = (path: Path, segments: readonly Segment[]): boolean =>
  path.length < segments.length && path.every((name, depth) => segments[depth] === name)

function frozenCopy(value: JsonValue): JsonValue {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return Object.freeze(value.map(frozenCopy)) as JsonValue[]
  const entries = Object.entries(value).map(([name, member]) => [name, frozenCopy(member)])
  return Object.freeze(Object.fromEntries(entries))
}
