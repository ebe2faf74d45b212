/*
 * A warm store in the hands of one process: documents are kept, read and dropped, and what comes back is
 * one of those that were kept, whole. While nothing has gone wrong, it is the last one.
 */
import {
  encodeSnapshot,
  type WarmDocument,
  type WarmEffect,
  type WarmInput,
  type WarmStore,
} from '@fanfold/document'
import { equalBytes, type Prng } from '@fanfold/kernel'
import { type DocumentKey, zeroPosition } from '@fanfold/protocol'
import { createFileWarmStore, type FileSystem } from '@fanfold/storage'
import { drawRecords, positionOf } from './record-maker.ts'
import { sha256 } from './sha-256.ts'
import type { WorldNotes } from './world-notes.ts'

/** Room of all files: a few documents, so that some go for others. */
const bytesMax = 65_536

/** What was kept of one document on one disk, whoever kept it. */
export class WarmShelf {
  readonly kept: WarmDocument[] = []
  /** What a read must find: this one, or any of those kept, or none. */
  last: WarmDocument | 'any' = 'any'
}

/** What a keeper needs of the process that it runs in. */
export type KeeperHost = {
  readonly name: string
  readonly prng: Prng
  readonly notes: WorldNotes
  /** Errors and refusals of the disk that the process was told. */
  readonly faultCount: number
  readonly files: FileSystem
  /** Whether the process is gone: what it is told after is told to nobody. */
  readonly hasEnded: boolean
}

/** One effect at a time on the documents of a directory that no other process uses meanwhile. */
export class WarmKeeper {
  readonly #host: KeeperHost
  readonly #store: WarmStore
  readonly #docs: readonly DocumentKey[]
  readonly #shelves: ReadonlyMap<DocumentKey, WarmShelf>
  #asked: { readonly effect: WarmEffect; readonly faultCount: number } | undefined

  constructor(host: KeeperHost, directory: string, shelves: ReadonlyMap<DocumentKey, WarmShelf>) {
    this.#host = host
    this.#shelves = shelves
    this.#docs = [...shelves.keys()]
    const { files, prng } = host
    this.#store = createFileWarmStore({
      directory,
      sha256,
      bytesMax,
      files,
      randomBytes: count => prng.bytes(count),
      onDropped: () => host.notes.count('warm file dropped'),
    })(input => this.#take(input))
  }

  /** Asks for one thing, if it waits for nothing. */
  act(): boolean {
    if (this.#asked !== undefined) return false
    const { prng, faultCount } = this.#host
    const doc = prng.pick(this.#docs)
    const choice = prng.fraction()
    const effect: WarmEffect =
      choice < 0.45
        ? { kind: 'warm-keep', doc, document: drawWarm(prng, doc) }
        : choice < 0.9
          ? { kind: 'warm-read', doc }
          : { kind: 'warm-drop', doc }
    const shelf = this.#shelves.get(doc)
    if (shelf === undefined) return false
    if (effect.kind === 'warm-keep') {
      shelf.kept.push(effect.document)
      shelf.last = 'any'
    }
    // Nothing tells when a drop is done, or that it failed.
    if (effect.kind === 'warm-drop') shelf.last = 'any'
    else this.#asked = { effect, faultCount }
    this.#store.perform(effect)
    return true
  }

  /** Waits until what was asked for is answered. */
  close(): Promise<void> {
    return this.#store.close()
  }

  #take(input: WarmInput): void {
    const asked = this.#asked
    const shelf = this.#shelves.get(input.doc)
    if (asked === undefined || shelf === undefined || this.#host.hasEnded) return
    this.#asked = undefined
    const { notes, name, faultCount } = this.#host
    const isCalm = asked.faultCount === faultCount
    if (input.kind === 'warm-kept') {
      notes.count(input.isKept ? 'warm document kept' : 'warm document not kept')
      const { effect } = asked
      if (input.isKept && effect.kind === 'warm-keep') shelf.last = effect.document
      // For its room others may have gone.
      for (const other of this.#shelves.values()) if (other !== shelf) other.last = 'any'
      if (!input.isKept && isCalm) notes.problem(`${name} did not keep ${input.doc} for no reason`)
      return
    }
    const { document } = input
    notes.count(document === undefined ? 'warm document not found' : 'warm document found')
    if (document === undefined) {
      if (typeof shelf.last === 'object' && isCalm) {
        notes.problem(`${name} does not find ${input.doc}, which was kept`)
      }
      // What could not be read was removed.
      shelf.last = 'any'
    } else if (typeof shelf.last === 'object' && !isSame(document, shelf.last)) {
      notes.problem(`${name} found another ${input.doc} than the last one that was kept`)
    } else if (!shelf.kept.some(kept => isSame(document, kept))) {
      notes.problem(`${name} found a ${input.doc} that nobody kept`)
    }
  }
}

/** A document of drawn size. */
function drawWarm(prng: Prng, doc: DocumentKey): WarmDocument {
  const before = drawRecords(prng, { doc, epoch: 1, after: zeroPosition })
  const last = before.at(-1)
  const at = last === undefined ? zeroPosition : positionOf(last)
  const state = { n: at.seq, text: 'x'.repeat(prng.below(20_000)) }
  const snapshot = encodeSnapshot({ at, state, definition: undefined, sha256 })
  return {
    snapshot,
    records: drawRecords(prng, { doc, epoch: 1, after: at }),
    ceiling: prng.below(4),
  }
}

const isSame = (a: WarmDocument, b: WarmDocument): boolean =>
  a.ceiling === b.ceiling &&
  areSame(a.snapshot.pieces, b.snapshot.pieces) &&
  equalBytes(a.snapshot.manifest.at.hash, b.snapshot.manifest.at.hash) &&
  areSame(
    a.records.map(({ bytes }) => bytes),
    b.records.map(({ bytes }) => bytes),
  )

const areSame = (a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean =>
  a.length === b.length &&
  a.every((bytes, index) => equalBytes(bytes, b[index] ?? new Uint8Array(0)))
