/*
 * What a patch will do to a state, before it is done. A patch is looked at while the state is still
 * as it was, and must be understood as a whole: an operation may move what another one added. So the
 * patch is applied to shadows, which hold what has changed of a container and leave the rest where it
 * is. Cost follows the patch; only an array in which a patch works more than once is copied, its
 * elements by reference.
 */
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  memberOf,
  type PatchOperation,
  parsePointer,
} from '@fanfold/document'
import { isUnchanged, jsonOf, type Shadow, ShadowArray, ShadowObject } from './shadow.ts'
import { appendShadowDifference } from './shadow-difference.ts'

/** One change that a patch makes: an `add`, a `replace` or a `remove`, at a place, with its value. */
export type Touch = {
  readonly segments: readonly string[]
  /** How many segments lead to the first array on the way to it; undefined when there is none. */
  readonly arrayDepth: number | undefined
  readonly operation: PatchOperation
  /** True when what an earlier operation of the patch put there is gone with it, in whole or in part. */
  readonly isLossy: boolean
}

/** A patch, applied to shadows of the state. */
export class PatchPreview {
  readonly #state: JsonObject
  #root: Shadow
  /** What the patch does; moves and copies are what they add and remove, tests are nothing. */
  readonly touches: Touch[] = []
  /** False when an operation does not fit the state. */
  readonly isFitting: boolean
  /** True when the touches are the operations of the patch, one by one, as they stand. */
  readonly isVerbatim: boolean

  /** @param state neither changed nor kept longer than the preview */
  constructor(state: JsonObject, patch: readonly PatchOperation[]) {
    this.#state = state
    this.#root = state
    this.isFitting = patch.every(operation => this.#apply(operation))
    this.isVerbatim = this.touches.length === patch.length && patch.every(isVerbatim)
  }

  /** True when the patch leads to where it started, at the place and below. */
  isUnchangedAt(segments: readonly string[]): boolean {
    const { before, after } = this.#at(segments)
    return isUnchanged(before, after)
  }

  /**
   * What the patch comes to at the place and below, without what it does on the way there. The
   * values are the patch's and the state's: write them out before the state changes.
   */
  differenceAt(segments: readonly string[], pointer: string): readonly PatchOperation[] {
    const operations: PatchOperation[] = []
    const { before, after } = this.#at(segments)
    appendShadowDifference(before, after, pointer, operations)
    return operations
  }

  #at(segments: readonly string[]): {
    readonly before: JsonValue | undefined
    readonly after: Shadow | undefined
  } {
    let before: JsonValue | undefined = this.#state
    let after: Shadow | undefined = this.#root
    for (const name of segments) {
      before = memberOf(before, name)
      after = shadowBelow(after, name)
    }
    return { before, after }
  }

  #apply(operation: PatchOperation): boolean {
    switch (operation.op) {
      case 'test':
        return true
      case 'move': {
        const from = parsePointer(operation.from)
        const moved = from && this.#valueAt(from)
        if (from === undefined || moved === undefined) return false
        // A move to the root leaves nothing behind from which to take it away.
        if (operation.path !== '' && !this.#change(from, { op: 'remove', path: operation.from })) {
          return false
        }
        return this.#put({ op: 'add', path: operation.path, value: moved })
      }
      case 'copy': {
        const from = parsePointer(operation.from)
        const value = from && this.#valueAt(from)
        return value !== undefined && this.#put({ op: 'add', path: operation.path, value })
      }
      default:
        return this.#put(operation)
    }
  }

  #put(operation: PatchOperation): boolean {
    const segments = parsePointer(operation.path)
    return segments !== undefined && this.#change(segments, operation)
  }

  /** Makes one change; false when it does not fit. */
  #change(segments: readonly string[], operation: PatchOperation): boolean {
    const name = segments.at(-1)
    if (name === undefined) {
      if (!('value' in operation) || !isJsonObject(operation.value)) return false
      const isLossy = this.#root !== this.#state
      this.#root = operation.value
      this.touches.push({ segments, arrayDepth: undefined, operation, isLossy })
      return true
    }
    let container = shadowOf(this.#root, this.#root !== this.#state)
    if (container === undefined) return false
    this.#root = container
    let arrayDepth: number | undefined
    for (const [depth, step] of segments.slice(0, -1).entries()) {
      if (container instanceof ShadowArray) arrayDepth ??= depth
      const isTouched = container.isTouchedAt(step)
      const below: Container | undefined = shadowOf(container.get(step), isTouched)
      if (below === undefined) return false
      container.set(step, below)
      container = below
    }
    if (container instanceof ShadowArray) arrayDepth ??= segments.length - 1
    const isInsert = operation.op === 'add' && container instanceof ShadowArray
    const isLossy = !isInsert && container.isTouchedAt(name)
    this.touches.push({ segments, arrayDepth, operation, isLossy })
    return changeMember(container, name, operation)
  }

  /** The value at a place as the patch has made it so far; what is changed of it later is not in it. */
  #valueAt(segments: readonly string[]): JsonValue | undefined {
    let value: Shadow | undefined = this.#root
    for (const name of segments) value = shadowBelow(value, name)
    return value === undefined ? undefined : jsonOf(value)
  }
}

type Container = ShadowObject | ShadowArray

/** The shadow of a container; undefined of anything else. */
function shadowOf(value: Shadow | undefined, isGiven: boolean): Container | undefined {
  if (value instanceof ShadowObject || value instanceof ShadowArray) return value
  if (Array.isArray(value)) return new ShadowArray(value, isGiven)
  return isJsonObject(value) ? new ShadowObject(value, isGiven) : undefined
}

const isVerbatim = ({ op }: PatchOperation): boolean =>
  op === 'add' || op === 'replace' || op === 'remove'

function changeMember(container: Container, name: string, operation: PatchOperation): boolean {
  switch (operation.op) {
    case 'add':
      return container.add(name, operation.value)
    case 'replace':
      if (container.get(name) === undefined) return false
      container.set(name, operation.value)
      return true
    default:
      return container.remove(name)
  }
}

function shadowBelow(value: Shadow | undefined, name: string): Shadow | undefined {
  const isShadow = value instanceof ShadowObject || value instanceof ShadowArray
  return isShadow ? value.get(name) : memberOf(value, name)
}
