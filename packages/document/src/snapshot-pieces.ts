/*
 * Values in pieces of at most 64 KiB, and back. A piece is a JSON text of [pointer, value] pairs; set
 * one after the other into what those before have made, they give the whole.
 *
 * That every value fits follows from the limit on texts in a document (48 KiB of JSON) and on
 * pointers: what is larger is a container, and a container is opened.
 */
import { assert, encodeUtf8 } from '@fanfold/kernel'
import { badFrame, limits } from '@fanfold/protocol'
import { parseBounded } from './bounded-json.ts'
import { documentLimits } from './document-limits.ts'
import { forbiddenKeys, isJsonObject, type JsonObject, type JsonValue } from './json.ts'
import { jsonBytes, memberBytes } from './json-value.ts'
import { escapeSegment, memberOf, parsePointer } from './pointer.ts'

const bytesMax: number = limits.snapshotPieceBytesMax.value

/** Of so many members together none is likely to be larger than a piece. */
const manyMembers = 64

/** A value and its place. */
export type Pair = { readonly pointer: string; readonly value: JsonValue }

/** The pieces of values one after the other; each is filled before the next is begun. */
export function encodePieces(pairs: readonly Pair[]): Uint8Array[] {
  const writer = new PieceWriter()
  for (const { pointer, value } of pairs) writer.write(pointer, value)
  return writer.finish()
}

/** A container that fits into no piece, in the midst of being written member by member. */
type OpenContainer = {
  readonly container: JsonValue[] | JsonObject
  /** Names of the members of an object. */
  readonly names: readonly string[] | undefined
  /** Members, or elements. */
  readonly count: number
  /** The pointer of a member without its last segment. */
  readonly prefix: string
  next: number
}

/** Writes values one after the other into pieces; each is filled before the next is begun. */
export class PieceWriter {
  readonly #pieces: Uint8Array[] = []
  /** The pairs of the piece in hand. */
  #texts: string[] = []
  /** Bytes of it, with a comma after each pair. */
  #bytes = 2
  /** Whether one of many members was larger than a piece: from then on every value is looked at first. */
  #isWary = false

  /** Writes a value: whole where it fits into a piece, or else container by container. */
  write(pointer: string, value: JsonValue): void {
    for (const _ of this.writing(pointer, value));
  }

  /** The same with a pause whenever a piece is full; the value must not change in them. */
  *writing(pointer: string, value: JsonValue): Generator<undefined> {
    let full = this.#pieces.length
    // The innermost one last.
    const open: OpenContainer[] = []
    const first = this.#add(pointer, value, false)
    if (first !== undefined) open.push(first)
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const { container, names, count, prefix } = top
      if (top.next === count) {
        open.pop()
        continue
      }
      const at = top.next++
      const name = names === undefined ? String(at) : (names[at] as string)
      const member = Array.isArray(container) ? container[at] : container[name]
      const isOneOfMany = count >= manyMembers
      const opened = this.#add(prefix + escapeSegment(name), member as JsonValue, isOneOfMany)
      if (opened !== undefined) open.push(opened)
      if (this.#pieces.length <= full) continue
      yield
      full = this.#pieces.length
    }
    if (this.#pieces.length > full) yield
  }

  /** The pieces that are full, which are then the caller's. */
  take(): Uint8Array[] {
    return this.#pieces.splice(0)
  }

  /** The pieces that were not taken yet, the last one as it is. */
  finish(): Uint8Array[] {
    this.#flush()
    return this.take()
  }

  /** Adds a pair; a container that is too large goes in empty and is returned. */
  #add(pointer: string, value: JsonValue, isOneOfMany: boolean): OpenContainer | undefined {
    const isTrusted = isOneOfMany && !this.#isWary
    if (isTrusted || bytesLeft(value, bytesMax) >= 0) {
      const text = JSON.stringify([pointer, value])
      const bytes = utf8Length(text)
      if (bytes + 2 <= bytesMax) {
        this.#push(text, bytes)
        return undefined
      }
      if (isTrusted) this.#isWary = true
    }
    assert(typeof value === 'object' && value !== null, `a text at ${pointer} fits into a piece`)
    const names = Array.isArray(value) ? undefined : Object.keys(value)
    const { length: count } = Array.isArray(value) ? value : (names ?? [])
    const text = JSON.stringify([pointer, names === undefined ? [] : {}])
    this.#push(text, utf8Length(text))
    return { container: value, names, count, prefix: `${pointer}/`, next: 0 }
  }

  #push(text: string, bytes: number): void {
    if (this.#bytes + bytes + 1 > bytesMax) this.#flush()
    this.#texts.push(text)
    this.#bytes += bytes + 1
  }

  #flush(): void {
    if (this.#texts.length === 0) return
    const piece = encodeUtf8(`[${this.#texts.join(',')}]`)
    assert(piece.length <= bytesMax, `a piece has at most ${bytesMax} bytes, got ${piece.length}`)
    this.#pieces.push(piece)
    this.#texts = []
    this.#bytes = 2
  }
}

/**
 * What is left of `left` bytes behind a value's JSON, at the most: less than nothing when it surely has
 * more, after a look at so much of it only. A container that has to be opened is not written out
 * first, or a deep document would be once for each of its levels. Recursion ends at the depth of a
 * document.
 */
function bytesLeft(value: JsonValue, left: number): number {
  if (typeof value === 'string') return left - value.length - 2
  if (typeof value !== 'object' || value === null) return left - 1
  // Brackets; and behind each member but one a comma.
  let rest = left - 1
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length && rest >= 0; index++) {
      rest = bytesLeft(value[index] as JsonValue, rest - 1)
    }
    return rest
  }
  for (const name in value) {
    if (rest < 0) return rest
    rest = bytesLeft(value[name] as JsonValue, rest - name.length - 4)
  }
  return rest
}

/** False for a value whose JSON surely has more bytes; of a larger one no more than that is looked at. */
export const mayFit = (value: JsonValue, bytesMax: number): boolean =>
  bytesLeft(value, bytesMax) >= 0

/** Bytes of `text` in UTF-8, without encoding it. */
function utf8Length(text: string): number {
  let length = text.length
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit < 0x80) continue
    // Two bytes up to U+07FF, three above; a surrogate pair is two units and four bytes.
    length += unit < 0x800 ? 1 : unit >= 0xd800 && unit <= 0xdfff ? 1 : 2
  }
  return length
}

/** The pairs of one piece. @throws ProtocolError `FANFOLD_BAD_FRAME` */
export function decodePairs(piece: Uint8Array): (readonly [pointer: string, value: JsonValue])[] {
  const pairs = parseBounded(piece) ?? badFrame('a piece is JSON, no deeper than documents are')
  const arePairs =
    Array.isArray(pairs) &&
    pairs.every(pair => Array.isArray(pair) && pair.length === 2 && typeof pair[0] === 'string')
  return arePairs ? (pairs as [string, JsonValue][]) : badFrame('a piece is an array of pairs')
}

/** Makes a value of pairs: each is set into what those before have made. */
export class PairSetter {
  readonly #isCounting: boolean
  #root: JsonValue | undefined
  #bytes = 0
  /** Pointer to the container that was set into last, and what it holds. */
  #parentPointer: string | undefined
  #parent: JsonValue | undefined

  /** @param isCounting whether `bytes` is wanted, which costs a look at each value */
  constructor(isCounting = false) {
    this.#isCounting = isCounting
  }

  /** Bytes of what was made, as `jsonBytes` counts them; 0 where they are not counted. */
  get bytes(): number {
    return this.#bytes
  }

  /** What was made: an object, or nothing of nothing. @throws ProtocolError `FANFOLD_BAD_FRAME` */
  get made(): JsonObject | undefined {
    if (this.#root === undefined || isJsonObject(this.#root)) return this.#root
    return badFrame('a snapshot of an object')
  }

  /** @throws ProtocolError `FANFOLD_BAD_FRAME` when the pointer leads to no place that a value can be set at */
  set(pointer: string, value: JsonValue): void {
    if (pointer === '') {
      this.#root = value
      this.#parentPointer = undefined
      if (this.#isCounting) this.#bytes = jsonBytes(value)
      return
    }
    const end = pointer.lastIndexOf('/')
    let last = pointer.slice(end + 1)
    // Neighbours come one after the other: the way to them is gone once.
    if (end < 0 || last.includes('~') || pointer.slice(0, end) !== this.#parentPointer) {
      last = this.#walk(pointer, end)
    }
    const parent = this.#parent
    if (this.#isCounting) this.#count(last, value)
    if (Array.isArray(parent) && last === String(parent.length)) parent.push(value)
    else if (isJsonObject(parent) && !forbiddenKeys.has(last)) parent[last] = value
    else badFrame(`a pointer into what came before, got ${pointer.slice(0, 100)}`)
  }

  #count(last: string, value: JsonValue): void {
    const parent = this.#parent
    const isMember = isJsonObject(parent)
    const before = isMember ? memberOf(parent, last) : undefined
    this.#bytes += jsonBytes(value)
    if (before !== undefined) this.#bytes -= jsonBytes(before)
    else this.#bytes += isMember ? memberBytes(last) : 1
  }

  /** Goes to the container of a place; returns the place's name in it. */
  #walk(pointer: string, end: number): string {
    const segments = parsePointer(pointer) ?? badFrame(`a pointer, got ${pointer.slice(0, 100)}`)
    const { value: depthMax } = documentLimits.depthMax
    if (segments.length > depthMax) {
      badFrame(`a pointer of at most ${depthMax} segments, got ${segments.length}`)
    }
    const last = segments.pop() as string
    let parent = this.#root
    for (const segment of segments) parent = memberOf(parent, segment)
    this.#parent = parent
    this.#parentPointer = pointer.slice(0, end)
    return last
  }
}
