import { sha256 } from '@fanfold/conformance'
import { Chain, type Snapshot } from '@fanfold/document'
import {
  type DocumentKey,
  encodeLinkFrame,
  type LinkEffect,
  type LinkFrame,
  type LinkId,
} from '@fanfold/protocol'
import { ChildLinks } from '../src/child-links.ts'
import { Downstream } from '../src/downstream.ts'
import { RecordRing } from '../src/record-ring.ts'
import { defaultTransferLimits, type TransferLimits } from '../src/transfer-allowance.ts'
import {
  after,
  at,
  bytesOf,
  framesOf,
  headOf,
  link,
  recordsOf,
  ringLimits,
  snapshotAt,
} from './build-stream.ts'

export const child: LinkId = link(1)
const log = recordsOf(60)
const peer = { node: 'n1', incarnation: '1', region: 'r', roles: [], ceiling: 239 }

/** A document that is served. */
export type Served = {
  readonly channel: number
  readonly ring: RecordRing
  readonly downstream: Downstream
  /** There is none to give while this is false. */
  hasSnapshot: boolean
}

/** What a child has taken of one document since its last `welcome`. */
export type Received = {
  begun: number
  readonly pieces: Set<number>
  pieceCount: number
  seq: number
}

/** Links of which nothing is known hold as much as may be under way at most. */
export const unmeasured: TransferLimits = {
  ...defaultTransferLimits,
  bytesUnderWayFirst: defaultTransferLimits.bytesUnderWayMax,
}

/**
 * A node that serves documents to children that take what they are sent, and say so, when the test
 * wants it.
 */
export class ServingNode {
  readonly links: ChildLinks
  readonly served = new Map<DocumentKey, Served>()
  /** How often a document was looked at for something to send. */
  looks = 0
  readonly #effects: LinkEffect[] = []
  readonly #way = new Map<LinkId, Uint8Array[]>()
  readonly #received = new Map<LinkId, Map<number, Received>>()

  constructor(limits: Partial<TransferLimits> = {}) {
    this.links = new ChildLinks(
      {
        join: (key, request) => {
          const document = this.served.get(key)
          if (document === undefined) return
          document.downstream.join(request, headOf(document.ring), this.#effects)
          this.#flush(key)
        },
        downstream: key => this.served.get(key)?.downstream,
        left: () => undefined,
        flush: key => this.#flush(key),
        variant: () => undefined,
        signal: () => undefined,
      },
      { ...unmeasured, ...limits },
    )
  }

  /** Serves a document from now on, with a snapshot of so many bytes at its beginning. */
  serve(key: DocumentKey, bytes = 0): void {
    const ring = new RecordRing(ringLimits())
    const channel = this.links.assignChannel(key)
    const snapshot = snapshotOf(bytes)
    const downstream = new Downstream({
      doc: key,
      channel,
      ring,
      chain: new Chain(sha256),
      source: {
        snapshot: () => (document.hasSnapshot ? snapshot : undefined),
        lastSnapshot: undefined,
      },
      ceiling: () => 239,
    })
    const document: Served = { channel, ring, downstream, hasSnapshot: true }
    this.served.set(key, document)
  }

  /** The document is put away, with nothing said to children. */
  putAway(key: DocumentKey): void {
    const document = this.served.get(key)
    if (document === undefined) return
    this.served.delete(key)
    this.links.releaseChannel(document.channel)
  }

  open(id = child): void {
    this.#way.set(id, [])
    this.#received.set(id, new Map())
    this.links.receive({ kind: 'link-opened', link: id, peer, dialled: false }, this.#effects)
  }

  close(id = child): void {
    this.#way.delete(id)
    this.links.receive({ kind: 'link-closed', link: id, reason: 'gone' }, this.#effects)
  }

  take(frame: LinkFrame, from = child): void {
    const bytes = encodeLinkFrame(frame)
    this.links.receive({ kind: 'link-frame', link: from, frame: bytes }, this.#effects)
    this.#carry()
  }

  join(key: DocumentKey, from = child): void {
    this.take(
      { kind: 'join', doc: key, have: undefined, credit: 9e6, take: 'any', codecs: 0 },
      from,
    )
  }

  congest(isCongested: boolean, id = child): void {
    const kind = isCongested ? 'link-congested' : 'link-drained'
    this.links.receive({ kind, link: id }, this.#effects)
    this.#carry()
  }

  /** A record of the document, which is sent at once where it may. */
  publish(key: DocumentKey): void {
    const document = this.served.get(key)
    const record = log[document?.ring.lastSeq ?? 0]
    if (document === undefined || record === undefined) return
    document.ring.push(record, at(0))
    this.#flush(key)
    this.#carry()
  }

  turn(): void {
    this.links.flushNext(this.#effects)
    this.#carry()
  }

  /** Turns until there is nothing to do; how many it took. */
  settle(): number {
    let turns = 0
    for (; this.links.hasBusy; turns++) {
      if (turns === 5_000) throw new Error('the node has something to do for ever')
      this.turn()
    }
    return turns
  }

  /** Frames on their way to the child. */
  onWay(id = child): LinkFrame[] {
    return (this.#way.get(id) ?? []).map(frameOf)
  }

  /** Bytes of snapshots on their way to the child. */
  bytesOnWay(id = child): number {
    return (this.#way.get(id) ?? []).reduce((sum, bytes) => sum + snapshotBytesIn(bytes), 0)
  }

  /** The child takes the next frames, up to so many; how many bytes of snapshots they were. */
  receiveNext(count = 1, id = child): number {
    let bytes = 0
    for (const frame of (this.#way.get(id) ?? []).splice(0, count)) {
      bytes += snapshotBytesIn(frame)
      this.#note(frameOf(frame), id)
    }
    return bytes
  }

  /** What is on its way is lost. */
  lose(id = child): void {
    this.#way.get(id)?.splice(0)
  }

  /** The child says that it took so many bytes. */
  acknowledge(bytes: number, from = child): void {
    this.take({ kind: 'pieces-taken', bytes, answers: 0 }, from)
  }

  /** The child takes all there is and says so, and so on, until nothing more comes. */
  finish(id = child): void {
    for (let round = 0; round < 5_000; round++) {
      this.settle()
      const bytes = this.receiveNext(1_000_000, id)
      if (bytes === 0 && !this.links.hasBusy) return
      this.acknowledge(bytes, id)
    }
    throw new Error('there is more for the child for ever')
  }

  /** What the child has of the document. */
  received(key: DocumentKey, id = child): Received | undefined {
    const channel = this.served.get(key)?.channel
    return channel === undefined ? undefined : this.#received.get(id)?.get(channel)
  }

  /** True when the child has all of the document's snapshot. */
  hasAll(key: DocumentKey, id = child): boolean {
    const received = this.received(key, id)
    return received !== undefined && received.pieces.size === received.pieceCount
  }

  #note(frame: LinkFrame, id: LinkId): void {
    if (!('channel' in frame)) return
    const received = this.#received.get(id)
    const before = received?.get(frame.channel)
    if (frame.kind === 'snapshot-begin') {
      const { pieces, at } = frame.manifest
      const begun = (before?.begun ?? 0) + 1
      received?.set(frame.channel, {
        begun,
        pieces: new Set(),
        pieceCount: pieces.length,
        seq: at.seq,
      })
    } else if (frame.kind === 'snapshot-piece') before?.pieces.add(frame.index)
    else if (frame.kind === 'records' && before !== undefined) {
      before.seq = frame.records.at(-1)?.seq ?? before.seq
    }
  }

  #flush(key: DocumentKey): void {
    this.looks++
    const downstream = this.served.get(key)?.downstream
    if (downstream?.flush(this.#effects) === true) this.links.hasMore(key)
  }

  #carry(): void {
    const effects = this.#effects.splice(0)
    for (const [id, way] of this.#way) way.push(...bytesOf(effects, id))
  }
}

const snapshots = new Map<number, Snapshot>()

/** At the beginning, of so many bytes; made once. */
function snapshotOf(bytes: number): Snapshot {
  const made = snapshots.get(bytes) ?? snapshotAt(after(undefined), bytes)
  snapshots.set(bytes, made)
  return made
}

function frameOf(bytes: Uint8Array): LinkFrame {
  const [frame] = framesOf([{ kind: 'link-send', link: child, frame: bytes }])
  if (frame === undefined)
    throw new Error(`a frame of ${bytes.length} bytes is one of this version`)
  return frame
}

function snapshotBytesIn(bytes: Uint8Array): number {
  const { kind } = frameOf(bytes)
  return kind === 'snapshot-begin' || kind === 'snapshot-piece' ? bytes.length : 0
}
