import { Chain, snapshotCodecs } from '@fanfold/document'
import { decodeUtf8, equalBytes, type Sha256, sha256Bytes } from '@fanfold/kernel'
import {
  asDocumentKey,
  type DocumentKey,
  decodeLinkFrame,
  type LinkFrame,
  type LogRecord,
  linkFrameTypes,
  type PeerIdentity,
  type SnapshotManifest,
  tagOf,
} from '@fanfold/protocol'
import type { BoardVariants } from './board-variants.ts'
import type { CrowdCheck } from './crowd/crowd-check.ts'
import { DamagedRecords } from './damaged-records.ts'
import { GoodRecords } from './good-records.ts'
import type { History } from './history.ts'
import { hiddenMarkers } from './marker.ts'
import type { NetworkWatch } from './network.ts'
import type { Problems } from './problems.ts'
import { Tally } from './tally.ts'
import { toyCodec } from './toy-codec.ts'
import type { ViewOracle } from './view-oracle.ts'

/** What a sender calls a document, and what of it is under way. */
type Channel = {
  readonly doc: DocumentKey
  snapshot: SnapshotManifest | undefined
  /** The next record; any while nothing has come since the welcome. */
  nextSeq: number | undefined
}

const noMarkers: ReadonlySet<string> = new Set()

/**
 * Looks at every frame on every link: what goes down is a prefix of the log whose chain verifies, and
 * holds no part, and nothing that was planted in a part, above the receiver's trust ceiling.
 */
export class WireCheck implements NetworkWatch {
  readonly #history: History
  readonly #oracle: ViewOracle
  readonly #variants: BoardVariants
  readonly #problems: Problems
  readonly #chain: Chain
  readonly #sha256: Sha256
  readonly #digest = new Uint8Array(sha256Bytes)
  readonly #isCloseExpected: (reason: string) => boolean
  readonly #damaged: DamagedRecords
  readonly #good = new GoodRecords()
  readonly #channels = new Map<string, Channel>()
  #frames = 0
  #records = 0
  #snapshots = 0
  #replayed = 0
  readonly #tally: Tally
  readonly #ringRecordsMax: number
  readonly #crowd: CrowdCheck | undefined
  /** Seq that a child said it has when it joined. */
  readonly #joins = new Map<string, number>()

  constructor(options: {
    readonly history: History
    readonly oracle: ViewOracle
    readonly variants: BoardVariants
    readonly problems: Problems
    readonly sha256: Sha256
    /** Whether somebody may have this reason to close a link. */
    readonly isCloseExpected: (reason: string) => boolean
    readonly tally?: Tally
    /** Records in a ring, by which joins are told apart. */
    readonly ringRecordsMax?: number
    /** Who is told what crowds say. */
    readonly crowd?: CrowdCheck | undefined
  }) {
    this.#damaged = new DamagedRecords(options.sha256)
    this.#tally = options.tally ?? new Tally()
    this.#ringRecordsMax = options.ringRecordsMax ?? 0
    this.#crowd = options.crowd
    this.#isCloseExpected = options.isCloseExpected
    this.#history = options.history
    this.#oracle = options.oracle
    this.#variants = options.variants
    this.#problems = options.problems
    this.#chain = new Chain(options.sha256)
    this.#sha256 = options.sha256
  }

  /** Frames, records and snapshots that arrived, all links together. */
  get counts(): {
    readonly frames: number
    readonly records: number
    readonly snapshots: number
    /** Of the records, those of replays. */
    readonly replayed: number
  } {
    return {
      frames: this.#frames,
      records: this.#records,
      snapshots: this.#snapshots,
      replayed: this.#replayed,
    }
  }

  frameGoes(bytes: Uint8Array, from: PeerIdentity, to: PeerIdentity): void {
    if (bytes[0] !== linkFrameTypes.crowd) return
    const frame = decodeLinkFrame(bytes)
    if (frame?.kind === 'crowd') this.#crowd?.says(from, to, frame)
  }

  frameArrives(bytes: Uint8Array, from: PeerIdentity, to: PeerIdentity): void {
    this.#frames++
    const frame = decodeLinkFrame(bytes)
    if (frame === undefined) return
    this.#check(frame, from, to)
    this.#checkMarkers(bytes, frame, from, to)
  }

  frameIsDamaged(bytes: Uint8Array): void {
    this.#damaged.note(bytes)
  }

  frameIsLeftover(): void {
    this.#tally.add('leftover of an old link')
  }

  linkCloses(reason: string, at: PeerIdentity): void {
    if (this.#isCloseExpected(reason)) return
    this.#problems.add(`${at.node} closes a link: ${reason}`)
  }

  #check(frame: LinkFrame, from: PeerIdentity, to: PeerIdentity): void {
    const way = `${from.node} to ${to.node}`
    switch (frame.kind) {
      case 'join':
        this.#joins.set(`${way} ${frame.doc}`, frame.have?.seq ?? -1)
        if (frame.have !== undefined && frame.have.epoch < this.#history.headEpoch(frame.doc)) {
          this.#tally.add('join from an older epoch')
        }
        return
      case 'crowd':
        this.#crowd?.goesUp(from, frame)
        return
      case 'crowd-answer':
        this.#crowd?.answered(to, frame)
        return
      case 'request-pieces':
        this.#tally.add('pieces asked for again')
        return
      case 'signal':
        this.#tally.add(`signal ${frame.signal}`)
        return
      case 'state-hash':
        this.#tally.add(frame.hashes.length > 0 ? 'state told in hashes' : 'state not told')
        if (frame.hashes.some(({ tag }) => tag > to.ceiling)) {
          this.#problems.add(`${way}: a hash above the ceiling ${to.ceiling}`)
        }
        return
      case 'refused':
        this.#tally.add(`join refused ${frame.code}`)
        return
      case 'welcome':
        this.#crowd?.joined(to, frame.doc)
        this.#noteResume(frame, `${to.node} to ${from.node} ${frame.doc}`)
        this.#channels.set(channelKey(from, to, frame.channel), {
          doc: frame.doc,
          snapshot: undefined,
          nextSeq: undefined,
        })
        return
      case 'replay':
        this.#replayed += frame.records.length
        for (const record of frame.records) {
          this.#checkRecord(record, way, to.ceiling, !this.#damaged.has(record))
        }
        return
      case 'records':
        this.#checkNoGap(frame, this.#channels.get(channelKey(from, to, frame.channel)), way)
        for (const record of frame.records) this.#checkRecord(record, way, to.ceiling)
        return
      case 'snapshot-piece':
        this.#checkPiece(frame, this.#channels.get(channelKey(from, to, frame.channel)), way)
        return
      case 'snapshot-begin': {
        this.#snapshots++
        const channel = this.#channels.get(channelKey(from, to, frame.channel))
        const doc = channel?.doc
        const { at, pieces } = frame.manifest
        if (channel !== undefined) {
          this.#crowd?.joined(to, channel.doc)
          channel.snapshot = frame.manifest
          channel.nextSeq = at.seq + 1
        }
        if (doc !== undefined && at.seq < this.#history.headSeq(doc)) {
          this.#tally.add('snapshot behind the end of the log')
        }
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

  /** Who cannot go on from where it left off says so: it leaves nothing out, however soon that is mended. */
  #checkNoGap(
    { records }: Extract<LinkFrame, { kind: 'records' }>,
    channel: Channel | undefined,
    way: string,
  ): void {
    if (channel === undefined) return
    for (const { seq } of records) {
      const { nextSeq = seq, doc } = channel
      if (seq !== nextSeq) this.#problems.add(`${way}: after ${nextSeq - 1} of ${doc} comes ${seq}`)
      channel.nextSeq = seq + 1
    }
  }

  /** Who sends a piece has looked at it: what is damaged is damaged on a link, and never passed on. */
  #checkPiece(
    frame: Extract<LinkFrame, { kind: 'snapshot-piece' }>,
    channel: Channel | undefined,
    way: string,
  ): void {
    const entry = channel?.snapshot?.pieces[frame.index]
    if (channel === undefined || entry === undefined) return
    this.#sha256(unpacked(frame), this.#digest, 0)
    if (equalBytes(this.#digest, entry.digest)) return
    this.#problems.add(`${way}: piece ${frame.index} of ${channel.doc} is not what its digest says`)
  }

  /** A resume at the end of the parent's ring, one before it or one after it. */
  #noteResume(frame: Extract<LinkFrame, { kind: 'welcome' }>, join: string): void {
    const have = this.#joins.get(join) ?? -1
    if (have < 0) return
    const beyond = frame.head.seq - have - this.#ringRecordsMax
    if (Math.abs(beyond) > 1) return
    const place = ['one before the end', 'the end', 'one after the end'][beyond + 1]
    this.#tally.add(`resume at ${place} of a ring, by ${frame.mode}`)
  }

  #checkRecord(record: LogRecord, way: string, ceiling: number, isSealed = true): void {
    this.#records++
    const { epoch, seq, chainHash, bytes } = record
    const known = this.#good.find(record)
    const doc = known?.doc ?? docOf(record)
    if (doc !== undefined && epoch < this.#history.headEpoch(doc)) {
      this.#tally.add('record of an older epoch under way')
    }
    if (known !== undefined && known.tagMax <= ceiling) return
    const difference =
      doc === undefined
        ? 'a record of no document'
        : this.#history.differsAt(doc, { epoch, seq, hash: chainHash })
    if (isSealed && difference !== undefined) {
      this.#problems.add(`${way}: record ${seq} of ${doc}: ${difference}`)
    }
    const before =
      doc === undefined ? undefined : this.#history.hashBefore(doc, { epoch, seq, hash: chainHash })
    const isVerified = before !== undefined && this.#chain.verifies(record, before)
    if (isSealed && difference === undefined && !isVerified) {
      this.#problems.add(`${way}: the chain of record ${seq} of ${doc} does not verify`)
    }
    let tagMax = -1
    for (const part of record.parts()) {
      tagMax = Math.max(tagMax, tagOf(part))
      if (tagOf(part) <= ceiling) continue
      this.#problems.add(`${way}: record ${seq} of ${doc} with a part of tag ${tagOf(part)}`)
    }
    if (doc === undefined || difference !== undefined || !isVerified || known !== undefined) return
    this.#good.add(record, { bytes, doc, tagMax })
  }

  #checkMarkers(bytes: Uint8Array, frame: LinkFrame, from: PeerIdentity, to: PeerIdentity): void {
    // What is packed hides what is in it.
    const markers =
      frame.kind === 'replay'
        ? this.#markersOf(frame.records)
        : hiddenMarkers(frame.kind === 'snapshot-piece' ? unpacked(frame) : bytes)
    if (markers.size === 0) return
    const allowed = this.#allowedIn(frame, from, to)
    for (const marker of markers) {
      const noteLabel = frame.kind === 'variant' ? this.#variants.noteLabel(marker) : undefined
      if (noteLabel !== undefined && noteLabel <= to.ceiling) continue
      if (allowed.some(set => set.has(marker))) continue
      const way = `${from.node} to ${to.node}, ceiling ${to.ceiling}`
      this.#problems.add(`${way}: a frame of ${frame.kind} has ${marker}`)
      return
    }
  }

  /** A bit makes one marker another: what was damaged has none. */
  #markersOf(records: readonly LogRecord[]): ReadonlySet<string> {
    const whole = records.filter(record => !this.#damaged.has(record))
    return new Set(whole.flatMap(({ bytes }) => [...hiddenMarkers(bytes)]))
  }

  /** Markers that a frame may have, by what the log makes where it begins and ends. */
  #allowedIn(frame: LinkFrame, from: PeerIdentity, to: PeerIdentity): ReadonlySet<string>[] {
    const { ceiling } = to
    if (frame.kind === 'snapshot-piece') {
      const channel = this.#channels.get(channelKey(from, to, frame.channel))
      const at = channel?.snapshot?.at
      if (channel === undefined || at === undefined) return [noMarkers]
      const place = this.#oracle.placeAt(channel.doc, at)
      return [this.#oracle.markersBelow(channel.doc, place, ceiling)]
    }
    if (frame.kind !== 'records' && frame.kind !== 'replay') return [noMarkers]
    const allowed: ReadonlySet<string>[] = []
    for (const record of frame.records) {
      const doc = this.#good.find(record)?.doc ?? docOf(record)
      if (doc === undefined) continue
      const { epoch, seq, chainHash: hash } = record
      const place = this.#oracle.placeAt(doc, { epoch, seq, hash })
      const before = this.#oracle.placeBefore(doc, place, record.seq - 1)
      allowed.push(this.#oracle.markersBelow(doc, before, ceiling))
      allowed.push(this.#oracle.markersBelow(doc, place, ceiling))
    }
    return allowed
  }
}

const docOf = (record: LogRecord): DocumentKey | undefined =>
  asDocumentKey(decodeUtf8(record.keyBytes) ?? '')

const unpacked = ({ codec, piece }: Extract<LinkFrame, { kind: 'snapshot-piece' }>): Uint8Array =>
  codec === snapshotCodecs.none
    ? piece
    : (toyCodec.unpack({ codec, bytes: piece }, piece.length - 1) ?? piece)

const channelKey = (from: PeerIdentity, to: PeerIdentity, channel: number): string =>
  `${from.node} ${to.node} ${channel}`
