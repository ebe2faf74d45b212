/*
 * Operations that make one value of another, smaller than the new value where they can be. What a
 * handler assigned over an older value of the same kind (a list it filtered, an object it spread)
 * becomes the few operations it amounts to.
 *
 * The older value may itself have been changed before it was replaced: it is read as it was.
 */
import {
  escapeSegment,
  type JsonObject,
  type JsonValue,
  jsonBytes,
  memberBytes,
  type PatchOperation,
  type Pointer,
  textBytes,
} from '@fanfold/document'
import { arrayHunks, type Hunk } from './array-delta.ts'
import type { Container, RecordNode } from './record-node.ts'

/** A place in a patch to come back to. */
export type Mark = { readonly count: number; readonly bytes: number }

/** A patch in the making. Recursion ends at the depth of documents. */
export class ValueDelta {
  readonly patch: PatchOperation[] = []
  /** At least the bytes of the patch as JSON text. */
  bytes = 2
  readonly #nodes: ReadonlyMap<Container, RecordNode>
  readonly #views = new Map<Container, Container>()
  #work = 0

  constructor(nodes: ReadonlyMap<Container, RecordNode>) {
    this.#nodes = nodes
  }

  add(path: Pointer, value: JsonValue): void {
    this.patch.push({ op: 'add', path, value })
    this.bytes += addBytes + textBytes(path) + jsonBytes(value)
  }

  replace(path: Pointer, value: JsonValue): void {
    this.patch.push({ op: 'replace', path, value })
    this.bytes += replaceBytes + textBytes(path) + jsonBytes(value)
  }

  remove(path: Pointer): void {
    this.patch.push({ op: 'remove', path })
    this.bytes += removeBytes + textBytes(path)
  }

  /** Makes `after` of `before` at `path`. */
  change(path: Pointer, before: JsonValue, after: JsonValue): void {
    if (before === after) return
    if (Array.isArray(before) && Array.isArray(after)) {
      const mark = this.mark()
      const view = this.#arrayBefore(before)
      this.writeHunks(path, view, after, this.hunks(view, after))
      this.keepSmaller(mark, path, after)
    } else if (isObject(before) && isObject(after)) {
      const mark = this.mark()
      this.#changeObject(path, this.#objectBefore(before), after)
      this.keepSmaller(mark, path, after)
    } else this.replace(path, after)
  }

  mark(): Mark {
    return { count: this.patch.length, bytes: this.bytes }
  }

  /** Puts one replacement in place of the operations since `mark`, if it is the shorter text. */
  keepSmaller(mark: Mark, path: Pointer, after: JsonValue): boolean {
    const spent = this.bytes - mark.bytes
    if (this.patch.length - mark.count < 2) return false
    if (bytesLeft(after, spent - replaceBytes - textBytes(path)) <= 0) return false
    this.patch.length = mark.count
    this.bytes = mark.bytes
    this.replace(path, after)
    return true
  }

  /** The stretches in which two arrays differ. */
  hunks(before: readonly JsonValue[], after: readonly JsonValue[]): Hunk[] {
    return arrayHunks({
      beforeCount: before.length,
      afterCount: after.length,
      isEqual: (beforeIndex, afterIndex) => {
        const old = before[beforeIndex]
        const now = after[afterIndex]
        if (old === now) {
          this.#work++
          return true
        }
        return old !== undefined && now !== undefined && this.#isEqual(old, now)
      },
      work: () => this.#work,
    })
  }

  /** Makes `after` of `before`, stretch by stretch, from the front. */
  writeHunks(
    path: Pointer,
    before: readonly JsonValue[],
    after: readonly JsonValue[],
    hunks: readonly Hunk[],
  ): void {
    for (const { beforeStart, beforeEnd, afterStart, afterEnd } of hunks) {
      const common = Math.min(beforeEnd - beforeStart, afterEnd - afterStart)
      for (let offset = 0; offset < common; offset++) {
        const old = before[beforeStart + offset]
        const now = after[afterStart + offset]
        if (old === undefined || now === undefined) continue
        this.change(`${path}/${afterStart + offset}`, old, now)
      }
      for (let index = beforeStart + common; index < beforeEnd; index++) {
        this.remove(`${path}/${afterStart + common}`)
      }
      for (let index = afterStart + common; index < afterEnd; index++) {
        const now = after[index]
        if (now !== undefined) this.add(`${path}/${index}`, now)
      }
    }
  }

  /** `jsonBytes` of a value as it was before the recording. */
  bytesBefore(value: JsonValue): number {
    if (typeof value !== 'object' || value === null) return jsonBytes(value)
    let bytes = 2
    if (Array.isArray(value)) {
      for (const element of this.#arrayBefore(value)) bytes += this.bytesBefore(element) + 1
      return bytes
    }
    for (const [key, member] of Object.entries(this.#objectBefore(value))) {
      bytes += memberBytes(key) + this.bytesBefore(member)
    }
    return bytes
  }

  #changeObject(path: Pointer, before: JsonObject, after: JsonObject): void {
    for (const key of Object.keys(before)) {
      if (!Object.hasOwn(after, key)) this.remove(`${path}/${escapeSegment(key)}`)
    }
    for (const [key, now] of Object.entries(after)) {
      const old = Object.hasOwn(before, key) ? before[key] : undefined
      const pointer = `${path}/${escapeSegment(key)}`
      if (old === undefined) this.add(pointer, now)
      else this.change(pointer, old, now)
    }
  }

  /** Whether `before`, as it was, equals `after`, as it is. The same container counts as equal. */
  #isEqual(before: JsonValue, after: JsonValue): boolean {
    this.#work++
    if (typeof before === 'string') {
      // Texts that differ late take as long as they are.
      this.#work += before.length >> 6
      return before === after
    }
    if (before === after) return true
    if (Array.isArray(before)) {
      if (!Array.isArray(after)) return false
      const view = this.#arrayBefore(before)
      return (
        view.length === after.length &&
        view.every((old, index) => {
          const now = after[index]
          return now !== undefined && this.#isEqual(old, now)
        })
      )
    }
    if (!isObject(before) || !isObject(after)) return false
    const view = this.#objectBefore(before)
    const keys = Object.keys(view)
    this.#work += keys.length
    return (
      keys.length === Object.keys(after).length &&
      keys.every(key => {
        const old = view[key]
        const now = Object.hasOwn(after, key) ? after[key] : undefined
        return old !== undefined && now !== undefined && this.#isEqual(old, now)
      })
    )
  }

  #arrayBefore(value: JsonValue[]): JsonValue[] {
    const view = this.#before(value)
    return Array.isArray(view) ? view : value
  }

  #objectBefore(value: JsonObject): JsonObject {
    const view = this.#before(value)
    return isObject(view) ? view : value
  }

  #before(value: Container): Container {
    const node = this.#nodes.get(value)
    if (node === undefined) return value
    const known = this.#views.get(value)
    if (known !== undefined) return known
    const view = node.before()
    this.#views.set(value, view)
    return view
  }
}

// Bytes of an operation beside its path and its value, with the comma after it.
const addBytes = '{"op":"add","path":,"value":},'.length
const replaceBytes = '{"op":"replace","path":,"value":},'.length
const removeBytes = '{"op":"remove","path":},'.length

const isObject = (value: JsonValue): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What is left of `bytes` after a value; not positive as soon as that is clear. */
function bytesLeft(value: JsonValue, bytes: number): number {
  if (typeof value !== 'object' || value === null) return bytes - jsonBytes(value)
  let left = bytes - 2
  if (Array.isArray(value)) {
    // An element has at least a byte, and its comma.
    if (left < 2 * value.length) return 0
    for (const element of value) {
      if (left <= 0) return 0
      left = bytesLeft(element, left - 1)
    }
    return left
  }
  for (const key of Object.keys(value)) {
    const member = value[key]
    if (left <= 0 || member === undefined) return 0
    left = bytesLeft(member, left - memberBytes(key))
  }
  return left
}
