/*
 * A record says part by part what it does; here its parts are put together. Patches of higher labels
 * apply after those of lower ones, so what is left of a record below a ceiling is a change too.
 */
import { type LogRecord, partTags, saltBytes, tagOf } from '@fanfold/protocol'
import { parseBounded } from './bounded-json.ts'
import { documentLimits } from './document-limits.ts'
import { isJsonObject } from './json.ts'
import type { PatchOperation } from './patch.ts'
import { decodeDefinition, type RecordedDefinition } from './recorded-definition.ts'

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

/** What a record does, or `undefined` when a part of it is not what such a part is. */
export function decodeChange(record: LogRecord): Change | undefined {
  switch (record.kind) {
    case 'create':
      return decodeCreate(record)
    case 'delta': {
      const patch = joinPatches(labelledParts(record))
      return patch === undefined ? undefined : { kind: 'delta', patch }
    }
    case 'definition':
      return decodeDefinitionRecord(record)
    case 'delete':
      return { kind: 'delete' }
    case 'claim':
    case 'session':
      return { kind: 'none' }
  }
}

type Part = readonly [tag: number, value: unknown]

/** The state without what is labelled, then what is, label by label. */
function decodeCreate(record: LogRecord): Change | undefined {
  const [first, ...others] = labelledParts(record)
  if (first === undefined || first[0] !== partTags.public) return undefined
  const state = first[1]
  const patch = joinPatches(others)
  if (!isJsonObject(state) || patch === undefined) return undefined
  return { kind: 'create', patch: [{ op: 'add', path: '', value: state }, ...patch] }
}

function decodeDefinitionRecord(record: LogRecord): Change | undefined {
  const parts = labelledParts(record)
  const definition = decodeDefinition(parts)
  const patches = parts.flatMap(([tag, part]): Part[] =>
    isJsonObject(part) && part['patch'] !== undefined ? [[tag, part['patch']]] : [],
  )
  const patch = joinPatches(patches)
  if (definition === undefined || patch === undefined) return undefined
  return { kind: 'definition', definition, patch }
}

/** The parts of labels, parsed; `undefined` stands for one that is not JSON. */
const labelledParts = (record: LogRecord): Part[] =>
  record
    .parts()
    .filter(part => tagOf(part) < partTags.crowd)
    .map(part => [tagOf(part), parseBounded(part.subarray(saltBytes + 1))])

/** One patch after the other, or `undefined` when one is none. */
function joinPatches(parts: readonly Part[]): readonly PatchOperation[] | undefined {
  let joined: readonly PatchOperation[] | undefined
  for (const [, patch] of parts) {
    if (!isPatch(patch)) return undefined
    joined = joined === undefined ? patch : [...joined, ...patch]
  }
  return joined ?? []
}

const isPatch = (value: unknown): value is PatchOperation[] =>
  Array.isArray(value) && value.every(isOperation)

function isOperation(value: unknown): boolean {
  if (!isJsonObject(value) || !isPath(value['path'])) return false
  switch (value['op']) {
    case 'add':
    case 'replace':
    case 'test':
      return value['value'] !== undefined
    case 'remove':
      return true
    // `move` and `copy` among them: some twenty make a document a million times as large or deep.
    default:
      return false
  }
}

/** True for a pointer that leads no deeper than documents go. */
const isPath = (path: unknown): boolean =>
  typeof path === 'string' && path.split('/', segmentsMax + 2).length <= segmentsMax + 1

const segmentsMax = documentLimits.depthMax.value
