import type { DocumentDefinition } from '@fanfold/definition'
import {
  isSameDefinition,
  Labels,
  type RecordedDefinition,
  recordedDefinition,
} from '@fanfold/document'
import { toHex } from '@fanfold/kernel'
import type { SignedVariant } from '@fanfold/protocol'

/** An edge variant for links with at least this ceiling and below the next variant's. */
export type LoadedVariant = { readonly ceiling: number; readonly variant: SignedVariant }

/** A definition as an authority has it: what it runs, and what its documents' logs are to say. */
export class LoadedDefinition {
  readonly definition: DocumentDefinition
  readonly labels: Labels
  /** What logs are to say, each with a view key of its own. */
  readonly #recorded: RecordedDefinition

  /** @param variants in rising order of ceilings */
  constructor(definition: DocumentDefinition, variants: readonly LoadedVariant[]) {
    const rules = definition.labels.filter(({ label }) => label > 0)
    this.definition = definition
    this.labels = Labels.compile(rules)
    const made = new Map(
      variants.map(({ ceiling, variant }) => [ceiling, toHex(variant.hash)] as const),
    )
    // A variant knows the labels up to its ceiling: above a label without one nobody may be served.
    const ceilings = new Set([...made.keys(), ...this.labels.used])
    this.#recorded = recordedDefinition({
      variants: [...ceilings].map(ceiling => ({ ceiling, hash: made.get(ceiling) })),
      viewKey: '',
      labels: rules,
    })
  }

  /** What the log of a document with this view key is to say. */
  recordedWith(viewKey: string): RecordedDefinition {
    return { ...this.#recorded, viewKey }
  }

  /** True when a log that says this needs no further word; saying nothing says: neither labels nor variants. */
  isSaidBy(recorded: RecordedDefinition | undefined): boolean {
    if (recorded !== undefined) return isSameDefinition(recorded, this.#recorded)
    return this.labels.isEmpty && this.#recorded.variants.length === 0
  }
}
