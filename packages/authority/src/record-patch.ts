/*
 * From what a handler touched to the patch that says it: RFC 6902 operations, each path as the
 * document is when its turn comes. A container's own operations come before those of what is in it,
 * so that paths below are already in terms of the new state.
 */
import {
  escapeSegment,
  type JsonValue,
  jsonBytes,
  memberBytes,
  type PatchOperation,
  type Pointer,
} from '@fanfold/document'
import type { Hunk } from './array-delta.ts'
import { ArrayNode } from './record-array.ts'
import type { Container, RecordNode } from './record-node.ts'
import { ObjectNode } from './record-object.ts'
import { ValueDelta } from './value-delta.ts'

/** What a recording comes to. */
export type WrittenPatch = {
  readonly patch: PatchOperation[]
  /** At least the bytes of the patch as JSON text. */
  readonly patchBytes: number
  /** By how much `jsonBytes` of the state grew. */
  readonly bytesDelta: number
}

/**
 * The patch for `changed` nodes. The values in it are the state's own: encode it before anything
 * else changes the state.
 *
 * @param nodes every container the handler met, with its node
 */
export function writePatch(
  changed: readonly RecordNode[],
  nodes: ReadonlyMap<Container, RecordNode>,
): WrittenPatch {
  const writer = new PatchWriter(nodes)
  const ordered = changed.length < 2 ? changed : changed.toSorted((a, b) => a.depth - b.depth)
  for (const node of ordered) writer.write(node)
  return writer.finish()
}

/** Where a container that is part of both states stands in the new one. */
type Place = {
  readonly pointer: Pointer
  /** True when an operation above has already said all there is to say. */
  isSaid: boolean
}

class PatchWriter {
  readonly #delta: ValueDelta
  readonly #nodes: ReadonlyMap<Container, RecordNode>
  /** The places found so far; `undefined` for a container that is no longer part of the state. */
  readonly #places = new Map<RecordNode, Place | undefined>()
  /** For arrays whose elements moved: where the containers stand that are in both. */
  readonly #kept = new Map<RecordNode, ReadonlyMap<JsonValue, number>>()
  #bytesDelta = 0

  constructor(nodes: ReadonlyMap<Container, RecordNode>) {
    this.#nodes = nodes
    this.#delta = new ValueDelta(nodes)
  }

  finish(): WrittenPatch {
    const { patch, bytes } = this.#delta
    return { patch, patchBytes: bytes, bytesDelta: this.#bytesDelta }
  }

  write(node: RecordNode): void {
    const place = this.#placeOf(node)
    if (place === undefined) return
    if (node instanceof ObjectNode) this.#object(node, place)
    else if (node instanceof ArrayNode) this.#array(node, place)
  }

  #object(node: ObjectNode, place: Place): void {
    for (const [key, before] of node.touched) {
      const after = Object.hasOwn(node.target, key) ? node.target[key] : undefined
      if (before === after) continue
      if (before !== undefined)
        this.#bytesDelta -= memberBytes(key) + this.#delta.bytesBefore(before)
      if (after !== undefined) this.#bytesDelta += memberBytes(key) + jsonBytes(after)
      if (place.isSaid) continue
      const pointer = `${place.pointer}/${escapeSegment(key)}`
      if (after === undefined) this.#delta.remove(pointer)
      else if (before === undefined) this.#delta.add(pointer, after)
      else this.#delta.change(pointer, before, after)
    }
  }

  #array(node: ArrayNode, place: Place): void {
    const mark = this.#delta.mark()
    if (node.hasMoved) this.#moved(node, place)
    else this.#touched(node, place)
    if (!place.isSaid && this.#delta.keepSmaller(mark, place.pointer, node.target)) {
      place.isSaid = true
    }
  }

  /** An array whose elements stand where they stood, but for what came and went at the end. */
  #touched(node: ArrayNode, place: Place): void {
    const { target, touched, lengthBefore } = node
    for (const [index, before] of touched) {
      const after = target[index]
      if (before === after) continue
      this.#count(before, after)
      if (after !== undefined && !place.isSaid) {
        this.#delta.change(`${place.pointer}/${index}`, before, after)
      }
    }
    if (!place.isSaid) {
      for (let index = lengthBefore - 1; index >= target.length; index--) {
        this.#delta.remove(`${place.pointer}/${index}`)
      }
    }
    for (let index = lengthBefore; index < target.length; index++) {
      const after = target[index]
      this.#count(undefined, after)
      if (after !== undefined && !place.isSaid) this.#delta.add(`${place.pointer}/${index}`, after)
    }
  }

  #moved(node: ArrayNode, place: Place): void {
    const before = node.before()
    const after = node.target
    const hunks = this.#delta.hunks(before, after)
    this.#kept.set(node, this.#keptIn(before, after, hunks))
    for (const hunk of hunks) {
      const common = Math.min(hunk.beforeEnd - hunk.beforeStart, hunk.afterEnd - hunk.afterStart)
      for (let offset = 0; offset < common; offset++) {
        const old = before[hunk.beforeStart + offset]
        const now = after[hunk.afterStart + offset]
        if (old !== now) this.#count(old, now)
      }
      for (let index = hunk.beforeStart + common; index < hunk.beforeEnd; index++) {
        this.#count(before[index], undefined)
      }
      for (let index = hunk.afterStart + common; index < hunk.afterEnd; index++) {
        this.#count(undefined, after[index])
      }
    }
    if (!place.isSaid) this.#delta.writeHunks(place.pointer, before, after, hunks)
  }

  /** The containers the handler met that are the same ones at corresponding places of both arrays. */
  #keptIn(
    before: readonly JsonValue[],
    after: readonly JsonValue[],
    hunks: readonly Hunk[],
  ): ReadonlyMap<JsonValue, number> {
    const kept = new Map<JsonValue, number>()
    const note = (beforeIndex: number, afterIndex: number): void => {
      const element = after[afterIndex]
      if (typeof element !== 'object' || element === null) return
      if (element === before[beforeIndex] && this.#nodes.has(element)) kept.set(element, afterIndex)
    }
    let beforeIndex = 0
    let afterIndex = 0
    for (const hunk of [...hunks, endOf(before, after)]) {
      while (afterIndex < hunk.afterStart) note(beforeIndex++, afterIndex++)
      // Inside a stretch, elements correspond in the order they stand.
      while (beforeIndex < hunk.beforeEnd && afterIndex < hunk.afterEnd) {
        note(beforeIndex++, afterIndex++)
      }
      beforeIndex = hunk.beforeEnd
      afterIndex = hunk.afterEnd
    }
    return kept
  }

  #count(before: JsonValue | undefined, after: JsonValue | undefined): void {
    if (before !== undefined) this.#bytesDelta -= this.#delta.bytesBefore(before) + 1
    if (after !== undefined) this.#bytesDelta += jsonBytes(after) + 1
  }

  #placeOf(node: RecordNode): Place | undefined {
    if (this.#places.has(node)) return this.#places.get(node)
    const place = this.#findPlace(node)
    this.#places.set(node, place)
    return place
  }

  #findPlace(node: RecordNode): Place | undefined {
    const { parent, segment, target } = node
    if (parent === undefined) return { pointer: '', isSaid: false }
    const above = this.#placeOf(parent)
    if (above === undefined) return undefined
    const kept = this.#kept.get(parent)
    const at = kept === undefined ? segment : kept.get(target)
    if (at === undefined || Reflect.get(parent.target, at) !== target) return undefined
    const { pointer, isSaid } = above
    return { pointer: `${pointer}/${typeof at === 'string' ? escapeSegment(at) : at}`, isSaid }
  }
}

const endOf = (before: readonly JsonValue[], after: readonly JsonValue[]): Hunk => ({
  beforeStart: before.length,
  beforeEnd: before.length,
  afterStart: after.length,
  afterEnd: after.length,
})
