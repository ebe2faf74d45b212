import { encodeViewPieces, escapeSegment, type JsonObject, type JsonValue } from '@fanfold/document'
import type { ViewerFrame } from '@fanfold/protocol'
import { doc } from './frames.ts'

type BeginFrame = Extract<ViewerFrame, { type: 'snapshot-begin' }>
type PieceFrame = Extract<ViewerFrame, { type: 'snapshot-piece' }>
type EndFrame = Extract<ViewerFrame, { type: 'snapshot-end' }>
type Pairs = PieceFrame['pairs']

/** The frames of a snapshot in pieces. */
export type PiecesFrames = {
  readonly begin: BeginFrame
  readonly pieces: readonly PieceFrame[]
  readonly end: EndFrame
  /** All of them, in order. */
  readonly all: readonly ViewerFrame[]
}

/** The frames of a snapshot with these pairs in each piece. */
export function framesOf(pairs: readonly Pairs[], fields: Partial<BeginFrame> = {}): PiecesFrames {
  const { epoch = 1, seq = 10 } = fields
  const key = fields.doc ?? doc
  const bytes = pairs.reduce((sum, piece) => sum + Buffer.byteLength(JSON.stringify(piece)), 0)
  const begin: BeginFrame = {
    type: 'snapshot-begin',
    doc: key,
    epoch,
    seq,
    pieces: pairs.length,
    bytes,
    ...fields,
  }
  const pieces = pairs.map(
    (piece, index): PieceFrame => ({ type: 'snapshot-piece', doc: key, index, pairs: piece }),
  )
  const end: EndFrame = { type: 'snapshot-end', doc: key, position: `p${epoch}.${seq}` }
  return { begin, pieces, end, all: [begin, ...pieces, end] }
}

/** The frames of a view as an edge cuts it. */
export const encodedFrames = (view: JsonObject, fields: Partial<BeginFrame> = {}): PiecesFrames =>
  framesOf(
    encodeViewPieces(view).map(piece => JSON.parse(Buffer.from(piece).toString()) as Pairs),
    fields,
  )

/** The frames of a view in which every container is opened, so many pairs in a piece. */
export function openedFrames(
  view: JsonValue,
  pairsMax: number,
  fields: Partial<BeginFrame> = {},
): PiecesFrames {
  const pairs: [string, unknown][] = []
  const open: [string, JsonValue][] = [['', view]]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [pointer, value] = next
    if (typeof value !== 'object' || value === null) {
      pairs.push([pointer, value])
      continue
    }
    pairs.push([pointer, Array.isArray(value) ? [] : {}])
    const children = Object.entries(value).map(([name, child]): [string, JsonValue] => [
      `${pointer}/${escapeSegment(name)}`,
      child,
    ])
    open.push(...children.reverse())
  }
  const count = Math.ceil(pairs.length / pairsMax)
  return framesOf(
    Array.from({ length: count }, (_, piece) =>
      pairs.slice(piece * pairsMax, (piece + 1) * pairsMax),
    ),
    fields,
  )
}
