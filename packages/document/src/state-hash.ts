/*
 * What a state is, in few bytes: a hash for each label, over what a snapshot has under it. Below a
 * ceiling it is the hashes of the labels up to it, the same as above it: whoever holds as much as is
 * hashed can compare, and learns nothing of what it does not hold.
 *
 * The members of objects come in any order, as patches and undone changes leave them: so it is the
 * canonical text that is hashed.
 */
import { encodeUtf8, type Sha256, sha256Bytes } from '@fanfold/kernel'
import { type LabelHash, partTags } from '@fanfold/protocol'
import { canonicalJson, type JsonObject, type JsonValue } from './json.ts'
import { Labels } from './labels.ts'
import type { PatchOperation } from './patch.ts'
import { definitionPart, definitionTags, type RecordedDefinition } from './recorded-definition.ts'

/**
 * The hashes of a state, by rising tags; undefined for one that does not hold to its labels. Takes as
 * long as the state is large: some 25 ms for a megabyte.
 */
export function hashState(options: {
  readonly state: JsonObject
  readonly definition: RecordedDefinition | undefined
  readonly sha256: Sha256
}): LabelHash[] | undefined {
  const { state, definition, sha256 } = options
  const split = Labels.compile(definition?.labels ?? []).splitState(state)
  if (!split.ok) return undefined
  const tags = definition === undefined ? [partTags.public] : definitionTags(definition)
  return tags.map(tag => {
    const part = definition === undefined ? null : definitionPart(definition, tag)
    const hash = new Uint8Array(sha256Bytes)
    sha256(encodeUtf8(canonicalJson([part, pairsOf(split.parts.get(tag) ?? [])])), hash, 0)
    return { tag, hash }
  })
}

function pairsOf(operations: readonly PatchOperation[]): JsonValue[] {
  const pairs: [pointer: string, value: JsonValue][] = []
  for (const operation of operations) {
    if (operation.op === 'add') pairs.push([operation.path, operation.value])
  }
  return pairs.sort(([a], [b]) => (a < b ? -1 : 1))
}
