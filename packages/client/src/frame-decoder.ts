import type { ViewerFrame, WriterFrame } from '@fanfold/protocol'
import { FanfoldError } from './fanfold-error.ts'

/**
 * The frame in an edge's text, or `undefined` when it is of a type that this client does not know.
 *
 * @throws FanfoldError `FANFOLD_BAD_FRAME` when a field is not what it must be
 */
export function decodeViewerFrame(text: string): ViewerFrame | undefined {
  const frame = parseFrame(text)
  switch (frame['type']) {
    case 'snapshot':
      requireFields(frame, { doc: 'string', epoch: 'number', seq: 'number', position: 'string' })
      if (frame['view'] === undefined) throw badFrame('snapshot', 'view')
      break
    case 'delta':
      requireFields(frame, {
        doc: 'string',
        epoch: 'number',
        from: 'number',
        seq: 'number',
        time: 'number',
      })
      if (!Array.isArray(frame['patch'])) throw badFrame('delta', 'patch')
      break
    case 'status':
      requireFields(frame, { doc: 'string', status: 'string' })
      if (frame['code'] !== undefined) requireFields(frame, { code: 'string' })
      break
    case 'moved':
      requireFields(frame, { doc: 'string', to: 'string' })
      break
    case 'refused':
      requireFields(frame, { code: 'string', message: 'string' })
      if (frame['retryAfter'] !== undefined) requireFields(frame, { retryAfter: 'number' })
      break
    case 'left':
      requireFields(frame, { doc: 'string', reason: 'string' })
      break
    default:
      return undefined
  }
  return frame as unknown as ViewerFrame
}

/**
 * The frame in a writer's answer, or `undefined` when it is of a type that this client does not know.
 *
 * @throws FanfoldError `FANFOLD_BAD_FRAME` when a field is not what it must be
 */
export function decodeWriterFrame(text: string): WriterFrame | undefined {
  const frame = parseFrame(text)
  switch (frame['type']) {
    case 'committed':
      requireFields(frame, { doc: 'string', epoch: 'number', seq: 'number' })
      break
    case 'rejected':
      requireFields(frame, { doc: 'string', code: 'string', message: 'string' })
      break
    case 'moved':
      requireFields(frame, { doc: 'string', to: 'string' })
      break
    case 'refused':
      requireFields(frame, { code: 'string', message: 'string' })
      break
    default:
      return undefined
  }
  return frame as unknown as WriterFrame
}

type Fields = Readonly<Record<string, unknown>>

function parseFrame(text: string): Fields {
  try {
    const frame: unknown = JSON.parse(text)
    if (typeof frame === 'object' && frame !== null) return frame as Fields
  } catch {
    // As for any other text that is no object.
  }
  throw new FanfoldError('FANFOLD_BAD_FRAME', 'the server sent a frame that is no JSON object')
}

function requireFields(frame: Fields, kinds: Readonly<Record<string, 'string' | 'number'>>): void {
  for (const [name, kind] of Object.entries(kinds)) {
    const value = frame[name]
    if (typeof value !== kind || (kind === 'number' && !Number.isSafeInteger(value))) {
      throw badFrame(String(frame['type']), name)
    }
  }
}

const badFrame = (type: string, field: string): FanfoldError =>
  new FanfoldError('FANFOLD_BAD_FRAME', `the server sent a ${type} frame without a valid ${field}`)
