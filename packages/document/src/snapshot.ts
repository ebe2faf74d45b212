/*
 * A snapshot is the whole state at one position, cut into pieces of at most 64 KiB, the same on disk
 * and on the wire. A piece can be encoded, checked and sent by itself, and none is as large as the
 * document.
 *
 * Labelled values are in the pieces of their labels, which come after those of lower ones. The first
 * pieces of each label begin with what the document's definition says there, so a snapshot of which
 * higher labels were dropped is one, too.
 */
import { assert, type Sha256 } from '@fanfold/kernel'
import type { Position, SnapshotManifest } from '@fanfold/protocol'
import type { JsonObject } from './json.ts'
import type { RecordedDefinition } from './recorded-definition.ts'
import { SnapshotDecoder } from './snapshot-decoder.ts'
import { SnapshotEncoder } from './snapshot-encoder.ts'
import { ExtraDecoder, ExtraEncoder, withExtra } from './snapshot-extra.ts'
import { encodePieces } from './snapshot-pieces.ts'

/** A snapshot as it is stored and sent: what it is, and its pieces in order. */
export type Snapshot = {
  readonly manifest: SnapshotManifest
  readonly pieces: readonly Uint8Array[]
}

/** What an authority's own snapshot holds beside the state, as JSON; never leaves the authority. */
export type AuthorityExtra = JsonObject

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
  const { extra, sha256 } = options
  const encoder = new SnapshotEncoder(options)
  encoder.step(Number.POSITIVE_INFINITY)
  const { snapshot } = encoder
  assert(snapshot !== undefined, 'a state holds to its labels')
  if (extra === undefined) return snapshot
  const extras = new ExtraEncoder(sha256)
  extras.add('', extra)
  return withExtra(snapshot, extras.finish())
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
  const decoder = new SnapshotDecoder(snapshot)
  decoder.step(Number.POSITIVE_INFINITY)
  return decoder.content
}

/** What only authorities keep, from an authority's own snapshot. */
export function decodeExtra(snapshot: Snapshot): AuthorityExtra | undefined {
  const decoder = new ExtraDecoder(snapshot)
  decoder.step(Number.POSITIVE_INFINITY)
  return decoder.extra
}

/** A view in pieces as those of a snapshot are, the first pointer being that of the whole. */
export const encodeViewPieces = (view: JsonObject): Uint8Array[] =>
  encodePieces([{ pointer: '', value: view }])
