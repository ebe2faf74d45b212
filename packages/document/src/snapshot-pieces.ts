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
import { escapeSegment, memberOf, parsePointer } from './pointer.ts'

const bytesMax: number = limits.snapshotPieceBytesMax.value

/** A value and its place. */
export type Pair = { readonly pointer: string; readonly value: JsonValue }

/** The pieces of values one after the other; each is filled before the next is begun. */
export function encodePieces(pairs: readonly Pair[]): Uint8Array[] {
  const pieces: Uint8Array[] = []
  let texts: string[] = []
  let size = 2
  const flush = (): void => {
    if (texts.length === 0) return
    const piece = encodeUtf8(`[${texts.join(',')}]`)
    assert(piece.length <= bytesMax, `a piece has at most ${bytesMax} bytes, got ${piece.length}`)
    pieces.push(piece)
    texts = []
    size = 2
  }
  // Containers that are still to be looked at, the next one last.
  const open: Pair[] = pairs.toReversed()
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { pointer, value } = next
    let text = ''
    let bytes = bytesMax
    if (!isSurelyLonger(value, bytesMax)) {
      text = `[${JSON.stringify(pointer)},${JSON.stringify(value)}]`
      bytes = utf8Length(text)
    }
    if (bytes + 2 > bytesMax) {
      assert(typeof value === 'object' && value !== null, `a text at ${pointer} fits into a piece`)
      text = `[${JSON.stringify(pointer)},${Array.isArray(value) ? '[]' : '{}'}]`
      bytes = utf8Length(text)
      const children = Array.isArray(value)
        ? value.map((child, index) => ({ pointer: `${pointer}/${index}`, value: child }))
        : Object.entries(value).map(([key, child]) => ({
            pointer: `${pointer}/${escapeSegment(key)}`,
            value: child,
          }))
      for (let index = children.length - 1; index >= 0; index--) {
        open.push(children[index] as Pair)
      }
    }
    if (size + bytes + 1 > bytesMax) flush()
    texts.push(text)
    size += bytes + 1
  }
  flush()
  return pieces
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
  #root: JsonValue | undefined
  /** Pointer to the container that was set into last, and what it holds. */
  #parentPointer: string | undefined
  #parent: JsonValue | undefined

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
      return
    }
    const end = pointer.lastIndexOf('/')
    let last = pointer.slice(end + 1)
    // Neighbours come one after the other: the way to them is gone once.
    if (end < 0 || last.includes('~') || pointer.slice(0, end) !== this.#parentPointer) {
      last = this.#walk(pointer, end)
    }
    const parent = this.#parent
    if (Array.isArray(parent) && last === String(parent.length)) parent.push(value)
    else if (isJsonObject(parent) && !forbiddenKeys.has(last)) parent[last] = value
    else badFrame(`a pointer into what came before, got ${pointer.slice(0, 100)}`)
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

/**
 * True when the JSON of `root` surely has over `max` bytes, after a look at so much of it at most: a
 * container that has to be opened is not written out first, or a deep document would be written out
 * once for each of its levels.
 */
function isSurelyLonger(root: JsonValue, max: number): boolean {
  let left = max
  const open: JsonValue[] = [root]
  for (let value = open.pop(); value !== undefined && left >= 0; value = open.pop()) {
    if (typeof value === 'string') left -= value.length + 2
    else if (typeof value !== 'object' || value === null) left -= 1
    else if (Array.isArray(value)) {
      left -= value.length + 1
      if (left >= 0) for (const element of value) open.push(element)
    } else {
      const names = Object.keys(value)
      left -= names.length * 3
      if (left < 0) return true
      for (const name of names) {
        left -= name.length
        open.push(value[name] as JsonValue)
      }
    }
  }
  return left < 0
}

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
