/*
 * The door through which values enter a document. What authors' code and parsers hand over is
 * `unknown`; what comes out is a fresh value of plain objects, arrays and scalars that JSON can say
 * exactly, inside the document's limits, with its size measured on the way.
 *
 * Sizes count a comma after each member and element. So a sum over changes stays right without a
 * look at the neighbours: the JSON text is never longer, and shorter only by one byte for each
 * container that is not empty.
 */
import type { DocumentLimits } from './document-limits.ts'
import { forbiddenKeys, type JsonObject, type JsonValue } from './json.ts'
import { escapeSegment, type Pointer } from './pointer.ts'

/** Why a value cannot be part of a document. */
export type JsonProblem = {
  readonly code:
    | 'FANFOLD_NOT_JSON'
    | 'FANFOLD_FORBIDDEN_KEY'
    | 'FANFOLD_TOO_DEEP'
    | 'FANFOLD_TOO_LARGE'
  /** Where it would have been. */
  readonly pointer: Pointer
  /** Says what is wrong, where, with the numbers. */
  readonly message: string
}

/** A fresh value with its size as `jsonBytes` counts it, or the first problem found. */
export type AdoptedJson =
  | { readonly ok: true; readonly value: JsonValue; readonly bytes: number }
  | { readonly ok: false; readonly problem: JsonProblem }

/**
 * Copies `value` deeply, if it is JSON within the limits, in one pass.
 *
 * Refused are undefined, functions, symbols, bigints, NaN and infinities, instances of classes,
 * holes, accessors, and cycles (by their depth). -0 becomes 0. Members that are not enumerable, and
 * named properties of arrays, are left out as JSON leaves them out.
 *
 * @param pointer where the value is to stand; its segments count towards the depth
 * @param unwrap gives the object behind a stand-in, for callers that hand out stand-ins
 */
export function adoptJson(
  value: unknown,
  limits: DocumentLimits,
  pointer: Pointer = '',
  unwrap: (value: object) => object = itself,
): AdoptedJson {
  return adopt(value, new Adoption(limits, { pointer, unwrap, isUndefinedLeftOut: false }))
}

/**
 * As `adoptJson`, for what authors' functions return: members that are undefined are left out, as
 * `JSON.stringify` leaves them out.
 */
export function adoptReturned(value: unknown, limits: DocumentLimits): AdoptedJson {
  return adopt(
    value,
    new Adoption(limits, { pointer: '', unwrap: itself, isUndefinedLeftOut: true }),
  )
}

function adopt(value: unknown, adoption: Adoption): AdoptedJson {
  const copy = adoption.copy(value)
  if (copy !== undefined) return { ok: true, value: copy, bytes: adoption.bytes }
  return { ok: false, problem: adoption.problem }
}

/** Bytes of a value's JSON text in UTF-8, with a comma after each member and element. */
export function jsonBytes(value: JsonValue): number {
  if (typeof value === 'string') return textBytes(value)
  if (typeof value === 'number') return numberBytes(value)
  if (typeof value === 'boolean') return value ? 4 : 5
  if (value === null) return 4
  let bytes = 2
  if (Array.isArray(value)) {
    for (const element of value) bytes += jsonBytes(element) + 1
    return bytes
  }
  for (const name of Object.keys(value)) {
    const member = value[name]
    if (member !== undefined) bytes += memberBytes(name) + jsonBytes(member)
  }
  return bytes
}

/** What a member costs beside its value: its name in quotes, a colon and a comma. */
export const memberBytes = (name: string): number => textBytes(name) + 2

/** Bytes of a text as JSON in UTF-8, quotes included; a lone surrogate is escaped, as JSON does. */
export function textBytes(text: string): number {
  let bytes = text.length + 2
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit >= 0x20 && unit < 0x80) {
      if (unit === 0x22 || unit === 0x5c) bytes++
    } else if (unit < 0x20) {
      // \b \t \n \f \r are two bytes, the other control characters \u00xx.
      bytes += unit >= 8 && unit <= 13 && unit !== 11 ? 1 : 5
    } else if (unit < 0x800) bytes++
    else if (unit < 0xd800 || unit > 0xdfff) bytes += 2
    else if (isPair(unit, text.charCodeAt(index + 1))) {
      bytes += 2
      index++
    } else bytes += 5
  }
  return bytes
}

const isPair = (first: number, second: number): boolean =>
  first <= 0xdbff && second >= 0xdc00 && second <= 0xdfff

function numberBytes(value: number): number {
  if (!Number.isInteger(value) || value < 0 || value >= 1e14) return String(value).length
  let bytes = 1
  for (let left = value; left >= 10; left /= 10) bytes++
  return bytes
}

const itself = (value: object): object => value

/** One call of `adoptJson`. */
class Adoption {
  readonly #limits: DocumentLimits
  readonly #pointer: Pointer
  readonly #unwrap: (value: object) => object
  readonly #isUndefinedLeftOut: boolean
  /** The way from `#pointer` to the value in hand. */
  readonly #segments: (string | number)[] = []
  readonly #baseDepth: number
  /** Bytes of the pointer to the container in hand. */
  #pointerBytes: number
  #problem: JsonProblem | undefined
  bytes = 0

  constructor(
    limits: DocumentLimits,
    options: {
      readonly pointer: Pointer
      readonly unwrap: (value: object) => object
      readonly isUndefinedLeftOut: boolean
    },
  ) {
    const { pointer, unwrap, isUndefinedLeftOut } = options
    this.#limits = limits
    this.#pointer = pointer
    this.#unwrap = unwrap
    this.#isUndefinedLeftOut = isUndefinedLeftOut
    this.#baseDepth = pointer === '' ? 0 : pointer.split('/').length - 1
    this.#pointerBytes = textBytes(pointer) - 2
  }

  get problem(): JsonProblem {
    return this.#problem ?? this.#problemOf('FANFOLD_NOT_JSON', 'a value that is not JSON')
  }

  /** The copy, or `undefined` after noting the problem. Recursion ends at `depthMax`. */
  copy(value: unknown): JsonValue | undefined {
    const depthMax = this.#limits.depthMax.value
    if (this.#baseDepth + this.#segments.length > depthMax) {
      return this.#refuse('FANFOLD_TOO_DEEP', `a value is at most ${depthMax} segments deep`)
    }
    switch (typeof value) {
      case 'string':
        return this.#text(value)
      case 'number':
        if (!Number.isFinite(value)) return this.#refuse('FANFOLD_NOT_JSON', `${value} is not JSON`)
        this.bytes += numberBytes(value)
        return value === 0 ? 0 : value
      case 'boolean':
        this.bytes += value ? 4 : 5
        return value
      case 'object':
        if (value !== null) return this.#container(this.#unwrap(value))
        this.bytes += 4
        return null
      default:
        return this.#refuse(
          'FANFOLD_NOT_JSON',
          `${typeof value === 'undefined' ? value : `a ${typeof value}`} is not JSON`,
        )
    }
  }

  #text(value: string): JsonValue | undefined {
    const bytes = textBytes(value)
    const max = this.#limits.textBytesMax.value
    if (bytes > max) {
      return this.#refuse('FANFOLD_TOO_LARGE', `a text has at most ${max} bytes, got ${bytes}`)
    }
    this.bytes += bytes
    return value
  }

  #container(value: object): JsonValue | undefined {
    const { writtenBytesMax } = this.#limits
    if (this.bytes > writtenBytesMax.value) {
      return this.#refuse('FANFOLD_TOO_LARGE', `at most ${writtenBytesMax.value} bytes`)
    }
    this.bytes += 2
    if (Array.isArray(value)) return this.#array(value)
    const prototype: unknown = Object.getPrototypeOf(value)
    if (!isPlainPrototype(prototype)) {
      return this.#refuse('FANFOLD_NOT_JSON', `${describeInstance(prototype)} is not JSON`)
    }
    return this.#object(value)
  }

  #array(value: readonly unknown[]): JsonValue | undefined {
    const copy: JsonValue[] = []
    const pointerBytes = this.#pointerBytes
    for (let index = 0; index < value.length; index++) {
      this.#segments.push(index)
      this.#pointerBytes = pointerBytes + 1 + numberBytes(index)
      if (this.#isPointerTooLong() || isAccessor(value, index)) return this.#refuseMember()
      const element = this.copy(value[index])
      if (element === undefined) return undefined
      copy.push(element)
      this.bytes++
      this.#segments.pop()
    }
    this.#pointerBytes = pointerBytes
    return copy
  }

  #object(value: object): JsonValue | undefined {
    const copy: JsonObject = {}
    const pointerBytes = this.#pointerBytes
    for (const name of Object.keys(value)) {
      this.#segments.push(name)
      const bytes = textBytes(name)
      if (forbiddenKeys.has(name)) {
        return this.#refuse('FANFOLD_FORBIDDEN_KEY', `no member may be named ${name}`)
      }
      const max = this.#limits.memberNameBytesMax.value
      if (bytes - 2 > max) {
        return this.#refuse(
          'FANFOLD_TOO_LARGE',
          `a member's name has at most ${max} bytes, got ${bytes - 2}`,
        )
      }
      this.#pointerBytes = pointerBytes + 1 + bytes - 2 + escapesIn(name)
      if (this.#isPointerTooLong() || isAccessor(value, name)) return this.#refuseMember()
      const given: unknown = Reflect.get(value, name)
      if (given === undefined && this.#isUndefinedLeftOut) {
        this.#segments.pop()
        continue
      }
      const member = this.copy(given)
      if (member === undefined) return undefined
      copy[name] = member
      this.bytes += bytes + 2
      this.#segments.pop()
    }
    this.#pointerBytes = pointerBytes
    return copy
  }

  #isPointerTooLong(): boolean {
    return this.#pointerBytes > this.#limits.pointerBytesMax.value
  }

  #refuseMember(): undefined {
    if (!this.#isPointerTooLong())
      return this.#refuse('FANFOLD_NOT_JSON', 'an accessor is not JSON')
    const max = this.#limits.pointerBytesMax.value
    return this.#refuse(
      'FANFOLD_TOO_LARGE',
      `a pointer has at most ${max} bytes, got ${this.#pointerBytes}`,
    )
  }

  #refuse(code: JsonProblem['code'], what: string): undefined {
    this.#problem = this.#problemOf(code, what)
    return undefined
  }

  #problemOf(code: JsonProblem['code'], what: string): JsonProblem {
    const tail = this.#segments.map(segment => `/${escapeSegment(String(segment))}`).join('')
    const pointer = this.#pointer + tail
    return { code, pointer, message: `${what}: ${describePointer(pointer)}` }
  }
}

/** A pointer as a message names it: short, however long it is. */
export const describePointer = (pointer: Pointer): string =>
  pointer === ''
    ? 'the root'
    : pointer.length > 200
      ? `${pointer.slice(0, 100)}…${pointer.slice(-80)}`
      : pointer

/** How many bytes longer a name is as a segment of a pointer. */
function escapesIn(name: string): number {
  let count = 0
  for (let index = 0; index < name.length; index++) {
    const unit = name.charCodeAt(index)
    if (unit === 0x7e || unit === 0x2f) count++
  }
  return count
}

function isAccessor(holder: object, name: string | number): boolean {
  const descriptor = Object.getOwnPropertyDescriptor(holder, name)
  return descriptor !== undefined && !('value' in descriptor)
}

/** True for the prototype of object literals, of any realm, and for none. */
function isPlainPrototype(prototype: unknown): boolean {
  if (prototype === Object.prototype || prototype === null) return true
  return (
    typeof prototype === 'object' &&
    Object.getPrototypeOf(prototype) === null &&
    Object.hasOwn(prototype, 'isPrototypeOf')
  )
}

function describeInstance(prototype: unknown): string {
  const maker: unknown =
    typeof prototype === 'object' && prototype !== null
      ? Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value
      : undefined
  return typeof maker === 'function' && maker.name !== ''
    ? `an instance of ${maker.name.slice(0, 50)}`
    : 'an instance of a class'
}
