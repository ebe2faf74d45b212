import type { ViewerFrame, WriterFrame } from '@fanfold/protocol'
import { FanfoldError } from './fanfold-error.ts'

/**
 * What a field must be; `?` behind it where it may be left out. Integers are counts and numbers of
 * places, so none is below 0.
 */
type FieldKind = 'text' | 'integer' | 'array' | 'any'
type Fields = Readonly<Record<string, FieldKind | `${FieldKind}?`>>

const place: Fields = { doc: 'text', epoch: 'integer', seq: 'integer' }
const moved: Fields = { doc: 'text', to: 'text' }
const refused: Fields = { doc: 'text?', code: 'text', message: 'text', retryAfter: 'integer?' }

const settled: Fields = { doc: 'text', id: 'any' }
const rejected: Fields = { doc: 'text', code: 'text', message: 'text' }

const viewerFrames: Readonly<Record<ViewerFrame['type'], Fields>> = {
  snapshot: { ...place, position: 'text', view: 'any' },
  'snapshot-begin': { ...place, pieces: 'integer', bytes: 'integer' },
  'snapshot-piece': { doc: 'text', index: 'integer', pairs: 'array' },
  'snapshot-end': { doc: 'text', position: 'text' },
  delta: { ...place, from: 'integer', time: 'integer', patch: 'array' },
  status: { doc: 'text', status: 'text', code: 'text?' },
  moved,
  refused,
  left: { doc: 'text', reason: 'text' },
  counted: settled,
  unknown: settled,
  rejected,
}

const writerFrames: Readonly<Record<WriterFrame['type'], Fields>> = {
  committed: place,
  rejected,
  moved,
  refused,
}

/**
 * The frame in an edge's text, or `undefined` when it is of a type that this client does not know.
 *
 * @throws FanfoldError `FANFOLD_BAD_FRAME` when a field is not what it must be
 */
export const decodeViewerFrame = (text: string): ViewerFrame | undefined =>
  decode(text, viewerFrames) as ViewerFrame | undefined

/**
 * The frame in a writer's answer, or `undefined` when it is of a type that this client does not know.
 *
 * @throws FanfoldError `FANFOLD_BAD_FRAME` when a field is not what it must be
 */
export const decodeWriterFrame = (text: string): WriterFrame | undefined =>
  decode(text, writerFrames) as WriterFrame | undefined

function decode(text: string, frames: Readonly<Record<string, Fields>>): unknown {
  const frame = parseFrame(text)
  const type = frame['type']
  if (typeof type !== 'string' || !Object.hasOwn(frames, type)) return undefined
  for (const [name, kind] of Object.entries(frames[type] ?? {})) {
    if (!isOfKind(frame[name], kind)) {
      const message = `the server sent a ${type} frame without a valid ${name}`
      throw new FanfoldError('FANFOLD_BAD_FRAME', message)
    }
  }
  return frame
}

function isOfKind(value: unknown, kind: Fields[string]): boolean {
  if (value === undefined) return kind.endsWith('?')
  if (kind.startsWith('text')) return typeof value === 'string'
  if (kind.startsWith('integer')) return Number.isSafeInteger(value) && Number(value) >= 0
  return kind === 'any' || Array.isArray(value)
}

function parseFrame(text: string): Readonly<Record<string, unknown>> {
  try {
    const frame: unknown = JSON.parse(text)
    if (typeof frame === 'object' && frame !== null) {
      return frame as Readonly<Record<string, unknown>>
    }
  } catch {
    // As for any other text that is no object.
  }
  throw new FanfoldError('FANFOLD_BAD_FRAME', 'the server sent no JSON object')
}
