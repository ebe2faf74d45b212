/*
 * A snapshot is the whole state at one position, cut into pieces of at most 64 KiB, the same on disk
 * and on the wire. A piece is a JSON text of [pointer, value] pairs; set one after the other into an
 * empty object they give the state, so a piece can be encoded, checked and sent by itself and none
 * is as large as the document.
 *
 * Labelled values are in the pieces of their labels, which come after those of lower ones. The first
 * pieces of each label begin with what the document's definition says there, so a snapshot of which
 * higher labels were dropped is one, too.
 *
 * That every value fits follows from the limit on texts in a document (48 KiB of JSON) and on
 * pointers: what is larger is a container, and a container is opened.
 */
import { assert, encodeUtf8, type Sha256, sha256Bytes } from '@fanfold/kernel'
import {
  badFrame,
  limits,
  type PieceEntry,
  type Position,
  partTags,
  type SnapshotManifest,
} from '@fanfold/protocol'
import { parseBounded } from './bounded-json.ts'
import { documentLimits } from './document-limits.ts'
import { forbiddenKeys, isJsonObject, type JsonObject, type JsonValue } from './json.ts'
import { Labels } from './labels.ts'
import { escapeSegment, memberOf, parsePointer } from './pointer.ts'
import {
  decodeDefinition,
  definitionPart,
  definitionTags,
  type RecordedDefinition,
} from './recorded-definition.ts'

/** A snapshot as it is stored and sent: what it is, and its pieces in order. */
export type Snapshot = {
  readonly manifest: SnapshotManifest
  readonly pieces: readonly Uint8Array[]
}

/** What an authority's own snapshot holds beside the state, as JSON; never leaves the authority. */
export type AuthorityExtra = JsonObject

const bytesMax: number = limits.snapshotPieceBytesMax.value

/** What a snapshot says of a document. */
export type SnapshotContent = {
  /** Undefined for a document that was deleted. */
  readonly state: JsonObject | undefined
  /** Undefined for a document whose log says nothing of its definition. */
  readonly definition: RecordedDefinition | undefined
}

/**
 * The snapshot of `state` at `at`; with `extra`, one that only authorities may hold. The state holds
 * to the labels of the definition: none stands at an element of an array.
 */
export function encodeSnapshot(
  options: SnapshotContent & {
    readonly at: Position
    readonly extra?: AuthorityExtra
    readonly sha256: Sha256
  },
): Snapshot {
  const { at, state, definition, extra, sha256 } = options
  const tagged: [number, Uint8Array][] = []
  if (state !== undefined) tagged.push(...encodeLabelled(state, definition))
  if (extra !== undefined) {
    const root = { pointer: '', value: extra }
    for (const piece of encodePieces([root])) tagged.push([partTags.authority, piece])
  }
  const entries: PieceEntry[] = tagged.map(([tag, piece]) => {
    const digest = new Uint8Array(sha256Bytes)
    sha256(piece, digest, 0)
    return { tag, bytes: piece.length, digest }
  })
  return { manifest: { at, pieces: entries }, pieces: tagged.map(([, piece]) => piece) }
}

/** The part of a snapshot that may cross a link with this trust ceiling. */
export function projectSnapshot(snapshot: Snapshot, ceiling: number): Snapshot {
  const { at, pieces } = snapshot.manifest
  if (pieces.every(entry => entry.tag <= ceiling)) return snapshot
  const kept = pieces
    .map((entry, index) => ({ entry, index }))
    .filter(({ entry }) => entry.tag <= ceiling)
  return {
    manifest: { at, pieces: kept.map(({ entry }) => entry) },
    pieces: kept.map(({ index }) => snapshot.pieces[index] as Uint8Array),
  }
}

/**
 * What the pieces with a label make; without them, a document that was deleted. Digests are the
 * caller's business.
 *
 * @throws ProtocolError `FANFOLD_BAD_FRAME` when a piece is not what a piece is
 */
export function decodeSnapshot(snapshot: Snapshot): SnapshotContent {
  const { root, definitions } = decodePieces(snapshot, tag => tag < partTags.crowd)
  if (definitions.length === 0) return { state: root, definition: undefined }
  const definition = decodeDefinition(definitions) ?? badFrame('a definition in a snapshot')
  return { state: root, definition }
}

/** What only authorities keep, from an authority's own snapshot. */
export const decodeExtra = (snapshot: Snapshot): AuthorityExtra | undefined =>
  decodePieces(snapshot, tag => tag === partTags.authority).root

/** The pointer of what is said of the definition; no place in a state has it. */
const definitionPointer = 'definition'

type Pair = { readonly pointer: string; readonly value: JsonValue }

/** A state in pieces by its labels, with what its definition says of each. */
function encodeLabelled(
  state: JsonObject,
  definition: RecordedDefinition | undefined,
): [tag: number, piece: Uint8Array][] {
  const split = Labels.compile(definition?.labels ?? []).splitState(state)
  assert(split.ok, `a state holds to its labels: ${split.ok || split.message}`)
  const tags = definition === undefined ? split.parts.keys() : definitionTags(definition)
  const tagged: [number, Uint8Array][] = []
  for (const tag of tags) {
    const pairs: Pair[] = []
    if (definition !== undefined) {
      pairs.push({ pointer: definitionPointer, value: definitionPart(definition, tag) })
    }
    for (const operation of split.parts.get(tag) ?? []) {
      assert(operation.op === 'add', 'a state is made by adding')
      pairs.push({ pointer: operation.path, value: operation.value })
    }
    for (const piece of encodePieces(pairs)) tagged.push([tag, piece])
  }
  return tagged
}

/** The pieces of values one after the other. */
function encodePieces(pairs: readonly Pair[]): Uint8Array[] {
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

function decodePieces(
  snapshot: Snapshot,
  wanted: (tag: number) => boolean,
): { root: JsonObject | undefined; definitions: [tag: number, part: JsonValue][] } {
  let root: JsonValue | undefined
  const definitions: [number, JsonValue][] = []
  for (const [index, { tag }] of snapshot.manifest.pieces.entries()) {
    if (!wanted(tag)) continue
    const piece = snapshot.pieces[index] ?? badFrame(`piece ${index} of a snapshot`)
    for (const [pointer, value] of decodePairs(piece)) {
      if (pointer === '') root = value
      else if (pointer === definitionPointer) definitions.push([tag, value])
      else setAt(root, pointer, value)
    }
  }
  if (root !== undefined && !isJsonObject(root)) return badFrame('a snapshot of an object')
  return { root, definitions }
}

function decodePairs(piece: Uint8Array): [string, JsonValue][] {
  const pairs = parseBounded(piece) ?? badFrame('a piece is JSON, no deeper than documents are')
  const arePairs =
    Array.isArray(pairs) &&
    pairs.every(pair => Array.isArray(pair) && pair.length === 2 && typeof pair[0] === 'string')
  return arePairs ? (pairs as [string, JsonValue][]) : badFrame('a piece is an array of pairs')
}

function setAt(root: JsonValue | undefined, pointer: string, value: JsonValue): void {
  const segments = parsePointer(pointer) ?? badFrame(`a pointer, got ${pointer.slice(0, 100)}`)
  const { value: depthMax } = documentLimits.depthMax
  if (segments.length > depthMax) {
    badFrame(`a pointer of at most ${depthMax} segments, got ${segments.length}`)
  }
  const last = segments.pop() as string
  let parent: JsonValue | undefined = root
  for (const segment of segments) parent = memberOf(parent, segment)
  if (Array.isArray(parent) && last === String(parent.length)) parent.push(value)
  else if (isJsonObject(parent) && !forbiddenKeys.has(last)) parent[last] = value
  else badFrame(`a pointer into what came before, got ${pointer.slice(0, 100)}`)
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
