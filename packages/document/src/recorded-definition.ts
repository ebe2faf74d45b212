/*
 * What a document's log says of its definition.
 *
 * A `definition` record comes before the first record that was made by it, also before `create`. Part
 * by part it is JSON: `variant`, the edge variant for links whose ceiling is the part's label or
 * above and below the next label; in the public part `viewKey`; in the part of a label `labels`, the
 * patterns that have it; and `patch`, what a change of labels moves from part to part. A snapshot
 * holds the same, without the patch, as a pair whose pointer is `definition`, which is no pointer.
 */
import { encodeUtf8 } from '@fanfold/kernel'
import { partTags } from '@fanfold/protocol'
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts'
import { jsonBytes } from './json-value.ts'
import type { PatchOperation } from './patch.ts'
import { parsePathPattern } from './path-pattern.ts'

/** The definition that a document stands under, as far as a ceiling lets it through. */
export type RecordedDefinition = {
  /** SHA-256 of the edge variant, 64 hexadecimal digits; undefined when no edge may serve it. */
  readonly variant: string | undefined
  /** The same for each ceiling that is let through, rising; `variant` is the last one's. */
  readonly variants: readonly RecordedVariant[]
  /** 32 hexadecimal digits, random, the same for the life of the document, no viewer's to know. */
  readonly viewKey: string
  /** Patterns and their labels (1 … 239), in rising order of labels. */
  readonly labels: readonly LabelRule[]
}

/** Everything at and below a place, and from which label on it is seen. */
export type LabelRule = { readonly pattern: string; readonly label: number }

/** The edge variant for links with at least this ceiling and below the next one's. */
export type RecordedVariant = { readonly ceiling: number; readonly hash: string | undefined }

/**
 * Bytes of what one part says of a definition, without the patch, so that it fits in a piece of a
 * snapshot: its labels are what may be long.
 */
export const definitionPartBytesMax = 49_152

/**
 * The definition that these make, in the one form that equal ones have: labels in order, each once,
 * and only those variants that differ from the one before.
 */
export function recordedDefinition(options: {
  readonly variants: readonly RecordedVariant[]
  readonly viewKey: string
  readonly labels: readonly LabelRule[]
}): RecordedDefinition {
  const variants: RecordedVariant[] = []
  for (const { ceiling, hash } of options.variants.toSorted((a, b) => a.ceiling - b.ceiling)) {
    if (hash !== variants.at(-1)?.hash) variants.push({ ceiling, hash })
  }
  const labels = options.labels
    .map(({ pattern, label }) => ({ pattern, label }))
    .sort((a, b) => a.label - b.label || (a.pattern < b.pattern ? -1 : 1))
    .filter(({ pattern, label }, index, all) => {
      const before = all[index - 1]
      return before?.pattern !== pattern || before.label !== label
    })
  return { variant: variants.at(-1)?.hash, variants, viewKey: options.viewKey, labels }
}

/** True when two definitions say the same of a document, whatever its view key is. */
export const isSameDefinition = (a: RecordedDefinition, b: RecordedDefinition): boolean =>
  JSON.stringify([a.variants, a.labels]) === JSON.stringify([b.variants, b.labels])

/** Tags of the parts in which a definition has something to say, rising; the public one always. */
export function definitionTags(definition: RecordedDefinition): number[] {
  const tags = new Set<number>([partTags.public])
  for (const { ceiling } of definition.variants) tags.add(ceiling)
  for (const { label } of definition.labels) tags.add(label)
  return [...tags].sort((a, b) => a - b)
}

/** In a snapshot, the pointer of what is said of the definition; no place in a state has it. */
export const definitionPointer = 'definition'

/** What the part with `tag` says of a definition, without a patch. */
export function definitionPart(definition: RecordedDefinition, tag: number): JsonObject {
  const part: JsonObject = {}
  const variant = definition.variants.findLast(({ ceiling }) => ceiling <= tag)?.hash
  if (variant !== undefined) part['variant'] = variant
  if (tag === partTags.public) part['viewKey'] = definition.viewKey
  const labels = definition.labels.filter(({ label }) => label === tag)
  if (labels.length > 0) part['labels'] = labels.map(({ pattern }) => pattern)
  return part
}

/** True when each part of the definition fits where parts go. */
export const isDefinitionInBounds = (definition: RecordedDefinition): boolean =>
  definitionTags(definition).every(
    tag => jsonBytes(definitionPart(definition, tag)) <= definitionPartBytesMax,
  )

/**
 * The parts of a `definition` record, without salts, by rising tags: also those in which only a patch
 * has something to say.
 */
export function encodeDefinitionParts(
  definition: RecordedDefinition,
  patches: ReadonlyMap<number, readonly PatchOperation[]>,
): [tag: number, payload: Uint8Array][] {
  const tags = new Set(definitionTags(definition))
  for (const [tag, patch] of patches) if (patch.length > 0) tags.add(tag)
  return [...tags]
    .sort((a, b) => a - b)
    .map(tag => {
      const patch = patches.get(tag) ?? []
      const part = definitionPart(definition, tag)
      return [tag, encodeUtf8(JSON.stringify(patch.length === 0 ? part : { ...part, patch }))]
    })
}

/**
 * The definition that these parts make, by rising tags; `undefined` when one is not what a part is.
 * Members that this version does not know are ignored.
 */
export function decodeDefinition(
  parts: readonly (readonly [tag: number, part: unknown])[],
): RecordedDefinition | undefined {
  const variants: RecordedVariant[] = []
  const rules: LabelRule[] = []
  let viewKey: string | undefined
  for (const [tag, part] of parts) {
    if (!isJsonObject(part)) return undefined
    const { variant, labels = [] } = part
    if (variant !== undefined && !isHex(variant, 64)) return undefined
    variants.push({ ceiling: tag, hash: variant })
    if (!Array.isArray(labels) || (labels.length > 0 && tag === partTags.public)) return undefined
    for (const pattern of labels) {
      if (typeof pattern !== 'string' || parsePathPattern(pattern) === undefined) return undefined
      rules.push({ pattern, label: tag })
    }
    if (tag !== partTags.public) continue
    if (!isHex(part['viewKey'], 32)) return undefined
    viewKey = part['viewKey']
  }
  if (viewKey === undefined) return undefined
  const definition = recordedDefinition({ variants, viewKey, labels: rules })
  return isDefinitionInBounds(definition) ? definition : undefined
}

const isHex = (value: JsonValue | undefined, digits: number): value is string =>
  typeof value === 'string' && value.length === digits && /^[0-9a-f]*$/.test(value)
