/*
 * The document that tests of an edge show, its log, and the frames in which a parent sends it.
 */
import { buildLog, sha256 } from '@fanfold/conformance'
import type { EdgeDefinition } from '@fanfold/definition'
import {
  encodeSnapshot,
  type JsonObject,
  type JsonValue,
  type RecordedDefinition,
  recordedDefinition,
  type Snapshot,
} from '@fanfold/document'
import { encodeUtf8, toHex } from '@fanfold/kernel'
import {
  type DocumentKey,
  type Grants,
  type LinkFrame,
  type LinkId,
  type LogRecord,
  type Position,
  parseDocumentKey,
  type SignedVariant,
  type ViewerId,
} from '@fanfold/protocol'
import { ResumePoints } from '../src/resume-point.ts'

/** The document of the tests. */
export const doc: DocumentKey = parseDocumentKey('acme/match/final')

/** What edges seal positions with. */
export const viewKey = 'ab'.repeat(16)

/** A variant as it travels; its text is only a name. */
export const variantOf = (name: string): SignedVariant => {
  const code = encodeUtf8(name)
  const hash = new Uint8Array(32)
  sha256(code, hash, 0)
  return { hash, type: 'match', token: '', signature: new Uint8Array(0), code }
}

/** The name that a log gives a variant. */
export const hashOf = (name: string): string => toHex(variantOf(name).hash)

/** What a log says of a definition. */
export const recorded = (
  name: string | undefined,
  labels: RecordedDefinition['labels'] = [],
): RecordedDefinition => {
  const hash = name === undefined ? undefined : hashOf(name)
  return recordedDefinition({ variants: [{ ceiling: 0, hash }], viewKey, labels })
}

/** A definition under which everybody sees everything, but for what is said. */
export const define = (
  overrides: Partial<Omit<EdgeDefinition, 'observe'>> & {
    observe?: Partial<NonNullable<EdgeDefinition['observe']>>
  } = {},
): EdgeDefinition => ({
  type: 'match',
  reducers: {},
  watched: {},
  rules: [],
  isOpen: true,
  labels: [],
  view: undefined,
  viewState: undefined,
  ...overrides,
  observe: {
    allow: () => true,
    audience: () => ({}),
    clearance: () => 0,
    numbering: 'document',
    ...overrides.observe,
  },
})

/** Its log: the definition, which is open, then `create`, then deltas that set `n` to their seq. */
export const log: readonly LogRecord[] = buildLog({
  doc,
  count: 400,
  definition: recorded('open'),
}).records

/** The wall's time at the start, ms. */
export const startMs = 1_731_931_200_000

export const parent: LinkId = 100 as LinkId
export const viewer = (number: number): ViewerId => number as ViewerId

/** What the parent calls the document. */
export const channel = 55

export const grants = (overrides: Partial<Grants> = {}): Grants => ({
  subject: 'ada',
  tenant: undefined,
  documents: ['acme/**'],
  allow: ['observe'],
  expiresAtMs: undefined,
  claims: {},
  ...overrides,
})

/** The position after the record with this seq. */
export const positionAt = (seq: number): Position => {
  const record = log[seq - 1]
  if (record === undefined) throw new Error(`the log has no record ${seq}`)
  return { epoch: record.epoch, seq, hash: record.chainHash }
}

/** What a viewer of the open definition holds who has got to this seq. */
export const pointAt = (seq: number, audience: JsonValue = {}): string => {
  const points = new ResumePoints(sha256, viewKey)
  return points.seal(positionAt(seq), points.tag(hashOf('open'), audience, undefined))
}

export const welcome = (mode: 'tail' | 'snapshot', seq: number, ceiling = 239): LinkFrame => ({
  kind: 'welcome',
  doc,
  channel,
  mode,
  head: positionAt(seq),
  ceiling,
})

/** The records of these seqs, as the parent sends them. */
export const records = (first: number, last: number): LinkFrame => ({
  kind: 'records',
  channel,
  records: log.slice(first - 1, last),
})

/** A snapshot at a seq, as the parent sends it; of a deleted document without a state. */
export const snapshot = (seq: number, isDeleted = false): LinkFrame[] =>
  snapshotOf(seq, isDeleted ? undefined : { n: seq, text: 'x'.repeat(2_000) })

/** A snapshot of any state. */
export const snapshotOf = (seq: number, state: JsonObject | undefined): LinkFrame[] => {
  const definition = state === undefined ? undefined : recorded('open')
  return snapshotFrames(encodeSnapshot({ at: positionAt(seq), state, definition, sha256 }))
}

/** The frames of a snapshot. */
export const snapshotFrames = (
  { manifest, pieces }: Snapshot,
  stream: number = channel,
): LinkFrame[] => [
  { kind: 'snapshot-begin', channel: stream, manifest },
  ...pieces.map((piece, index): LinkFrame => {
    return { kind: 'snapshot-piece', channel: stream, index, codec: 0, piece }
  }),
]
