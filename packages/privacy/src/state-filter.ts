/*
 * What one cohort sees of one state, place by place: the rules' answers put on the walk along a path.
 * It looks only where it is asked to look.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '@fanfold/document'
import type { Coverage } from './coverage.ts'
import { copyJson } from './json-copy.ts'
import { memberAt, type Place } from './place.ts'
import { RuleAsker, type ViewFailure } from './rule-asker.ts'
import type { ViewRules } from './view-rules.ts'

/** A value that is seen, and what decides about what is below it. */
export type Sight = {
  readonly coverage: Coverage
  /** True when a rule stands on its path. */
  readonly isRuled: boolean
}

/** One cohort's look at one state: make it, ask it, `end` it, and see whether there is a `failure`. */
export class StateFilter {
  readonly #rules: ViewRules
  readonly #clearance: number
  readonly #state: JsonObject
  readonly #asker: RuleAsker

  /** @param options.audience frozen */
  constructor(options: {
    readonly rules: ViewRules
    readonly audience: unknown
    readonly clearance: number
    readonly state: JsonObject
  }) {
    this.#rules = options.rules
    this.#clearance = options.clearance
    this.#state = options.state
    this.#asker = new RuleAsker(options.audience, options.state)
  }

  /** The first failure of a rule; what was seen is worth nothing then. */
  get failure(): ViewFailure | undefined {
    return this.#asker.failure
  }

  /** The look is over. */
  end(): void {
    this.#asker.end()
  }

  /** True when rules and labels let the cohort see values that are at the place, if there are any. */
  allows(place: Place): boolean {
    return place.label <= this.#clearance && this.#asker.allow(place.rules, place.segments)
  }

  /**
   * What is seen at the place: undefined when nothing is, but `{}` for the root. Parts that are seen
   * whole are those of the state itself, or copies when `isFresh`.
   */
  seenAt(place: Place, isFresh: boolean): JsonValue | undefined {
    const isRoot = place.segments.length === 0
    const value = memberAt(this.#state, place.segments)
    if (value === undefined || !this.#isShown(place, value) || !this.allows(place)) {
      return isRoot ? {} : undefined
    }
    const sight = { coverage: place.coverage, isRuled: place.rules.length > 0 }
    return this.#seen(value, sight, [...place.segments], isFresh)
  }

  /** How the root is seen; undefined when it is not. */
  seeRoot(): Sight | undefined {
    const coverage = this.#rules.root
    if (coverage.label > this.#clearance || !this.#asker.allow(coverage.rules, [])) return undefined
    return { coverage, isRuled: coverage.rules.length > 0 }
  }

  /** True when all below a value is seen as it is. */
  isWhole(sight: Sight): boolean {
    return !sight.coverage.hasBelow && (this.#rules.definition.isOpen || sight.isRuled)
  }

  /**
   * How `value` is seen, one step below a value that is seen; undefined when it is not.
   *
   * @param path the way to it, its own name included
   */
  see(value: JsonValue, above: Sight, path: readonly string[]): Sight | undefined {
    const coverage = above.coverage.below(path.at(-1) as string)
    if (coverage.label > this.#clearance) return undefined
    const isRuled = above.isRuled || coverage.rules.length > 0
    const isCovered = this.#rules.definition.isOpen || isRuled
    if (!isCovered && !(this.#isOnWay(coverage) && isJsonObject(value))) return undefined
    return this.#asker.allow(coverage.rules, path) ? { coverage, isRuled } : undefined
  }

  #isShown(place: Place, value: JsonValue): boolean {
    if (place.shows !== 'ways') return place.shows === 'values'
    return isJsonObject(value) && (place.segments.length === 0 || this.#isOnWay(place.coverage))
  }

  /** What is only on the way to what is labelled higher is not there for the cohort. */
  #isOnWay(coverage: Coverage): boolean {
    return coverage.wayLabel <= this.#clearance
  }

  /** What is seen of a value that is. Recursion ends at the depth of a document. */
  #seen(value: JsonValue, sight: Sight, path: string[], isFresh: boolean): JsonValue {
    if (typeof value !== 'object' || value === null) return value
    if (this.isWhole(sight)) return isFresh ? copyJson(value) : value
    const seenBelow = (member: JsonValue, name: string): JsonValue | undefined => {
      path.push(name)
      const below = this.see(member, sight, path)
      const seen = below && this.#seen(member, below, path, isFresh)
      path.pop()
      return seen
    }
    if (Array.isArray(value)) {
      const elements: JsonValue[] = []
      for (const [index, element] of value.entries()) {
        const seen = seenBelow(element, String(index))
        if (seen !== undefined) elements.push(seen)
      }
      return elements
    }
    const members: JsonObject = {}
    for (const name of Object.keys(value)) {
      const seen = seenBelow(value[name] as JsonValue, name)
      if (seen !== undefined) members[name] = seen
    }
    return members
  }
}
