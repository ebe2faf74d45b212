import { isJsonObject, type JsonObject, type JsonValue } from '@fanfold/document'
import { copyJson } from './json-copy.ts'
import { jsonEqual } from './json-equal.ts'

/** A value as a patch makes it: itself while nothing in it changes. */
export type Shadow = JsonValue | ShadowObject | ShadowArray

/** An object and what a patch changes of its members; the object itself stays as it is. */
export class ShadowObject {
  readonly base: JsonObject
  readonly #isGiven: boolean
  readonly #changed: Map<string, Shadow | undefined> = new Map()

  /** @param isGiven true when the object came with the patch */
  constructor(base: JsonObject, isGiven: boolean) {
    this.base = base
    this.#isGiven = isGiven
  }

  /** The members that were looked into or changed, as they are now; undefined where none is left. */
  get changed(): ReadonlyMap<string, Shadow | undefined> {
    return this.#changed
  }

  get(name: string): Shadow | undefined {
    if (this.#changed.has(name)) return this.#changed.get(name)
    return Object.hasOwn(this.base, name) ? this.base[name] : undefined
  }

  /** True when what is there, or something in it, came with the patch. */
  isTouchedAt(name: string): boolean {
    if (this.#changed.has(name)) return this.#changed.get(name) !== undefined
    return this.#isGiven && Object.hasOwn(this.base, name)
  }

  set(name: string, value: Shadow): void {
    this.#changed.set(name, value)
  }

  add(name: string, value: Shadow): boolean {
    this.#changed.set(name, value)
    return true
  }

  /** False when there is no such member. */
  remove(name: string): boolean {
    if (this.get(name) === undefined) return false
    this.#changed.set(name, undefined)
    return true
  }

  /** True when it came to what its object was. */
  get isUnchanged(): boolean {
    for (const [name, value] of this.#changed) {
      const before = Object.hasOwn(this.base, name) ? this.base[name] : undefined
      if (!isUnchanged(before, value)) return false
    }
    return true
  }

  /** A fresh object of what it came to. */
  value(): JsonObject {
    const value: JsonObject = {}
    for (const name of [...Object.keys(this.base), ...this.#changed.keys()]) {
      const member = this.get(name)
      if (member !== undefined) value[name] = jsonOf(member)
    }
    return value
  }
}

type Edit = {
  readonly kind: 'set' | 'insert' | 'remove'
  readonly index: number
  readonly value: Shadow
}

/** An array and what a patch changes of it; copied only once a second change looks into it. */
export class ShadowArray {
  readonly base: readonly JsonValue[]
  readonly #isGiven: boolean
  #edit: Edit | undefined
  #elements: Shadow[] | undefined
  /** For each element, whether it, or something in it, came with the patch. */
  #isTouched: boolean[] = []

  /** @param isGiven true when the array came with the patch */
  constructor(base: readonly JsonValue[], isGiven: boolean) {
    this.base = base
    this.#isGiven = isGiven
  }

  get(name: string): Shadow | undefined {
    const index = indexOf(name)
    if (this.#edit === undefined && this.#elements === undefined) return this.base[index]
    return this.#copied()[index]
  }

  /** True when what is there, or something in it, came with the patch. */
  isTouchedAt(name: string): boolean {
    if (this.#edit === undefined && this.#elements === undefined) return this.#isGiven
    this.#copied()
    return this.#isTouched[indexOf(name)] === true
  }

  /** Puts a value in the place of an element that is there. */
  set(name: string, value: Shadow): void {
    this.#change({ kind: 'set', index: indexOf(name), value })
  }

  /** False when there would be a hole before it. */
  add(name: string, value: Shadow): boolean {
    const { length } = this.#elements ?? this.base
    // The first change decides how many elements there are; behind it the copy knows.
    const count = this.#edit === undefined ? length : this.#copied().length
    const index = name === '-' ? count : indexOf(name)
    if (!(index <= count)) return false
    this.#change({ kind: 'insert', index, value })
    return true
  }

  /** False when there is no such element. */
  remove(name: string): boolean {
    if (this.get(name) === undefined) return false
    this.#change({ kind: 'remove', index: indexOf(name), value: null })
    return true
  }

  /** True when it came to what its array was. */
  get isUnchanged(): boolean {
    const edit = this.#edit
    if (edit !== undefined) {
      return edit.kind === 'set' && isUnchanged(this.base[edit.index], edit.value)
    }
    const elements = this.#elements
    if (elements === undefined) return true
    return (
      elements.length === this.base.length &&
      elements.every((element, index) => isUnchanged(this.base[index], element))
    )
  }

  /** A fresh array of what it came to. */
  value(): JsonValue[] {
    return this.#copied().map(jsonOf)
  }

  #change(edit: Edit): void {
    if (this.#edit === undefined && this.#elements === undefined) this.#edit = edit
    else this.#carryOut(edit, this.#copied())
  }

  #copied(): Shadow[] {
    if (this.#elements === undefined) {
      this.#elements = this.base.slice()
      this.#isTouched = this.base.map(() => this.#isGiven)
    }
    if (this.#edit !== undefined) this.#carryOut(this.#edit, this.#elements)
    this.#edit = undefined
    return this.#elements
  }

  #carryOut({ kind, index, value }: Edit, elements: Shadow[]): void {
    const countRemoved = kind === 'insert' ? 0 : 1
    const inserted = kind === 'remove' ? [] : [value]
    elements.splice(index, countRemoved, ...inserted)
    this.#isTouched.splice(index, countRemoved, ...inserted.map(() => true))
  }
}

/** True when a place that held `before` (undefined: nothing) came to hold the same. */
export function isUnchanged(before: JsonValue | undefined, after: Shadow | undefined): boolean {
  if (after instanceof ShadowObject || after instanceof ShadowArray) {
    // A shadow of something else was moved here.
    return after.base === before ? after.isUnchanged : jsonEqual(before, jsonOf(after))
  }
  return jsonEqual(before, after)
}

/** What a shadow came to, as a value that later changes leave as it is. */
export function jsonOf(shadow: Shadow): JsonValue {
  if (shadow instanceof ShadowObject || shadow instanceof ShadowArray) return shadow.value()
  return isJsonObject(shadow) || Array.isArray(shadow) ? copyJson(shadow) : shadow
}

/** The index that a segment says; NaN when it says none. */
const indexOf = (name: string): number =>
  /^(?:0|[1-9]\d*)$/.test(name) ? Number(name) : Number.NaN
