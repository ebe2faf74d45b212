/*
 * RFC 6902 on values that never change: each container on the way to a change is copied once per
 * patch, everything else of the new view is the old view's, by reference. A patch that fails half way
 * therefore leaves nothing behind. Cost: the width of the containers on the touched paths.
 */
import { forbiddenKeys, isJsonObject, type JsonValue, parsePointer } from '@fanfold/document'
import { keepEqual } from './keep-equal.ts'

/**
 * The view after `patch`, sharing every untouched part with `view`, which stays as it is.
 *
 * Returns `undefined` when an operation is malformed, names `__proto__`, `constructor` or
 * `prototype`, or does not fit the view. The operations' values become part of the new view.
 */
export function patchView(view: JsonValue, patch: readonly unknown[]): JsonValue | undefined {
  const draft = new Draft(view)
  return patch.every(operation => draft.perform(operation)) ? draft.root : undefined
}

type Container = JsonValue[] | { [key: string]: JsonValue }

/** A view that is being made of another one, or of nothing. */
export class Draft {
  root: JsonValue | undefined
  /** Containers that were copied for this draft, or came empty, at one place of it each: free to change. */
  readonly own: Set<JsonValue> = new Set()

  constructor(view: JsonValue | undefined) {
    this.root = view
  }

  /**
   * Puts the value of a pair where nothing is yet: the root first, then members, and elements at the
   * ends of their arrays. What equals the part of `shown` at that place is replaced by it. False when it
   * does not fit.
   */
  put(pair: unknown, shown: JsonValue | undefined): boolean {
    if (!Array.isArray(pair)) return false
    const [pointer, value]: JsonValue[] = pair
    const path = safePointer(pointer)
    if (path === undefined || value === undefined || find(this.root, path) !== undefined) {
      return false
    }
    const isEmpty = isContainer(value) && Object.keys(value).length === 0
    // What comes into it is still to be compared.
    if (isEmpty) this.own.add(value)
    const old = isEmpty ? undefined : find(shown, path)
    return this.#add(path, old === undefined ? value : keepEqual(old, value))
  }

  /** Does one operation; false when it does not fit. */
  perform(operation: unknown): boolean {
    if (!isJsonObject(operation)) return false
    const path = safePointer(operation['path'])
    if (path === undefined) return false
    const value = operation['value']
    switch (operation['op']) {
      case 'add':
        return value !== undefined && this.#add(path, value)
      case 'replace':
        return value !== undefined && this.#replace(path, value)
      case 'remove':
        return this.#remove(path) !== undefined
      case 'test': {
        const found = find(this.root, path)
        return found !== undefined && value !== undefined && keepEqual(found, value) === found
      }
      case 'move':
      case 'copy': {
        const from = safePointer(operation['from'])
        if (from === undefined) return false
        return operation['op'] === 'move' ? this.#move(from, path) : this.#copy(from, path)
      }
      default:
        return false
    }
  }

  #add(path: readonly string[], value: JsonValue): boolean {
    const segment = path.at(-1)
    if (segment === undefined) {
      this.root = value
      return true
    }
    const container = this.#open(path)
    if (container === undefined) return false
    if (!Array.isArray(container)) {
      container[segment] = value
      return true
    }
    const index = segment === '-' ? container.length : indexOf(segment)
    if (index === undefined || index > container.length) return false
    container.splice(index, 0, value)
    return true
  }

  #replace(path: readonly string[], value: JsonValue): boolean {
    const segment = path.at(-1)
    if (segment === undefined) {
      this.root = value
      return true
    }
    const container = this.#open(path)
    if (container === undefined || childOf(container, segment) === undefined) return false
    setChild(container, segment, value)
    return true
  }

  /** Takes a value out and returns it. The root stays: a view is always there. */
  #remove(path: readonly string[]): JsonValue | undefined {
    const segment = path.at(-1)
    const container = segment === undefined ? undefined : this.#open(path)
    if (segment === undefined || container === undefined) return undefined
    const value = childOf(container, segment)
    if (value === undefined) return undefined
    if (Array.isArray(container)) container.splice(Number(segment), 1)
    else delete container[segment]
    return value
  }

  #move(from: readonly string[], path: readonly string[]): boolean {
    const isInside = from.every((segment, index) => segment === path[index])
    if (isInside) return from.length === path.length && find(this.root, from) !== undefined
    const value = this.#remove(from)
    return value !== undefined && this.#add(path, value)
  }

  #copy(from: readonly string[], path: readonly string[]): boolean {
    const value = find(this.root, from)
    if (value === undefined) return false
    // What is copied is at two places from now on, so nothing that it may hold is free to change.
    this.own.clear()
    return this.#add(path, value)
  }

  /** The container of the last segment, it and all above it free to change. */
  #open(path: readonly string[]): Container | undefined {
    if (!isContainer(this.root)) return undefined
    let container = this.#copied(this.root)
    this.root = container
    for (const segment of path.slice(0, -1)) {
      const child = childOf(container, segment)
      if (!isContainer(child)) return undefined
      const copied = this.#copied(child)
      setChild(container, segment, copied)
      container = copied
    }
    return container
  }

  #copied(container: Container): Container {
    if (this.own.has(container)) return container
    const copy = Array.isArray(container) ? [...container] : { ...container }
    this.own.add(copy)
    return copy
  }
}

function find(root: JsonValue | undefined, path: readonly string[]): JsonValue | undefined {
  let found = root
  for (const segment of path) found = isContainer(found) ? childOf(found, segment) : undefined
  return found
}

const isContainer = (value: JsonValue | undefined): value is Container =>
  Array.isArray(value) || isJsonObject(value)

function childOf(container: Container, segment: string): JsonValue | undefined {
  if (!Array.isArray(container)) {
    return Object.hasOwn(container, segment) ? container[segment] : undefined
  }
  const index = indexOf(segment)
  return index === undefined ? undefined : container[index]
}

/** Puts a value where one is. */
function setChild(container: Container, segment: string, value: JsonValue): void {
  if (Array.isArray(container)) container[Number(segment)] = value
  else container[segment] = value
}

const indexOf = (segment: string): number | undefined =>
  /^(0|[1-9]\d{0,9})$/.test(segment) ? Number(segment) : undefined

function safePointer(pointer: unknown): readonly string[] | undefined {
  const path = typeof pointer === 'string' ? parsePointer(pointer) : undefined
  return path?.some(segment => forbiddenKeys.has(segment)) ? undefined : path
}
