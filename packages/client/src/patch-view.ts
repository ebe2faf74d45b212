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

class Draft {
  root: JsonValue
  /** Containers that were copied for this patch, at one place of the draft each: free to change. */
  readonly #own = new Set<Container>()

  constructor(view: JsonValue) {
    this.root = view
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
        const found = this.#find(path)
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
    if (isInside) return from.length === path.length && this.#find(from) !== undefined
    const value = this.#remove(from)
    return value !== undefined && this.#add(path, value)
  }

  #copy(from: readonly string[], path: readonly string[]): boolean {
    const value = this.#find(from)
    if (value === undefined) return false
    // What is copied is at two places from now on, so nothing that it may hold is free to change.
    this.#own.clear()
    return this.#add(path, value)
  }

  #find(path: readonly string[]): JsonValue | undefined {
    let found: JsonValue | undefined = this.root
    for (const segment of path) {
      found = isContainer(found) ? childOf(found, segment) : undefined
    }
    return found
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
    if (this.#own.has(container)) return container
    const copy = Array.isArray(container) ? [...container] : { ...container }
    this.#own.add(copy)
    return copy
  }
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
