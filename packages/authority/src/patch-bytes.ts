import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  jsonBytes,
  memberBytes,
  memberOf,
  type PatchOperation,
  parsePointer,
  valueAt,
} from '@fanfold/document'

/**
 * Bytes of a state, as `jsonBytes` counts them, after an operation that is about to be applied: from
 * those before it, and a look at what it puts in and takes out. Of one that does not fit, those before.
 */
export function bytesAfter(bytes: number, state: JsonObject, operation: PatchOperation): number {
  const isWrite = operation.op === 'add' || operation.op === 'replace'
  const segments = parsePointer(operation.path)
  if (segments === undefined || !(isWrite || operation.op === 'remove')) return bytes
  const last = segments.pop()
  if (last === undefined) return isWrite ? jsonBytes(operation.value) : bytes
  const parent = valueAt(state, segments)
  if (typeof parent !== 'object' || parent === null) return bytes
  const before = memberOf(parent, last)
  const beside = isJsonObject(parent) ? memberBytes(last) : 1
  if (!isWrite) return before === undefined ? bytes : bytes - beside - jsonBytes(before)
  const isInserted = before === undefined || (operation.op === 'add' && Array.isArray(parent))
  return bytes + jsonBytes(operation.value) + (isInserted ? beside : -bytesOf(before))
}

const bytesOf = (value: JsonValue | undefined): number =>
  value === undefined ? 0 : jsonBytes(value)
