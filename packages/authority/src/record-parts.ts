/*
 * What a record says, in parts by label: who may see less gets fewer of them.
 */
import {
  definitionPartBytesMax,
  encodeDefinitionParts,
  isDefinitionInBounds,
  type JsonObject,
  type JsonValue,
  type LabelParts,
  type Labels,
  type PatchOperation,
  type RecordedDefinition,
  type SplitPatch,
} from '@fanfold/document'
import { assert, encodeUtf8 } from '@fanfold/kernel'
import { labelMax, limits, partTags } from '@fanfold/protocol'
import type { WriteProblem } from './write-problem.ts'

/** Payloads by rising tags, or why there is no such record. */
export type RecordParts =
  | { readonly ok: true; readonly payloads: readonly Payload[] }
  | ({ readonly ok: false } & WriteProblem)

/** What one part says. */
export type Payload = readonly [tag: number, payload: Uint8Array]

/** Bytes of a record beside its payloads, at most: header, two parts' heads, origin. */
const recordOverheadMax = 1_024
/** Length, salt and tag of a further part. */
const partHeadBytes = 21
/** Parts of a record that are not of labels: the crowd's and the authority's. */
const otherPartsMax = 2

/** A change of the state; `crowd` is what the record says of sessions, where it does. */
export function deltaParts(
  patch: readonly PatchOperation[],
  after: JsonObject,
  labels: Labels,
  crowd: readonly Payload[] = [],
): RecordParts {
  if (labels.isEmpty) return bounded([[partTags.public, toJson(patch)], ...crowd], 'a change')
  const split = labels.splitPatch(patch, after)
  return split.ok ? bounded([...patchPayloads(split.parts), ...crowd], 'a change') : split
}

/** The state that a document begins with. */
export function createParts(state: JsonObject, labels: Labels): RecordParts {
  if (labels.isEmpty) return bounded([[partTags.public, toJson(state)]], 'an initial state')
  const split = labels.splitState(state)
  if (!split.ok) return split
  const [root] = split.parts.get(partTags.public) ?? []
  assert(root?.op === 'add', 'the public part of a state adds the root')
  const labelled = patchPayloads(split.parts).slice(1)
  return bounded([[partTags.public, toJson(root.value)], ...labelled], 'an initial state')
}

/** The definition that a document stands under from here on, and what that moves between labels. */
export function definitionParts(definition: RecordedDefinition, moves: SplitPatch): RecordParts {
  if (!moves.ok) return moves
  if (!isDefinitionInBounds(definition)) {
    const message = `the patterns of one label have at most ${definitionPartBytesMax} bytes`
    return { ok: false, code: 'FANFOLD_TOO_LARGE', message }
  }
  return bounded(encodeDefinitionParts(definition, moves.parts), 'a change of labels')
}

function bounded(payloads: readonly Payload[], what: string): RecordParts {
  let bytes = 0
  for (const [, payload] of payloads) bytes += payload.length
  const heads = partHeadBytes * Math.max(0, payloads.length - 1)
  const bytesMax = limits.recordBytesMax.value - recordOverheadMax - heads
  if (bytes > bytesMax) {
    const message = `${what} of at most ${bytesMax} bytes, got ${bytes}`
    return { ok: false, code: 'FANFOLD_TOO_LARGE', message }
  }
  const partsMax = limits.partsPerRecordMax.value - otherPartsMax
  if (payloads.filter(([tag]) => tag <= labelMax).length <= partsMax) return { ok: true, payloads }
  const message = `${what} in at most ${partsMax} labels, got ${payloads.length}`
  return { ok: false, code: 'FANFOLD_TOO_LARGE', message }
}

const patchPayloads = (parts: LabelParts): Payload[] =>
  [...parts].map(([label, patch]) => [label, toJson(patch)])

const toJson = (value: JsonValue | readonly PatchOperation[]): Uint8Array =>
  encodeUtf8(JSON.stringify(value))
