import type { EdgeDefinition, PrivacyRule } from '@fanfold/definition'
import { parsePathPattern } from '@fanfold/document'
import { assert } from '@fanfold/kernel'
import { Coverage } from './coverage.ts'

/** The rules of one edge variant, made ready to be asked about places; cohorts share them. */
export class ViewRules {
  readonly definition: EdgeDefinition
  /** What rules and labels say at the root. */
  readonly root: Coverage
  /** The rules that depend on the state. */
  readonly readers: readonly PrivacyRule[]

  constructor(definition: EdgeDefinition) {
    this.definition = definition
    const labels = definition.labels.map(({ pattern, label }) => {
      const parsed = parsePathPattern(pattern)
      assert(parsed !== undefined, `a label stands at a pattern, got ${pattern}`)
      return { pattern: parsed, label }
    })
    this.root = Coverage.compile(definition.rules, labels)
    this.readers = definition.rules.filter(rule => rule.reads.length > 0)
  }
}
