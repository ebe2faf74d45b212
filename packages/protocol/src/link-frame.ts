/*
 * Frames of a link between two nodes: one byte of type, then fields in order, integers big-endian.
 *
 * After the handshake (`hello`, `proof`) the side that wants a document sends `join` and the other
 * answers at once with `welcome` or `refused`. The parent chooses one number per document, the
 * channel, the same for all its children, so that one `records` frame can go to all of them as it is.
 *
 * A receiver ignores bytes after the last field it knows, and whole frames of an unknown type from
 * 128 on; any other unknown type is an error. So a later version can add without breaking this one.
 */
import { unreachable } from '@fanfold/kernel'
import { ByteWriter, writeUint32 } from './byte-writer.ts'
import type { DocumentKey } from './document-key.ts'
import type { ErrorCode } from './error-code.ts'
import type { LogRecord } from './log-record.ts'
import { type Position, writePosition } from './position.ts'
import { type SignalKind, signalKinds } from './signal.ts'
import { type SignedVariant, writeVariant } from './signed-variant.ts'
import { type SnapshotManifest, writeManifest } from './snapshot-manifest.ts'
import { type TreeEntry, writeTree } from './tree-entry.ts'

/** Types of link frames; the numbers are the wire's. */
export const linkFrameTypes = {
  hello: 1,
  proof: 2,
  ping: 3,
  join: 16,
  leave: 17,
  credit: 18,
  'request-pieces': 19,
  'request-replay': 20,
  'replay-credit': 21,
  'leave-replay': 22,
  'pieces-taken': 23,
  welcome: 32,
  refused: 33,
  records: 34,
  'snapshot-begin': 35,
  'snapshot-piece': 36,
  ended: 37,
  status: 38,
  replay: 39,
  'replay-ended': 40,
  left: 41,
  'request-variant': 128,
  variant: 129,
  'no-variant': 130,
  signal: 131,
  'request-state-hash': 132,
  'state-hash': 133,
  'request-taken': 134,
  redirect: 135,
  path: 136,
  'request-tree': 137,
  tree: 138,
  crowd: 139,
  'crowd-answer': 140,
} as const

/** From this type on, a frame that is not known is ignored. */
export const optionalFrameTypeMin = 128

/** How the parent brings a child up to date. */
export type JoinMode = 'tail' | 'snapshot'

/** What a child takes in answer to a join: whatever there is, or the tail alone. */
export type JoinTake = 'any' | 'tail'

/** Where a parent stands in the tree of a document. */
export type TreePlace = {
  /** The nodes above the child, from the authority on; the parent is the last one. */
  readonly path: readonly string[]
  /** Where the child may go when it loses the parent, best first. */
  readonly others: readonly string[]
}

/** A frame of a link. */
export type LinkFrame =
  | {
      readonly kind: 'hello'
      readonly versionMin: number
      readonly versionMax: number
      readonly incarnation: string
      readonly token: string
      /** 32 fresh random bytes. */
      readonly nonce: Uint8Array
      /** What the node is set to where all of its fleet must be alike; undefined where it is part of none. */
      readonly configuredView?: string | undefined
    }
  | { readonly kind: 'proof'; readonly signature: Uint8Array }
  | { readonly kind: 'ping' }
  | {
      readonly kind: 'join'
      readonly doc: DocumentKey
      readonly have: Position | undefined
      /** Bytes of records the child takes before it gives more credit. */
      readonly credit: number
      /** With `tail`, a parent that has it not refuses with `FANFOLD_NO_TAIL`. */
      readonly take: JoinTake
      /** Codecs of pieces that the child can unpack: bit n − 1 for codec n. */
      readonly codecs: number
      /** The child goes where a `redirect` sends it. Else it is taken here, or refused. */
      readonly isMovable?: boolean | undefined
    }
  /** Answered with `left`. */
  | { readonly kind: 'leave'; readonly doc: DocumentKey }
  | { readonly kind: 'credit'; readonly channel: number; readonly bytes: number }
  | {
      readonly kind: 'request-pieces'
      readonly channel: number
      readonly indexes: readonly number[]
    }
  /**
   * The child has taken so many more bytes of `snapshot-begin` and `snapshot-piece` frames on the link;
   * `answers` the `request-taken` of this number, or none when it is 0.
   */
  | { readonly kind: 'pieces-taken'; readonly bytes: number; readonly answers: number }
  /** What the child has taken until now it says at once; the number is 1 or more. */
  | { readonly kind: 'request-taken'; readonly number: number }
  /** A child asks for the log itself, from the record after `have` or from the first one. */
  | {
      readonly kind: 'request-replay'
      readonly doc: DocumentKey
      /** What the child calls the replay: a number of no other that it has on the link. */
      readonly replay: number
      readonly have: Position | undefined
      /** Bytes of records the child takes before it gives more credit. */
      readonly credit: number
    }
  | { readonly kind: 'replay-credit'; readonly replay: number; readonly bytes: number }
  | { readonly kind: 'leave-replay'; readonly replay: number }
  | {
      readonly kind: 'welcome'
      readonly doc: DocumentKey
      readonly channel: number
      readonly mode: JoinMode
      /** The parent's last record at this moment. */
      readonly head: Position
      /** Highest tag of a part that comes on this stream: the least ceiling of all links above. */
      readonly ceiling: number
      /** Undefined in a tree that does not form itself. */
      readonly place?: TreePlace | undefined
    }
  | {
      readonly kind: 'refused'
      readonly doc: DocumentKey
      readonly code: ErrorCode
      readonly message: string
      /** 0 when the parent does not say. */
      readonly retryAfterMs: number
    }
  | { readonly kind: 'records'; readonly channel: number; readonly records: readonly LogRecord[] }
  | {
      readonly kind: 'snapshot-begin'
      readonly channel: number
      readonly manifest: SnapshotManifest
    }
  | {
      readonly kind: 'snapshot-piece'
      readonly channel: number
      readonly index: number
      /** How the piece is packed: 0 for as it is, else a number of the table of codecs. */
      readonly codec: number
      /** The piece, packed. */
      readonly piece: Uint8Array
    }
  | {
      readonly kind: 'ended'
      readonly channel: number
      readonly code: ErrorCode
      readonly message: string
    }
  | {
      readonly kind: 'status'
      readonly channel: number
      /** True while the sender has lost its own parent. */
      readonly stale: boolean
      /** How long the sender has been stale, ms. */
      readonly ageMs: number
    }
  /** The next records of a replay. */
  | {
      readonly kind: 'replay'
      readonly replay: number
      /** Highest tag of a part in the records, as `welcome` says it. */
      readonly ceiling: number
      readonly records: readonly LogRecord[]
    }
  /** All has come that the log held, or no more can: the child joins with what it has. */
  | {
      readonly kind: 'replay-ended'
      readonly replay: number
      /** Undefined when the replay reached the end of the log. */
      readonly code: ErrorCode | undefined
      readonly message: string
      /** 0 when the parent does not say. */
      readonly retryAfterMs: number
    }
  /** A child asks for an edge variant of a definition, which a record or a snapshot has named. */
  | { readonly kind: 'request-variant'; readonly hash: Uint8Array }
  | { readonly kind: 'variant'; readonly variant: SignedVariant }
  /** The parent has no such variant now, and has asked its own parent in vain. */
  | { readonly kind: 'no-variant'; readonly hash: Uint8Array }
  /** Something that holds now and is worth nothing later; see `signalKinds`. */
  | {
      readonly kind: 'signal'
      readonly signal: SignalKind
      /** Undefined for what is said of the whole link. */
      readonly doc: DocumentKey | undefined
      /** What it counts is the kind's business; at most 2^53 − 1. */
      readonly value: number
    }
  /** A child asks what the state of a document that it has joined is, in hashes. */
  | { readonly kind: 'request-state-hash'; readonly doc: DocumentKey }
  | {
      readonly kind: 'state-hash'
      readonly doc: DocumentKey
      /** Highest label whose hash may come: that of the child's stream. */
      readonly ceiling: number
      /** Of which state the hashes are. */
      readonly at: Position
      /** By rising tags; none when they cannot be had now. */
      readonly hashes: readonly LabelHash[]
    }

  /**
   * The child is to have the document from one of these nodes, best first: in place of a `welcome`, or later,
   * and then the parent serves it until it leaves.
   */
  | { readonly kind: 'redirect'; readonly doc: DocumentKey; readonly to: readonly string[] }
  /** The nodes above the child are others than `welcome` said. */
  | { readonly kind: 'path'; readonly channel: number; readonly path: readonly string[] }
  /** A node asks who has the document from whom: all of the tree, or what is below the node that is asked. */
  | {
      readonly kind: 'request-tree'
      /** What the asking node calls the question: a number of no other that it has under way on the link. */
      readonly number: number
      readonly doc: DocumentKey
      readonly isWhole: boolean
      /** The answer is of use for so long, ms. */
      readonly withinMs: number
      /** Entries of the answer at most, 1 … `treeEntriesMax`. */
      readonly entriesMax: number
    }
  | {
      readonly kind: 'tree'
      /** From `request-tree`. */
      readonly number: number
      /** Empty when nothing of it is below the node, or the question cannot be answered now. */
      readonly entries: readonly TreeEntry[]
    }
  /** What the crowd below the child says of a document that it has joined; answered by `crowd-answer`. */
  | {
      readonly kind: 'crowd'
      readonly doc: DocumentKey
      /** What the child calls it: higher than that of any before on the link. */
      readonly number: number
      /** Sessions that are wanted below, 0 … 65,535. */
      readonly asked: number
      /** An aggregate, as @fanfold/reduction encodes it; empty for none. */
      readonly aggregate: Uint8Array
    }
  | {
      readonly kind: 'crowd-answer'
      readonly doc: DocumentKey
      /** From `crowd`. */
      readonly number: number
      /** The next one is wanted so long after this one was sent, at the earliest, ms. */
      readonly waitMs: number
      /** The sessions that were begun: as many as were asked for, or fewer. */
      readonly sessions: readonly number[]
      /** How far the sessions that the aggregate covers are, as @fanfold/reduction encodes it; empty for none. */
      readonly standings: Uint8Array
    }
  /** The answer to a `leave`: what came of the document before this one is not of a later join. */
  | { readonly kind: 'left'; readonly doc: DocumentKey }

/** SHA-256 of what the state has under one label. */
export type LabelHash = { readonly tag: number; readonly hash: Uint8Array }

/** Bytes of a message in a frame at most. */
export const messageBytesMax = 1_024
/** Bytes of a `records` frame before its records. */
export const recordsHeadBytes = 5
/** Bytes of a `replay` frame before its records. */
export const replayHeadBytes = 6

/** The bytes of a frame. */
export function encodeLinkFrame(frame: LinkFrame): Uint8Array {
  const writer = new ByteWriter().uint8(linkFrameTypes[frame.kind])
  switch (frame.kind) {
    case 'hello':
      return writer
        .uint8(frame.versionMin)
        .uint8(frame.versionMax)
        .text(frame.incarnation)
        .text(frame.token)
        .raw(frame.nonce)
        .text(frame.configuredView ?? '')
        .finish()
    case 'proof':
      return writer.uint16(frame.signature.length).raw(frame.signature).finish()
    case 'ping':
      return writer.finish()
    case 'join':
      writer.text(frame.doc).uint32(frame.credit)
      return writeHave(writer, frame.have)
        .uint8(frame.take === 'any' ? 0 : 1)
        .uint32(frame.codecs)
        .uint8(frame.isMovable === true ? 1 : 0)
        .finish()
    case 'leave':
    case 'left':
      return writer.text(frame.doc).finish()
    case 'request-replay':
      writer.text(frame.doc).uint32(frame.replay).uint32(frame.credit)
      return writeHave(writer, frame.have).finish()
    case 'replay-credit':
      return writer.uint32(frame.replay).uint32(frame.bytes).finish()
    case 'leave-replay':
      return writer.uint32(frame.replay).finish()
    case 'credit':
      return writer.uint32(frame.channel).uint32(frame.bytes).finish()
    case 'request-pieces':
      writer.uint32(frame.channel).uint16(frame.indexes.length)
      for (const index of frame.indexes) writer.uint32(index)
      return writer.finish()
    case 'pieces-taken':
      return writer.uint32(frame.bytes).uint32(frame.answers).finish()
    case 'request-taken':
      return writer.uint32(frame.number).finish()
    case 'welcome':
      writer
        .text(frame.doc)
        .uint32(frame.channel)
        .uint8(frame.mode === 'tail' ? 0 : 1)
      writePosition(writer, frame.head).uint8(frame.ceiling)
      writer.uint8(frame.place === undefined ? 0 : 1)
      if (frame.place !== undefined) {
        writeNodes(writeNodes(writer, frame.place.path), frame.place.others)
      }
      return writer.finish()
    case 'redirect':
      return writeNodes(writer.text(frame.doc), frame.to).finish()
    case 'path':
      return writeNodes(writer.uint32(frame.channel), frame.path).finish()
    case 'refused':
      return writer
        .text(frame.doc)
        .text(frame.code)
        .text(frame.message.slice(0, messageBytesMax / 4))
        .uint32(frame.retryAfterMs)
        .finish()
    case 'records':
      return encodeRecordsFrame(
        frame.channel,
        frame.records.map(record => record.bytes),
      )
    case 'snapshot-begin':
      return writeManifest(writer.uint32(frame.channel), frame.manifest).finish()
    case 'snapshot-piece':
      return writer
        .uint32(frame.channel)
        .uint32(frame.index)
        .uint8(frame.codec)
        .raw(frame.piece)
        .finish()
    case 'ended':
      return writer
        .uint32(frame.channel)
        .text(frame.code)
        .text(frame.message.slice(0, messageBytesMax / 4))
        .finish()
    case 'status':
      return writer
        .uint32(frame.channel)
        .uint8(frame.stale ? 1 : 0)
        .uint32(frame.ageMs)
        .finish()
    case 'replay':
      return encodeReplayFrame(
        frame.replay,
        frame.ceiling,
        frame.records.map(record => record.bytes),
      )
    case 'replay-ended':
      return writer
        .uint32(frame.replay)
        .text(frame.code ?? '')
        .text(frame.message.slice(0, messageBytesMax / 4))
        .uint32(frame.retryAfterMs)
        .finish()
    case 'request-variant':
    case 'no-variant':
      return writer.raw(frame.hash).finish()
    case 'variant':
      return writeVariant(writer, frame.variant).finish()
    case 'signal':
      return writer
        .uint8(signalKinds[frame.signal])
        .text(frame.doc ?? '')
        .uint53(frame.value)
        .finish()
    case 'request-state-hash':
      return writer.text(frame.doc).finish()
    case 'state-hash': {
      const { doc, ceiling, at, hashes } = frame
      writePosition(writer.text(doc).uint8(ceiling), at).uint8(hashes.length)
      for (const { tag, hash } of hashes) writer.uint8(tag).raw(hash)
      return writer.finish()
    }
    case 'request-tree':
      return writer
        .uint32(frame.number)
        .text(frame.doc)
        .uint8(frame.isWhole ? 1 : 0)
        .uint32(frame.withinMs)
        .uint16(frame.entriesMax)
        .finish()
    case 'tree':
      return writeTree(writer.uint32(frame.number), frame.entries).finish()
    case 'crowd':
      return writer
        .text(frame.doc)
        .uint53(frame.number)
        .uint16(frame.asked)
        .raw(frame.aggregate)
        .finish()
    case 'crowd-answer':
      writer.text(frame.doc).uint53(frame.number).uint32(frame.waitMs).uint16(frame.sessions.length)
      for (const session of frame.sessions) writer.uint53(session)
      return writer.raw(frame.standings).finish()
    default:
      return unreachable(frame)
  }
}

/** A `records` frame that carries these records' bytes as they are. */
export function encodeRecordsFrame(channel: number, records: readonly Uint8Array[]): Uint8Array {
  const head = new Uint8Array(recordsHeadBytes)
  head[0] = linkFrameTypes.records
  writeUint32(head, 1, channel)
  return withRecords(head, records)
}

/** A `replay` frame that carries these records' bytes as they are. */
export function encodeReplayFrame(
  replay: number,
  ceiling: number,
  records: readonly Uint8Array[],
): Uint8Array {
  const head = new Uint8Array(replayHeadBytes)
  head[0] = linkFrameTypes.replay
  writeUint32(head, 1, replay)
  head[5] = ceiling
  return withRecords(head, records)
}

function withRecords(head: Uint8Array, records: readonly Uint8Array[]): Uint8Array {
  let length = head.length
  for (const record of records) length += 4 + record.length
  const bytes = new Uint8Array(length)
  bytes.set(head)
  let offset = head.length
  for (const record of records) {
    writeUint32(bytes, offset, record.length)
    bytes.set(record, offset + 4)
    offset += 4 + record.length
  }
  return bytes
}

function writeNodes(writer: ByteWriter, nodes: readonly string[]): ByteWriter {
  writer.uint8(nodes.length)
  for (const node of nodes) writer.text(node)
  return writer
}

const writeHave = (writer: ByteWriter, have: Position | undefined): ByteWriter =>
  have === undefined ? writer.uint8(0) : writePosition(writer.uint8(1), have)
