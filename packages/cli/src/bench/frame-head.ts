/*
 * What a frame of an edge says beside the view or the patch in it. As edges write frames those stand last, the type
 * stands first, and they are most of the frame: a viewer that does not keep the view reads what stands before them,
 * and no further.
 */
import { fieldsOf, numberOf, optionalTextOf, textOf } from '../json-fields.ts'

/** What a frame says of the place of its viewer. */
export type FrameHead =
  | {
      readonly type: 'delta'
      readonly epoch: number
      readonly from: number
      readonly seq: number
      /** When it was committed, ms since 1970. */
      readonly time: number
      readonly position: string | undefined
    }
  | {
      readonly type: 'snapshot'
      readonly epoch: number
      readonly seq: number
      readonly position: string
      readonly isDense: boolean
    }
  | {
      readonly type: 'snapshot-begin'
      readonly epoch: number
      readonly seq: number
      readonly isDense: boolean
      readonly pieces: number
    }
  | { readonly type: 'snapshot-piece'; readonly index: number }
  | { readonly type: 'snapshot-end'; readonly position: string }
  | { readonly type: 'status'; readonly isStale: boolean }
  | { readonly type: 'moved'; readonly to: string }
  | {
      readonly type: 'refused'
      /** Undefined where it is about the connection. */
      readonly doc: string | undefined
      readonly code: string
      readonly message: string
      readonly retryAfterMs: number | undefined
    }
  | { readonly type: 'left'; readonly reason: string }
  /** A type that says nothing of the place, or that this version does not know. */
  | { readonly type: 'other' }

/** What begins the member that is most of a frame, of the types that have one. */
const longMembers: Readonly<Record<string, string>> = {
  delta: ',"patch":',
  snapshot: ',"view":',
  'snapshot-piece': ',"pairs":',
}

/** A document key has 255 bytes at most and a position 128: nothing before the long member is longer. */
export const headBytesMax = 1_024

const typeOf = /^\{"type":"([a-z-]+)"/

/**
 * Reads the head of a frame.
 *
 * @param text all of a frame, or its first `headBytesMax` characters
 * @returns undefined for what is no JSON object of a frame
 */
export function readHead(text: string): FrameHead | undefined {
  const mark = longMembers[typeOf.exec(text)?.[1] ?? '']
  // Members before it are keys, numbers and base64: the mark cannot stand in one of them.
  const end = mark === undefined ? -1 : text.indexOf(mark)
  let frame: unknown
  try {
    frame = JSON.parse(end === -1 ? text : `${text.slice(0, end)}}`)
  } catch {
    return undefined
  }
  const fields = fieldsOf(frame)
  return fields === undefined ? undefined : headOf(fields)
}

/** Reads heads of which many are the same, as viewers of one cohort are sent the same bytes. */
export class HeadReader {
  #text = ''
  #head: FrameHead | undefined

  /** As `readHead`. */
  read(text: string): FrameHead | undefined {
    if (text === this.#text) return this.#head
    this.#head = readHead(text)
    this.#text = text
    return this.#head
  }
}

function headOf(fields: Readonly<Record<string, unknown>>): FrameHead {
  const epoch = numberOf(fields['epoch'])
  const seq = numberOf(fields['seq'])
  const isDense = fields['numbering'] === 'dense'
  const position = optionalTextOf(fields['position'])
  switch (fields['type']) {
    case 'delta': {
      const from = numberOf(fields['from'])
      return { type: 'delta', epoch, from, seq, time: numberOf(fields['time']), position }
    }
    case 'snapshot':
      return { type: 'snapshot', epoch, seq, isDense, position: position ?? '' }
    case 'snapshot-begin':
      return { type: 'snapshot-begin', epoch, seq, isDense, pieces: numberOf(fields['pieces']) }
    case 'snapshot-piece':
      return { type: 'snapshot-piece', index: numberOf(fields['index']) }
    case 'snapshot-end':
      return { type: 'snapshot-end', position: position ?? '' }
    case 'status':
      return { type: 'status', isStale: fields['status'] === 'stale' }
    case 'moved':
      return { type: 'moved', to: textOf(fields['to']) }
    case 'refused': {
      const retryAfter = fields['retryAfter']
      return {
        type: 'refused',
        doc: optionalTextOf(fields['doc']),
        code: textOf(fields['code']),
        message: textOf(fields['message']),
        retryAfterMs: typeof retryAfter === 'number' ? retryAfter : undefined,
      }
    }
    case 'left':
      return { type: 'left', reason: textOf(fields['reason']) }
    default:
      return { type: 'other' }
  }
}
