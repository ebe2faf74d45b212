/*
 * What a document's log says of its definition.
 *
 * A `definition` record comes before the first record that was made by it, also before `create`. Part
 * by part it is JSON: `variant`, the edge variant for links whose ceiling is the part's label or
 * above and below the next label; in the public part `viewKey`; in the part of a label `labels`, the
 * patterns that have it; and `patch`, what a change of labels moves from part to part. A snapshot
 * holds the same, without the patch, as a pair whose pointer is `definition`, which is no pointer.
 */
import type { PatchOperation } from './patch.ts'

/** The definition that a document stands under, as far as a ceiling lets it through. */
export type RecordedDefinition = {
  /** SHA-256 of the edge variant, 64 hexadecimal digits; undefined when no edge may serve it. */
  readonly variant: string | undefined
  /** 32 hexadecimal digits, random, the same for the life of the document, no viewer's to know. */
  readonly viewKey: string
  /** Patterns and their labels (1 … 239), in rising order of labels. */
  readonly labels: readonly LabelRule[]
}

/** Everything at and below a place, and from which label on it is seen. */
export type LabelRule = { readonly pattern: string; readonly label: number }

/** What a record does to a document, its parts put together. */
export type Change =
  | { readonly kind: 'create'; readonly patch: readonly PatchOperation[] }
  | { readonly kind: 'delta'; readonly patch: readonly PatchOperation[] }
  | {
      readonly kind: 'definition'
      readonly definition: RecordedDefinition
      readonly patch: readonly PatchOperation[]
    }
  | { readonly kind: 'delete' }
  /** A claim or a session: the state stays as it is. */
  | { readonly kind: 'none' }
