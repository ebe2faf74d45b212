import { decodeUtf8 } from '@fanfold/kernel'
import {
  asDocumentKey,
  type DocumentKey,
  decodeLinkFrame,
  type LinkFrame,
  type LogRecord,
  type PeerIdentity,
  tagOf,
} from '@fanfold/protocol'
import type { History } from './history.ts'
import type { NetworkWatch } from './network.ts'
import type { Problems } from './problems.ts'

/**
 * Looks at every frame on every link: what goes down is a prefix of the log, and holds no part above
 * the receiver's trust ceiling.
 */
export class WireCheck implements NetworkWatch {
  readonly #history: History
  readonly #problems: Problems
  /** What each sender calls its documents. */
  readonly #channels = new Map<string, DocumentKey>()
  #frames = 0
  #records = 0
  #snapshots = 0

  constructor(history: History, problems: Problems) {
    this.#history = history
    this.#problems = problems
  }

  /** Frames, records and snapshots that arrived, all links together. */
  get counts(): { readonly frames: number; readonly records: number; readonly snapshots: number } {
    return { frames: this.#frames, records: this.#records, snapshots: this.#snapshots }
  }

  frameArrives(bytes: Uint8Array, from: PeerIdentity, to: PeerIdentity): void {
    this.#frames++
    const frame = decodeLinkFrame(bytes)
    if (frame !== undefined) this.#check(frame, from, to)
  }

  linkCloses(reason: string, at: PeerIdentity): void {
    // Without faults nobody has a reason to.
    this.#problems.add(`${at.node} closes a link: ${reason}`)
  }

  #check(frame: LinkFrame, from: PeerIdentity, to: PeerIdentity): void {
    const way = `${from.node} to ${to.node}`
    switch (frame.kind) {
      case 'welcome':
        this.#channels.set(`${from.node} ${frame.channel}`, frame.doc)
        return
      case 'records':
        for (const record of frame.records) this.#checkRecord(record, way, to.ceiling)
        return
      case 'snapshot-begin': {
        this.#snapshots++
        const doc = this.#channels.get(`${from.node} ${frame.channel}`)
        const { at, pieces } = frame.manifest
        const difference =
          doc === undefined ? 'a channel of no document' : this.#history.differsAt(doc, at)
        if (difference !== undefined) {
          this.#problems.add(`${way}: snapshot of ${doc} at ${at.seq}: ${difference}`)
        }
        const tag = pieces.find(piece => piece.tag > to.ceiling)?.tag
        if (tag !== undefined) this.#problems.add(`${way}: a piece of tag ${tag} of ${doc}`)
        return
      }
      default:
    }
  }

  #checkRecord(record: LogRecord, way: string, ceiling: number): void {
    this.#records++
    const { epoch, seq, chainHash } = record
    const doc = asDocumentKey(decodeUtf8(record.keyBytes) ?? '')
    const difference =
      doc === undefined
        ? 'a record of no document'
        : this.#history.differsAt(doc, { epoch, seq, hash: chainHash })
    if (difference !== undefined) {
      this.#problems.add(`${way}: record ${seq} of ${doc}: ${difference}`)
    }
    for (const part of record.parts()) {
      if (tagOf(part) <= ceiling) continue
      this.#problems.add(`${way}: record ${seq} of ${doc} with a part of tag ${tagOf(part)}`)
    }
  }
}
