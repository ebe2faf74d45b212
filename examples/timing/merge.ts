/*
 * How a line of a timing feed changes its topic.
 *
 * An object changes members; in an array its keys are indexes; `_deleted` lists members to remove;
 * anything else replaces. Null is a value like others and removes nothing: this is not RFC 7396.
 * What is equal already is not written, so that the log holds changes only. The walk is a list, not
 * a recursion: the depth of a line is its sender's choice.
 */
import type { JsonObject, JsonValue } from 'fanfold'

type Container = JsonObject | JsonValue[]

/** How far past its end an array may grow in one step. */
export const arrayGrowthMax = 10_000

const forbidden: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * Merges `patch` into `target`, in place.
 *
 * @throws Error for a key that is no index of an array, an index more than `arrayGrowthMax` past the
 *   end, and a member that no document may hold
 */
export function mergeInto(target: JsonObject, patch: JsonObject): void {
  mergeLevels(target, patch, mergedAside)
}

/** An object of its own, so that a new member is one operation of the log and not one for each leaf. */
const mergedAside: NewMember = patch => {
  const aside: JsonObject = {}
  mergeLevels(aside, patch, () => undefined)
  return aside
}

/** The value of a member that was no container yet; undefined to merge it level by level too. */
type NewMember = (patch: JsonObject) => JsonObject | undefined

function mergeLevels(target: JsonObject, patch: JsonObject, newMember: NewMember): void {
  const waiting = mergeMembers(target, patch, newMember)
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    // Looked up now: a `_deleted` after it may have removed it.
    const child = read(next.container, next.key)
    if (isContainer(child)) waiting.push(...mergeMembers(child, next.patch, newMember))
  }
}

type Waiting = { readonly container: Container; readonly key: string; readonly patch: JsonObject }

/** Merges one level, and returns the members that are to be merged one level deeper. */
function mergeMembers(container: Container, patch: JsonObject, newMember: NewMember): Waiting[] {
  const deeper: Waiting[] = []
  for (const [key, value] of Object.entries(patch)) {
    if (Array.isArray(container)) growTo(container, key)
    else if (forbidden.has(key)) throw new Error(`no document may hold a member ${key}`)

    const current = read(container, key)
    if (key === '_deleted' && !Array.isArray(container)) {
      removeMembers(container, value)
    } else if (!isObject(value)) {
      if (current === undefined || !isEqual(current, value)) write(container, key, value)
    } else {
      const complete = isContainer(current) ? undefined : newMember(value)
      if (!isContainer(current)) write(container, key, complete ?? {})
      if (complete === undefined) deeper.push({ container, key, patch: value })
    }
  }
  return deeper
}

function growTo(array: JsonValue[], key: string): void {
  if (!/^(0|[1-9]\d{0,9})$/.test(key)) {
    throw new Error(`an index of an array, got ${JSON.stringify(key.slice(0, 40))}`)
  }
  const index = Number(key)
  const { length } = array
  if (index > length + arrayGrowthMax) {
    throw new Error(`index ${index} is more than ${arrayGrowthMax} past the end, ${length}`)
  }
  for (let next = length; next < index; next++) array.push(null)
}

function removeMembers(container: JsonObject, names: JsonValue): void {
  if (!Array.isArray(names)) throw new Error('_deleted is a list of members')
  for (const name of names) {
    if (typeof name === 'string' && Object.hasOwn(container, name)) delete container[name]
  }
}

const read = (container: Container, key: string): JsonValue | undefined =>
  Array.isArray(container)
    ? container[Number(key)]
    : Object.hasOwn(container, key)
      ? container[key]
      : undefined

function write(container: Container, key: string, value: JsonValue): void {
  if (Array.isArray(container)) container[Number(key)] = value
  else container[key] = value
}

const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isContainer = (value: JsonValue | undefined): value is Container =>
  typeof value === 'object' && value !== null

/** Scalars by value, arrays by their text; members in another order count as a change. */
const isEqual = (a: JsonValue, b: JsonValue): boolean =>
  a === b || (isContainer(a) && isContainer(b) && JSON.stringify(a) === JSON.stringify(b))
