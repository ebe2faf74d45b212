/*
 * Edge variants of boards as they travel: the text is the rules as JSON, cut to the variant's ceiling,
 * and what runs at an edge is made of nothing but this text.
 */
import type { LoadedVariant } from '@fanfold/authority'
import type { DocumentDefinition } from '@fanfold/definition'
import {
  assert,
  decodeUtf8,
  encodeUtf8,
  equalBytes,
  type Sha256,
  sha256Bytes,
  toHex,
} from '@fanfold/kernel'
import type { SignedVariant } from '@fanfold/protocol'
import { boardType, defineBoard } from './board.ts'
import { type BoardRules, labelOf, rulesUpTo } from './board-rules.ts'

/** A definition as an authority loads it. */
export type BuiltBoard = {
  readonly definition: DocumentDefinition
  readonly variants: readonly LoadedVariant[]
}

/** Builds definitions, runs variants, and remembers what every name stands for. */
export class BoardVariants {
  readonly #sha256: Sha256
  readonly #made = new Map<string, DocumentDefinition>()
  /** Equal texts say equal definitions: each is made once for all nodes. */
  readonly #byText = new Map<string, DocumentDefinition>()
  /** Markers that the texts of variants have, with the label from which on they may be there. */
  readonly #noteLabels = new Map<string, number>()

  constructor(sha256: Sha256) {
    this.#sha256 = sha256
  }

  /** The definition that says these rules, and a variant for ceiling 0 and for each of its labels. */
  build(rules: BoardRules): BuiltBoard {
    for (const { pattern, note } of rules.privacy) {
      this.#noteLabels.set(note, labelOf(rules, pattern))
    }
    for (const { label, note } of rules.labels) this.#noteLabels.set(note, label)
    const ceilings = new Set([0, ...rules.labels.map(({ label }) => label)])
    const variants = [...ceilings]
      .sort((a, b) => a - b)
      .map(ceiling => ({ ceiling, variant: this.#variantOf(rulesUpTo(rules, ceiling)) }))
    return { definition: defineBoard(rules), variants }
  }

  /** The definition that a variant's text says; undefined when its name is not the text's. */
  run({ hash, code }: SignedVariant): DocumentDefinition | undefined {
    return equalBytes(this.#hashOf(code), hash) ? this.evaluate(code) : undefined
  }

  /** The definition that a text says, which was checked before. */
  evaluate(code: Uint8Array): DocumentDefinition {
    const text = decodeUtf8(code)
    assert(text !== undefined, 'the text of a variant is UTF-8')
    let definition = this.#byText.get(text)
    if (definition === undefined) {
      // Variants come from this world's own authority, so the text is what was written.
      definition = defineBoard(JSON.parse(text) as BoardRules)
      this.#byText.set(text, definition)
    }
    return definition
  }

  /** What a name in a log stands for. */
  definitionOf(hash: string): DocumentDefinition {
    const definition = this.#made.get(hash)
    assert(definition !== undefined, `the log names a variant that was built, got ${hash}`)
    return definition
  }

  /** From which label on this marker may be in a variant; undefined for one that is in none. */
  noteLabel(marker: string): number | undefined {
    return this.#noteLabels.get(marker)
  }

  #variantOf(rules: BoardRules): SignedVariant {
    const code = encodeUtf8(JSON.stringify(rules))
    const hash = this.#hashOf(code)
    this.#made.set(toHex(hash), this.evaluate(code))
    return { hash, type: boardType, token: '', signature: new Uint8Array(0), code }
  }

  #hashOf(code: Uint8Array): Uint8Array {
    const hash = new Uint8Array(sha256Bytes)
    this.#sha256(code, hash, 0)
    return hash
  }
}
