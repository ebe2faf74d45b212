/*
 * Frames between an edge and a viewer: JSON texts. What comes from a viewer is decoded here, field by
 * field; what goes to viewers is written by hand around payloads that are JSON already, so that a
 * delta's patch is never parsed to be passed on.
 */
import { encodeUtf8 } from '@fanfold/kernel'
import { type DocumentKey, parseDocumentKey } from './document-key.ts'
import type { ErrorCode } from './error-code.ts'
import { limits } from './limits.ts'
import { badFrame, ProtocolError } from './protocol-error.ts'

/** What a viewer calls what it adds. */
export type AddId = number | string

/** What a viewer asks for. */
export type ViewerRequest =
  | { readonly type: 'authenticate'; readonly token: string }
  | {
      readonly type: 'observe'
      readonly doc: DocumentKey
      /** Undefined when the viewer sends none. */
      readonly viewState: unknown
      /** A position from an earlier frame. */
      readonly from: string | undefined
      /** Deltas per second the viewer wants at most. */
      readonly maxRate: number | undefined
    }
  | { readonly type: 'viewState'; readonly doc: DocumentKey; readonly viewState: unknown }
  | {
      readonly type: 'add'
      readonly doc: DocumentKey
      readonly reducer: string
      readonly value: unknown
      /** What became of it is told by this; undefined when nobody wants to know. */
      readonly id: AddId | undefined
      /** Of what one voice says, what has the higher stamp is later; undefined for when it comes. */
      readonly stamp: number | undefined
    }
  | { readonly type: 'leave'; readonly doc: DocumentKey }

/** What the edge answers, as the client decodes it. */
export type ViewerFrame =
  | {
      readonly type: 'snapshot'
      readonly doc: string
      readonly epoch: number
      readonly seq: number
      readonly position: string
      /** Said when seqs count the frames of this view: then a snapshot begins a new count. */
      readonly numbering?: 'dense'
      readonly view: unknown
    }
  /** A snapshot that comes in pieces: its view is made of all their pairs, in order of the pieces. */
  | {
      readonly type: 'snapshot-begin'
      readonly doc: string
      readonly epoch: number
      readonly seq: number
      readonly numbering?: 'dense'
      /** How many pieces follow. */
      readonly pieces: number
      /** Bytes of all pieces together, as JSON. */
      readonly bytes: number
    }
  | {
      readonly type: 'snapshot-piece'
      readonly doc: string
      /** 0 for the first one; they come in order. */
      readonly index: number
      /** [pointer, value], each set into what those before have made; the first pointer is the root's. */
      readonly pairs: readonly (readonly [pointer: string, value: unknown])[]
    }
  /** All pieces are there: now, and not before, it takes the place of the view. */
  | { readonly type: 'snapshot-end'; readonly doc: string; readonly position: string }
  | {
      readonly type: 'delta'
      readonly doc: string
      readonly epoch: number
      readonly from: number
      readonly seq: number
      readonly patch: readonly unknown[]
      readonly time: number
      readonly position?: string
    }
  | {
      readonly type: 'status'
      readonly doc: string
      readonly status: 'live' | 'stale'
      readonly since: number
      /** Why, when it is not for want of a parent. */
      readonly code?: ErrorCode
    }
  | { readonly type: 'moved'; readonly doc: string; readonly to: string }
  | {
      readonly type: 'refused'
      readonly doc?: string
      readonly code: ErrorCode
      readonly message: string
      /** How long to wait before asking again, ms. */
      readonly retryAfter?: number
    }
  | { readonly type: 'left'; readonly doc: string; readonly reason: string }
  /** What was added with this id is in the document, or nobody can tell whether it is or will be. */
  | { readonly type: 'counted' | 'unknown'; readonly doc: string; readonly id: AddId }
  /** What was added is not heard; the observation goes on. */
  | {
      readonly type: 'rejected'
      readonly doc: string
      readonly id?: AddId
      readonly reducer: string
      readonly code: ErrorCode
      readonly message: string
      /** How long to wait before adding again, ms. */
      readonly retryAfter?: number
    }

/**
 * The request in a viewer's text frame.
 *
 * @throws ProtocolError `FANFOLD_BAD_FRAME`, `FANFOLD_BAD_KEY`, `FANFOLD_FRAME_TOO_LARGE`
 */
export function decodeViewerRequest(text: string): ViewerRequest {
  checkFrameBytes(text, limits.observeFrameBytesMax.value)
  const fields = parseObject(text)
  switch (fields['type']) {
    case 'authenticate':
      return { type: 'authenticate', token: textField(fields, 'token') }
    case 'observe':
      return {
        type: 'observe',
        doc: keyField(fields),
        viewState: fields['viewState'],
        from: fields['from'] === undefined ? undefined : textField(fields, 'from'),
        maxRate: fields['maxRate'] === undefined ? undefined : rateField(fields),
      }
    case 'viewState':
      return { type: 'viewState', doc: keyField(fields), viewState: fields['viewState'] }
    case 'add':
      return {
        type: 'add',
        doc: keyField(fields),
        reducer: reducerField(fields),
        value: fields['value'],
        id: fields['id'] === undefined ? undefined : addId(fields['id']),
        stamp: fields['stamp'] === undefined ? undefined : addStamp(fields['stamp']),
      }
    case 'leave':
      return { type: 'leave', doc: keyField(fields) }
    default:
      return unknownType(fields['type'])
  }
}

/** Bytes of a `snapshot` frame; `viewJson` is the view as JSON text. */
export function encodeSnapshotFrame(snapshot: {
  readonly doc: DocumentKey
  readonly epoch: number
  readonly seq: number
  readonly position: string
  /** Whether `seq` counts the frames of the view; not when not said. */
  readonly isDense?: boolean
  readonly viewJson: string
}): Uint8Array {
  const { doc, epoch, seq, position, isDense, viewJson } = snapshot
  const numbering = isDense === true ? ',"numbering":"dense"' : ''
  return encodeUtf8(
    `{"type":"snapshot","doc":"${doc}","epoch":${epoch},"seq":${seq},"position":"${position}"${numbering},"view":${viewJson}}`,
  )
}

/** Bytes of a `delta` frame around `patch`, which is the UTF-8 of a JSON array and copied as it is. */
export function encodeDeltaFrame(delta: {
  readonly doc: DocumentKey
  readonly epoch: number
  readonly from: number
  readonly seq: number
  readonly timeMs: number
  readonly position: string | undefined
  readonly patch: Uint8Array
}): Uint8Array {
  const { doc, epoch, from, seq, timeMs, position, patch } = delta
  const head = encodeUtf8(
    `{"type":"delta","doc":"${doc}","epoch":${epoch},"from":${from},"seq":${seq},"time":${timeMs}${
      position === undefined ? '' : `,"position":"${position}"`
    },"patch":`,
  )
  const bytes = new Uint8Array(head.length + patch.length + 1)
  bytes.set(head)
  bytes.set(patch, head.length)
  bytes[bytes.length - 1] = closingBrace
  return bytes
}

const closingBrace = 0x7d

/** Bytes of a `snapshot-piece` frame around a piece, the UTF-8 of its pairs as JSON, copied as it is. */
export function encodeViewPieceFrame(
  doc: DocumentKey,
  index: number,
  piece: Uint8Array,
): Uint8Array {
  const head = encodeUtf8(`{"type":"snapshot-piece","doc":"${doc}","index":${index},"pairs":`)
  const bytes = new Uint8Array(head.length + piece.length + 1)
  bytes.set(head)
  bytes.set(piece, head.length)
  bytes[bytes.length - 1] = closingBrace
  return bytes
}

/** Bytes of any of the small frames: those without a view or a patch. */
export const encodeViewerFrame = (
  frame: Exclude<ViewerFrame, { type: 'snapshot' | 'snapshot-piece' | 'delta' }>,
): Uint8Array => encodeUtf8(JSON.stringify(frame))

/** @throws ProtocolError `FANFOLD_FRAME_TOO_LARGE` when `text` has more bytes of UTF-8 than that */
export function checkFrameBytes(text: string, bytesMax: number): void {
  // A UTF-16 unit has one to three bytes of UTF-8: short texts need no counting.
  const bytes = text.length * 3 <= bytesMax ? 0 : encodeUtf8(text).length
  if (bytes <= bytesMax) return
  throw new ProtocolError(
    'FANFOLD_FRAME_TOO_LARGE',
    `a frame of at most ${bytesMax} bytes, got ${bytes}`,
  )
}

/** @throws ProtocolError `FANFOLD_BAD_FRAME` that names the type, which may be any JSON */
export function unknownType(type: unknown): never {
  // Not by JSON.stringify: it overflows the stack on what is nested deep enough.
  return badFrame(
    `a known type of frame, got ${typeof type === 'string' ? type.slice(0, 60) : typeof type}`,
  )
}

/** @throws ProtocolError `FANFOLD_BAD_FRAME` when `text` is not a JSON object */
export function parseObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return badFrame('a frame is JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return badFrame('a frame is a JSON object')
  }
  return value as Readonly<Record<string, unknown>>
}

/** @throws ProtocolError `FANFOLD_BAD_FRAME` when the field is not a text */
export function textField(fields: Readonly<Record<string, unknown>>, name: string): string {
  const value = fields[name]
  return typeof value === 'string' ? value : badFrame(`${name} is a text`)
}

/** @throws ProtocolError `FANFOLD_BAD_FRAME`, `FANFOLD_BAD_KEY` when `doc` is not a document key */
export function keyField(fields: Readonly<Record<string, unknown>>): DocumentKey {
  return parseDocumentKey(textField(fields, 'doc'))
}

/**
 * The name of a reducer from outside.
 *
 * @throws ProtocolError `FANFOLD_BAD_FRAME` when it is over its limit
 */
export function reducerName(name: string): string {
  const bytesMax = limits.reducerNameBytesMax.value
  return isShort(name, bytesMax) ? name : badFrame(`reducer is a text of at most ${bytesMax} bytes`)
}

/**
 * The stamp of what is added, from outside.
 *
 * @throws ProtocolError `FANFOLD_BAD_FRAME` when it is none
 */
export const addStamp = (value: unknown): number =>
  Number.isSafeInteger(value) && Number(value) >= 0
    ? Number(value)
    : badFrame('stamp is an integer of 0 to 2^53 - 1')

const reducerField = (fields: Readonly<Record<string, unknown>>): string =>
  reducerName(textField(fields, 'reducer'))

function addId(id: unknown): AddId {
  // A number that JSON cannot say would come back as another one.
  if (typeof id === 'number' && Number.isFinite(id)) return id
  const bytesMax = limits.addIdBytesMax.value
  return typeof id === 'string' && isShort(id, bytesMax)
    ? id
    : badFrame(`id is a number, or a text of at most ${bytesMax} bytes`)
}

const isShort = (text: string, bytesMax: number): boolean =>
  text.length <= bytesMax && encodeUtf8(text).length <= bytesMax

function rateField(fields: Readonly<Record<string, unknown>>): number {
  const rate = fields['maxRate']
  return typeof rate === 'number' && rate > 0 && rate <= 1000
    ? rate
    : badFrame('maxRate is a number over 0, at most 1000, deltas per second')
}
