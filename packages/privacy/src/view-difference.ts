/*
 * What leads from one view to the next. A view has no history of its own, so both are compared, and
 * only what differs is said. An array is compared from both ends: what stays in front and behind is
 * left alone, and the middle is rewritten in place, then lengthened or shortened. So an insert and a
 * removal are one operation each; several apart from each other rewrite what lies between them.
 */
import {
  escapeSegment,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  type PatchOperation,
} from '@fanfold/document'
import { jsonEqual } from './json-equal.ts'

/**
 * The operations that make `before` into `after`, none when they are equal. Values in them are those
 * of `after` itself: write them out before it changes.
 */
export function viewDifference(before: JsonObject, after: JsonObject): readonly PatchOperation[] {
  const operations: PatchOperation[] = []
  appendDifference(before, after, '', operations)
  return operations
}

/** Appends what makes `before`, at `path`, into `after`. Recursion ends at the depth of a document. */
export function appendDifference(
  before: JsonValue,
  after: JsonValue,
  path: string,
  operations: PatchOperation[],
): void {
  if (before === after) return
  if (isJsonObject(before) && isJsonObject(after)) {
    appendObjectDifference(before, after, path, operations)
  } else if (Array.isArray(before) && Array.isArray(after)) {
    appendArrayDifference(before, after, path, operations)
  } else operations.push({ op: 'replace', path, value: after })
}

function appendObjectDifference(
  before: JsonObject,
  after: JsonObject,
  path: string,
  operations: PatchOperation[],
): void {
  for (const name of Object.keys(before)) {
    if (!Object.hasOwn(after, name)) operations.push({ op: 'remove', path: below(path, name) })
  }
  for (const name of Object.keys(after)) {
    const value = after[name] as JsonValue
    if (!Object.hasOwn(before, name)) operations.push({ op: 'add', path: below(path, name), value })
    else appendDifference(before[name] as JsonValue, value, below(path, name), operations)
  }
}

function appendArrayDifference(
  before: readonly JsonValue[],
  after: readonly JsonValue[],
  path: string,
  operations: PatchOperation[],
): void {
  const shorter = Math.min(before.length, after.length)
  let front = 0
  while (front < shorter && jsonEqual(before[front], after[front])) front++
  let behind = 0
  while (behind < shorter - front && jsonEqual(before.at(-1 - behind), after.at(-1 - behind))) {
    behind++
  }
  for (let index = front; index < shorter - behind; index++) {
    const [was, is] = [before[index] as JsonValue, after[index] as JsonValue]
    appendDifference(was, is, `${path}/${index}`, operations)
  }
  for (let index = before.length - behind - 1; index >= shorter - behind; index--) {
    operations.push({ op: 'remove', path: `${path}/${index}` })
  }
  for (let index = shorter - behind; index < after.length - behind; index++) {
    operations.push({ op: 'add', path: `${path}/${index}`, value: after[index] as JsonValue })
  }
}

const below = (path: string, name: string): string => `${path}/${escapeSegment(name)}`
