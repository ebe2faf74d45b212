/*
 * The oracle: what a cohort sees, read off the words of the definition alone. It walks the whole state,
 * asks every rule about every value that stands at a place of the rule, and copies what is seen; it is
 * the measure for the filter that does not, and shares no code with it.
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
  const visible = (new NaiveFilter(definition, state, cohort).root() ?? {}) as JsonObject
  if (definition.view === undefined) return visible
  const audience = frozenCopy(cohort.audience)
  const viewState = cohort.viewState === undefined ? undefined : frozenCopy(cohort.viewState)
  return JSON.parse(JSON.stringify(definition.view(frozenCopy(visible), audience, viewState)))
}

type Path = readonly string[]
type PlacedLabel = { readonly segments: readonly Segment[]; readonly label: number }

/** Labels and rules by how deep their places are. */
type Depth = { readonly labels: PlacedLabel[]; readonly rules: PrivacyRule[] }

/** By definition, its labels with their patterns read. */
const labelsRead = new WeakMap<EdgeDefinition, readonly PlacedLabel[]>()
const depthsRead = new WeakMap<EdgeDefinition, readonly Depth[]>()

function depthsOf(definition: EdgeDefinition): readonly Depth[] {
  let depths = depthsRead.get(definition)
  if (depths === undefined) {
    const made: Depth[] = []
    const at = (depth: number): Depth => {
      while (made.length <= depth) made.push({ labels: [], rules: [] })
      return made[depth] as Depth
    }
    for (const label of labelsOf(definition)) at(label.segments.length).labels.push(label)
    for (const rule of definition.rules) at(rule.pattern.segments.length).rules.push(rule)
    depths = made
    depthsRead.set(definition, depths)
  }
  return depths
}

function labelsOf(definition: EdgeDefinition): readonly PlacedLabel[] {
  let labels = labelsRead.get(definition)
  if (labels === undefined) {
    labels = definition.labels.map(({ pattern, label }) => {
      const segments = parsePathPattern(pattern)?.segments
      if (segments === undefined) throw new TypeError(`a label stands at a pattern, got ${pattern}`)
      return { segments, label }
    })
    labelsRead.set(definition, labels)
  }
  return labels
}

const nothingSaid: Depth = { labels: [], rules: [] }

class NaiveFilter {
  readonly #definition: EdgeDefinition
  readonly #state: JsonObject
  readonly #cohort: NaiveCohort
  readonly #audience: JsonValue
  readonly #labels: readonly PlacedLabel[]
  readonly #depths: readonly Depth[]

  constructor(definition: EdgeDefinition, state: JsonObject, cohort: NaiveCohort) {
    this.#labels = labelsOf(definition)
    this.#depths = depthsOf(definition)
    this.#definition = definition
    this.#state = state
    this.#cohort = cohort
    this.#audience = frozenCopy(cohort.audience)
  }

  /** What is seen of the state. */
  root(): JsonValue | undefined {
    return this.#seen(this.#state, [], false)
  }

  /**
   * What is seen of a value below one that is seen; undefined when it is not.
   *
   * @param path the way to it, as long as this call takes
   * @param isRuledAbove whether a rule stands above it
   */
  #seen(value: JsonValue, path: string[], isRuledAbove: boolean): JsonValue | undefined {
    const { labels, rules } = this.#depths[path.length] ?? nothingSaid
    if (this.#isLabelled(path, labels)) return undefined
    let isRuled = isRuledAbove
    for (const rule of rules) {
      if (!isPlaceOf(rule.pattern.segments, path)) continue
      if (!this.#allows(rule, path)) return undefined
      isRuled = true
    }
    if (!this.#definition.isOpen && !isRuled && !this.#isWay(value, path)) return undefined
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) {
      const elements: JsonValue[] = []
      for (let index = 0; index < value.length; index++) {
        path.push(String(index))
        const seen = this.#seen(value[index] as JsonValue, path, isRuled)
        path.pop()
        if (seen !== undefined) elements.push(seen)
      }
      return elements
    }
    const copy: JsonObject = {}
    for (const name of Object.keys(value)) {
      path.push(name)
      const seen = this.#seen(value[name] as JsonValue, path, isRuled)
      path.pop()
      if (seen !== undefined) copy[name] = seen
    }
    return copy
  }

  #isLabelled(path: Path, labels: readonly PlacedLabel[]): boolean {
    const { clearance } = this.#cohort
    for (const { segments, label } of labels) {
      if (label > clearance && isPlaceOf(segments, path)) return true
    }
    return false
  }

  /** Where nothing is said, an object is seen for what is below it. */
  #isWay(value: JsonValue, path: Path): boolean {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return (
      isObject &&
      this.#definition.rules.some(
        rule => isOnTheWay(path, rule.pattern.segments) && this.#isFor(rule),
      )
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
    const keys: string[] = []
    for (let depth = 0; depth < path.length; depth++) {
      if (rule.pattern.segments[depth] === anySegment) keys.push(path[depth] as string)
    }
    const reads: { [text: string]: JsonValue | undefined } = Object.create(null)
    for (const { text, segments } of rule.reads) {
      const rest = [...keys]
      reads[text] = this.#valueAt(
        segments.map(segment => (segment === anySegment ? rest.shift() : segment)),
      )
    }
    return rule.allow(this.#audience, { key: keys.at(-1) ?? '', keys, reads }) === true
  }

  #valueAt(path: readonly (string | undefined)[]): JsonValue | undefined {
    let value: JsonValue = this.#state
    for (const name of path) {
      if (name === undefined || typeof value !== 'object' || value === null) return undefined
      if (!Object.hasOwn(value, name)) return undefined
      value = Reflect.get(value, name)
    }
    return frozenCopy(value)
  }
}

/** True when `path` is a place of the pattern. */
function isPlaceOf(segments: readonly Segment[], path: Path): boolean {
  if (segments.length !== path.length) return false
  for (let depth = 0; depth < path.length; depth++) {
    if (segments[depth] !== anySegment && segments[depth] !== path[depth]) return false
  }
  return true
}

/** True when `path` leads to places of the pattern by names alone, and is none of them. */
const isOnTheWay = (path: Path, segments: readonly Segment[]): boolean =>
  path.length < segments.length && path.every((name, depth) => segments[depth] === name)

function frozenCopy(value: JsonValue): JsonValue {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return Object.freeze(value.map(frozenCopy)) as JsonValue[]
  const copy: JsonObject = {}
  for (const name of Object.keys(value)) copy[name] = frozenCopy(value[name] as JsonValue)
  return Object.freeze(copy)
}
