import type { PrivacyRule } from '@fanfold/definition'
import { anySegment, type JsonObject, type JsonValue, valueAt } from '@fanfold/document'
import { Loan, lend } from './read-only.ts'

/** A rule or the view failed; nothing is shown until it does not. */
export type ViewFailure = {
  readonly code: 'FANFOLD_RULE_FAILED'
  /** The rule's pattern as it was written (`/odds`), or `view`. */
  readonly place: string
  /** What was thrown, for the operator; no viewer's to know. */
  readonly error: unknown
}

/**
 * Asks rules on behalf of one audience, over one state. What a rule throws counts as a no, and is
 * kept: after a look, `failure` says whether its answers are worth anything.
 */
export class RuleAsker {
  readonly #audience: unknown
  readonly #state: JsonObject
  readonly #loan = new Loan()
  /** The first failure. */
  failure: ViewFailure | undefined

  /** @param audience frozen */
  constructor(audience: unknown, state: JsonObject) {
    this.#audience = audience
    this.#state = state
  }

  /** True when every rule allows what is at (or above) the end of `path`. */
  allow(rules: readonly PrivacyRule[], path: readonly string[]): boolean {
    return rules.every(rule => this.#allows(rule, path))
  }

  /** The look is over: what rules were shown cannot be looked at any more. */
  end(): void {
    this.#loan.end()
  }

  #allows(rule: PrivacyRule, path: readonly string[]): boolean {
    const { segments, text } = rule.pattern
    const keys: string[] = []
    for (let depth = 0; depth < segments.length; depth++) {
      if (segments[depth] === anySegment) keys.push(path[depth] as string)
    }
    const reads = this.#reads(rule, keys)
    try {
      const context = Object.freeze({ key: keys.at(-1) ?? '', keys: Object.freeze(keys), reads })
      return rule.allow(this.#audience, context) === true
    } catch (error) {
      this.failure ??= { code: 'FANFOLD_RULE_FAILED', place: text, error }
      return false
    }
  }

  #reads(rule: PrivacyRule, keys: readonly string[]): { [text: string]: JsonValue | undefined } {
    if (rule.reads.length === 0) return nothingRead
    const reads: { [text: string]: JsonValue | undefined } = Object.create(null)
    for (const { text, segments } of rule.reads) {
      let next = 0
      // A path has no more `*` than the pattern has keys.
      const path = segments.map(one => (one === anySegment ? (keys[next++] as string) : one))
      reads[text] = lend(valueAt(this.#state, path), this.#loan) as JsonValue | undefined
    }
    return Object.freeze(reads)
  }
}

const nothingRead: { [text: string]: JsonValue | undefined } = Object.freeze(Object.create(null))
