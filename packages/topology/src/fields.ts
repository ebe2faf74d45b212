import { decodeUtf8 } from '@fanfold/kernel'
import { badFrame } from '@fanfold/protocol'

/** The pattern of names of nodes, regions and tenants. */
export const namePattern: RegExp = /^[A-Za-z0-9][A-Za-z0-9_.~-]{0,79}$/

/** What a text field must be. */
export type TextRule = { readonly pattern: RegExp; readonly shape: string }

/** The rule of names of nodes, regions and tenants. */
export const nameRule: TextRule = {
  pattern: namePattern,
  shape: '1 to 80 of A-Z a-z 0-9 _ . ~ -, the first a letter or digit',
}

/** A range of numbers, both ends included. */
export type NumberRange = { readonly min: number; readonly max: number }

/**
 * The members of a JSON object that somebody else wrote, read one by one; those that nobody asks for may be
 * there, from a later version.
 *
 * Every reading throws a ProtocolError `FANFOLD_BAD_FRAME` that names the object, the field and what it
 * must be, when it is not that.
 */
export class Fields {
  readonly #what: string
  readonly #values: Readonly<Record<string, unknown>>

  /** @param what the object's name in messages */
  constructor(what: string, value: unknown) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      badFrame(`${what} is a JSON object`)
    }
    this.#what = what
    this.#values = value as Readonly<Record<string, unknown>>
  }

  /** The fields of an object written as UTF-8 JSON of at most `bytesMax` bytes. */
  static parse(what: string, bytes: Uint8Array, bytesMax: number): Fields {
    if (bytes.length > bytesMax) {
      badFrame(`${what} has at most ${bytesMax} bytes, got ${bytes.length}`)
    }
    const text = decodeUtf8(bytes) ?? badFrame(`${what} is well-formed UTF-8`)
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      badFrame(`${what} is JSON`)
    }
    return new Fields(what, value)
  }

  /** True when the field is there. */
  has(name: string): boolean {
    return Object.hasOwn(this.#values, name)
  }

  text(name: string, { pattern, shape }: TextRule): string {
    const value = this.#get(name)
    if (typeof value !== 'string' || !pattern.test(value)) this.#refuse(name, shape)
    return value as string
  }

  number(name: string, { min, max }: NumberRange): number {
    const value = this.#get(name)
    if (typeof value !== 'number' || !(value >= min && value <= max)) {
      this.#refuse(name, `a number of ${min} … ${max}`)
    }
    return value as number
  }

  integer(name: string, { min, max }: NumberRange): number {
    const value = this.#get(name)
    if (!Number.isSafeInteger(value) || (value as number) < min || (value as number) > max) {
      this.#refuse(name, `an integer of ${min} … ${max}`)
    }
    return value as number
  }

  flag(name: string): boolean {
    const value = this.#get(name)
    if (typeof value !== 'boolean') this.#refuse(name, 'true or false')
    return value as boolean
  }

  choice<Value extends string>(name: string, values: readonly Value[]): Value {
    const value = this.#get(name)
    const found = values.find(one => one === value)
    return found ?? this.#refuse(name, `one of ${values.join(', ')}`)
  }

  choices<Value extends string>(name: string, values: readonly Value[]): Value[] {
    const given = this.#list(name, values.length)
    return given.map(
      one => values.find(value => value === one) ?? this.#refuse(name, `of ${values.join(', ')}`),
    )
  }

  texts(name: string, rule: TextRule & { readonly countMax: number }): string[] {
    const given = this.#list(name, rule.countMax)
    return given.map(one =>
      typeof one === 'string' && rule.pattern.test(one)
        ? one
        : this.#refuse(name, `of ${rule.shape}`),
    )
  }

  object(name: string): Fields {
    return new Fields(`${this.#what}: ${name}`, this.#get(name))
  }

  #list(name: string, countMax: number): readonly unknown[] {
    const value = this.#get(name)
    if (!Array.isArray(value) || value.length > countMax) {
      return this.#refuse(name, `a list of at most ${countMax}`)
    }
    return value
  }

  // By own members only: a name that every object inherits is not a field.
  #get(name: string): unknown {
    return this.has(name) ? this.#values[name] : undefined
  }

  #refuse(name: string, expected: string): never {
    const got = JSON.stringify(this.#get(name))?.slice(0, 100)
    return badFrame(`${this.#what}: ${name} is ${expected}, got ${got}`)
  }
}
