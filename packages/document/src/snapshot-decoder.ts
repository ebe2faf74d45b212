/*
 * A snapshot is read in slices: to parse one of many megabytes at once would stand a loop still for
 * most of a second. Its pieces are read one after the other, so whoever reads them may do anything
 * else in between.
 */
import { assert } from '@fanfold/kernel'
import { badFrame, partTags } from '@fanfold/protocol'
import type { JsonValue } from './json.ts'
import { decodeDefinition, definitionPointer } from './recorded-definition.ts'
import type { Snapshot, SnapshotContent } from './snapshot.ts'
import { decodePairs, PairSetter } from './snapshot-pieces.ts'

/** Reads the pieces with a label of a snapshot whose digests were checked, as many at a time as wanted. */
export class SnapshotDecoder {
  readonly #snapshot: Snapshot
  readonly #definitions: [tag: number, part: JsonValue][] = []
  readonly #setter: PairSetter
  #next = 0
  #content: SnapshotContent | undefined

  /** @param isCounting whether `stateBytes` is wanted, which costs a look at each value */
  constructor(snapshot: Snapshot, isCounting = false) {
    this.#snapshot = snapshot
    this.#setter = new PairSetter(isCounting)
  }

  /** Bytes of the state as far as it was read, as `jsonBytes` counts them; 0 where they are not counted. */
  get stateBytes(): number {
    return this.#setter.bytes
  }

  /**
   * Reads on, piece by piece, until `bytesMax` bytes of pieces are read: one piece at least. Returns
   * true when all is read, and reads nothing from then on.
   *
   * @throws ProtocolError `FANFOLD_BAD_FRAME` when a piece is not what a piece is: then
   * the decoder is of no more use
   */
  step(bytesMax: number): boolean {
    if (this.#content !== undefined) return true
    const entries = this.#snapshot.manifest.pieces
    for (let left = bytesMax; left > 0 || left === bytesMax; this.#next++) {
      const entry = entries[this.#next]
      if (entry === undefined) break
      if (entry.tag >= partTags.crowd) continue
      const piece = this.#snapshot.pieces[this.#next]
      this.#take(piece ?? badFrame(`piece ${this.#next} of a snapshot`), entry.tag)
      left -= entry.bytes
    }
    if (this.#next < entries.length) return false
    this.#content = this.#finish()
    return true
  }

  /** What the snapshot says, once all is read. Without pieces with a label, of a document that was deleted. */
  get content(): SnapshotContent {
    assert(this.#content !== undefined, 'a snapshot is read to its end before it is used')
    return this.#content
  }

  #take(piece: Uint8Array, tag: number): void {
    for (const [pointer, value] of decodePairs(piece)) {
      if (pointer === definitionPointer) this.#definitions.push([tag, value])
      else this.#setter.set(pointer, value)
    }
  }

  #finish(): SnapshotContent {
    const state = this.#setter.made
    if (this.#definitions.length === 0) return { state, definition: undefined }
    const definition = decodeDefinition(this.#definitions)
    return { state, definition: definition ?? badFrame('a definition in a snapshot') }
  }
}
