import { escapeSegment, isJsonObject, type JsonValue, type PatchOperation } from '@fanfold/document'
import { jsonOf, type Shadow, ShadowObject } from './shadow.ts'
import { appendDifference } from './view-difference.ts'

/**
 * Appends what makes `before`, at `path`, into what its shadow came to; undefined is nothing there.
 * Of an object only the members that changed are looked at. Recursion ends at the depth of a document.
 */
export function appendShadowDifference(
  before: JsonValue | undefined,
  after: Shadow | undefined,
  path: string,
  operations: PatchOperation[],
): void {
  if (after === undefined) {
    if (before !== undefined) operations.push({ op: 'remove', path })
  } else if (before === undefined) operations.push({ op: 'add', path, value: jsonOf(after) })
  else if (after instanceof ShadowObject && after.base === before && isJsonObject(before)) {
    for (const [name, member] of after.changed) {
      const was = Object.hasOwn(before, name) ? before[name] : undefined
      appendShadowDifference(was, member, `${path}/${escapeSegment(name)}`, operations)
    }
  } else appendDifference(before, jsonOf(after), path, operations)
}
