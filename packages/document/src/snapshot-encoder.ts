/*
 * A state is written out in slices: to write one of many megabytes at once would stand a loop still for
 * most of a second. Whoever does it may do anything else in between, but for changing the state.
 */
import { assert, type Sha256, sha256Bytes } from '@fanfold/kernel'
import type { PieceEntry, Position } from '@fanfold/protocol'
import type { JsonObject } from './json.ts'
import { Labels } from './labels.ts'
import {
  definitionPart,
  definitionPointer,
  definitionTags,
  type RecordedDefinition,
} from './recorded-definition.ts'
import type { Snapshot, SnapshotContent } from './snapshot.ts'
import { PieceWriter } from './snapshot-pieces.ts'

/** What a pause without a piece stands for, bytes: members were looked at for their labels. */
const pauseBytes = 16_384

/** Writes out the snapshot of a state, as many bytes at a time as wanted. */
export class SnapshotEncoder {
  readonly #at: Position
  readonly #sha256: Sha256
  readonly #entries: PieceEntry[] = []
  readonly #pieces: Uint8Array[] = []
  readonly #steps: Generator<number, boolean>
  /** Whether the state held to its labels, once all is written. */
  #isGood: boolean | undefined

  constructor(options: SnapshotContent & { readonly at: Position; readonly sha256: Sha256 }) {
    const { at, state, definition, sha256 } = options
    this.#at = at
    this.#sha256 = sha256
    this.#steps = this.#write(state, definition)
  }

  /** Writes on until about `bytesMax` bytes are written. True when all is, and from then on. */
  step(bytesMax: number): boolean {
    for (let left = bytesMax; left > 0 && this.#isGood === undefined; ) {
      const { done, value } = this.#steps.next()
      if (done === true) this.#isGood = value
      else left -= value
    }
    return this.#isGood !== undefined
  }

  /**
   * The snapshot, once all is written; undefined for a state that does not hold to the labels of its
   * definition: one stands at an element of an array.
   */
  get snapshot(): Snapshot | undefined {
    if (this.#isGood !== true) return undefined
    return { manifest: { at: this.#at, pieces: this.#entries }, pieces: this.#pieces }
  }

  /** Gives the bytes that were written since the pause before. */
  *#write(
    state: JsonObject | undefined,
    definition: RecordedDefinition | undefined,
  ): Generator<number, boolean> {
    if (state === undefined) return true
    const splitting = Labels.compile(definition?.labels ?? []).splittingState(state)
    let next = splitting.next()
    for (; next.done !== true; next = splitting.next()) yield pauseBytes
    const split = next.value
    if (!split.ok) return false
    const tags = definition === undefined ? split.parts.keys() : definitionTags(definition)
    for (const tag of tags) {
      const writer = new PieceWriter()
      if (definition !== undefined) {
        writer.write(definitionPointer, definitionPart(definition, tag))
      }
      for (const operation of split.parts.get(tag) ?? []) {
        assert(operation.op === 'add', 'a state is made by adding')
        for (const _ of writer.writing(operation.path, operation.value)) {
          yield this.#take(tag, writer.take())
        }
      }
      yield this.#take(tag, writer.finish())
    }
    return true
  }

  #take(tag: number, pieces: readonly Uint8Array[]): number {
    let bytes = 0
    for (const piece of pieces) {
      const digest = new Uint8Array(sha256Bytes)
      this.#sha256(piece, digest, 0)
      this.#entries.push({ tag, bytes: piece.length, digest })
      this.#pieces.push(piece)
      bytes += piece.length
    }
    return bytes
  }
}
