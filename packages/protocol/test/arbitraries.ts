/*
 * Random keys, positions, records and frames, for the property tests of the wire.
 */
import fc from 'fast-check'
import { type DocumentKey, parseDocumentKey } from '../src/document-key.ts'
import { type ErrorCode, errorCodes } from '../src/error-code.ts'
import type { LinkFrame } from '../src/link-frame.ts'
import {
  encodeRecord,
  LogRecord,
  type RecordFields,
  type RecordKind,
  recordKinds,
} from '../src/log-record.ts'
import type { Position } from '../src/position.ts'
import type { TreeEntry, TreeRole, TreeStanding } from '../src/tree-entry.ts'

/** The fields of a small delta, with `overrides`. */
export const recordFields = (overrides: Partial<RecordFields> = {}): RecordFields => ({
  kind: 'delta',
  key: parseDocumentKey('acme/match/final'),
  epoch: 3,
  seq: 7,
  timeMs: 1_731_931_200_123,
  trace: new Uint8Array(16).fill(0xab),
  parts: [part(0, '[]')],
  ...overrides,
})

/** A part with a salt made of its tag. */
export const part = (tag: number, payload: string | Uint8Array): RecordFields['parts'][number] => ({
  tag,
  salt: new Uint8Array(16).fill(tag),
  payload: typeof payload === 'string' ? Buffer.from(payload) : payload,
})

/** Bytes that are no view of a Node buffer, so that comparing them is comparing bytes. */
export const bytesOf = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length })

const segment = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.~-]{0,79}$/)

/** Any document key, up to the longest. */
export const documentKey: fc.Arbitrary<DocumentKey> = fc
  .tuple(segment, segment, segment)
  .map(segments => parseDocumentKey(segments.join('/')))

const uint32 = fc.nat({ max: 0xffff_ffff })
const uint48 = fc.maxSafeNat().map(value => value % 2 ** 48)
const uint53 = fc.maxSafeNat()

/** Any position. */
export const position: fc.Arbitrary<Position> = fc.record({
  epoch: uint32,
  seq: uint53,
  hash: bytesOf(32),
})

/** Any fields of a record. */
export const anyRecordFields: fc.Arbitrary<RecordFields> = fc.record({
  kind: fc.constantFrom(...(Object.keys(recordKinds) as RecordKind[])),
  key: documentKey,
  epoch: uint32,
  seq: uint48.filter(seq => seq > 0),
  timeMs: uint48,
  trace: fc.option(bytesOf(16), { nil: undefined }),
  parts: fc
    .uniqueArray(
      fc.record({
        tag: fc.nat({ max: 255 }),
        salt: bytesOf(16),
        payload: fc.uint8Array({ maxLength: 300 }),
      }),
      { selector: ({ tag }) => tag, maxLength: 15 },
    )
    .map(parts => parts.sort((a, b) => a.tag - b.tag)),
})

/** Any record, its chain hash still zeros. */
export const anyRecord: fc.Arbitrary<LogRecord> = anyRecordFields.map(fields =>
  LogRecord.decode(encodeRecord(fields)),
)

const code = fc.constantFrom(...(Object.keys(errorCodes) as ErrorCode[]))
const message = fc.string({ unit: 'grapheme', maxLength: 60 })
const text = fc.string({ unit: 'grapheme', maxLength: 200 })
const uint8 = fc.nat({ max: 255 })

const nodes = fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }), {
  maxLength: 8,
})
/** What is written when it says something, and else left out. */
const only = <Field extends string, Value>(field: Field, value: fc.Arbitrary<Value>) =>
  fc.oneof(fc.constant({}), fc.record({ [field]: value }))
const also = (frame: fc.Arbitrary<LinkFrame>, more: fc.Arbitrary<object>) =>
  fc.tuple(frame, more).map(([one, other]): LinkFrame => ({ ...one, ...other }))

const of = <Kind extends LinkFrame['kind']>(
  kind: Kind,
  fields: {
    [Name in Exclude<
      keyof FrameOf<Kind>,
      'kind' | 'configuredView' | 'isMovable' | 'place'
    >]: fc.Arbitrary<FrameOf<Kind>[Name]>
  },
): fc.Arbitrary<LinkFrame> =>
  fc.record({ kind: fc.constant(kind), ...fields }) as fc.Arbitrary<LinkFrame>

type FrameOf<Kind> = Extract<LinkFrame, { kind: Kind }>

const maybe = <Field extends string, Value>(
  field: Field,
  value: fc.Arbitrary<Value>,
): fc.Arbitrary<{ readonly [name in Field]?: Value }> =>
  fc.record({ [field]: value }, { requiredKeys: [] }) as fc.Arbitrary<{
    readonly [name in Field]?: Value
  }>

const treeStanding: fc.Arbitrary<TreeStanding> = fc
  .tuple(
    fc.record({
      epoch: uint32,
      seq: uint53,
      viewers: uint53,
      children: uint32,
      notAsked: uint32,
      isLive: fc.boolean(),
    }),
    maybe('staleMs', uint32),
    maybe('lagMs', uint32),
    fc.record({ recentRecords: uint32, recentBytes: uint53 }),
    maybe('problem', code),
  )
  .map(parts => Object.assign({}, ...parts) as TreeStanding)

const nodeName = fc.stringMatching(/^(?:[A-Za-z0-9][A-Za-z0-9_.~-]{0,79})?$/)

const tree: fc.Arbitrary<TreeEntry[]> = fc
  .array(
    fc.tuple(
      fc.nat(),
      fc.constantFrom<TreeRole>('authority', 'proxy', 'edge'),
      nodeName,
      nodeName,
      fc.option(treeStanding, { nil: undefined }),
    ),
    { maxLength: 8 },
  )
  .map(rows =>
    rows.map(([above, role, node, region, standing], at) => ({
      above: at === 0 ? undefined : above % at,
      role,
      node,
      region,
      standing,
    })),
  )

/** Any frame of each kind, by its kind. */
export const linkFrames: { [Kind in LinkFrame['kind']]: fc.Arbitrary<LinkFrame> } = {
  hello: also(
    of('hello', {
      versionMin: uint8,
      versionMax: uint8,
      incarnation: text,
      token: text,
      nonce: bytesOf(32),
    }),
    only('configuredView', fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 })),
  ),
  proof: of('proof', { signature: fc.uint8Array({ maxLength: 128 }) }),
  ping: fc.constant({ kind: 'ping' }),
  join: also(
    of('join', {
      doc: documentKey,
      credit: uint32,
      have: fc.option(position, { nil: undefined }),
      take: fc.constantFrom('any', 'tail'),
      codecs: uint32,
    }),
    only('isMovable', fc.constant(true)),
  ),
  redirect: of('redirect', { doc: documentKey, to: nodes.filter(to => to.length > 0) }),
  path: of('path', { channel: uint32, path: nodes }),
  'request-replay': of('request-replay', {
    doc: documentKey,
    replay: uint32,
    credit: uint32,
    have: fc.option(position, { nil: undefined }),
  }),
  'replay-credit': of('replay-credit', { replay: uint32, bytes: uint32 }),
  'leave-replay': of('leave-replay', { replay: uint32 }),
  'pieces-taken': of('pieces-taken', { bytes: uint32, answers: uint32 }),
  'request-taken': of('request-taken', { number: uint32 }),
  leave: of('leave', { doc: documentKey }),
  left: of('left', { doc: documentKey }),
  credit: of('credit', { channel: uint32, bytes: uint32 }),
  'request-pieces': of('request-pieces', { channel: uint32, indexes: fc.array(uint32) }),
  welcome: also(
    of('welcome', {
      doc: documentKey,
      channel: uint32,
      mode: fc.constantFrom('tail', 'snapshot'),
      head: position,
      ceiling: uint8,
    }),
    only('place', fc.record({ path: nodes, others: nodes })),
  ),
  refused: of('refused', { doc: documentKey, code, message, retryAfterMs: uint32 }),
  records: of('records', { channel: uint32, records: fc.array(anyRecord, { maxLength: 5 }) }),
  'snapshot-begin': of('snapshot-begin', {
    channel: uint32,
    manifest: fc.record({
      at: position,
      pieces: fc.array(
        fc.record({
          tag: uint8,
          bytes: fc.integer({ min: 1, max: 65_536 }),
          digest: bytesOf(32),
        }),
      ),
    }),
  }),
  'snapshot-piece': of('snapshot-piece', {
    channel: uint32,
    index: uint32,
    codec: uint8,
    piece: fc.uint8Array({ maxLength: 1000 }),
  }),
  ended: of('ended', { channel: uint32, code, message }),
  status: of('status', { channel: uint32, stale: fc.boolean(), ageMs: uint32 }),
  replay: of('replay', {
    replay: uint32,
    ceiling: uint8,
    records: fc.array(anyRecord, { maxLength: 5 }),
  }),
  'replay-ended': of('replay-ended', {
    replay: uint32,
    code: fc.option(code, { nil: undefined }),
    message,
    retryAfterMs: uint32,
  }),
  'request-variant': of('request-variant', { hash: bytesOf(32) }),
  variant: of('variant', {
    variant: fc.record({
      hash: bytesOf(32),
      type: fc.string({ unit: 'grapheme', maxLength: 20 }),
      token: text,
      signature: fc.uint8Array({ maxLength: 128 }),
      code: fc.uint8Array({ maxLength: 1000 }),
    }),
  }),
  'no-variant': of('no-variant', { hash: bytesOf(32) }),
  signal: of('signal', {
    signal: fc.constantFrom('head', 'presence', 'lag', 'hand-over', 'in-use'),
    doc: fc.option(documentKey, { nil: undefined }),
    value: uint53,
  }),
  'request-state-hash': of('request-state-hash', { doc: documentKey }),
  'state-hash': of('state-hash', {
    doc: documentKey,
    ceiling: uint8,
    at: position,
    hashes: fc
      .uniqueArray(fc.record({ tag: uint8, hash: bytesOf(32) }), { selector: ({ tag }) => tag })
      .map(hashes => hashes.sort((a, b) => a.tag - b.tag)),
  }),
  'request-tree': of('request-tree', {
    number: uint32,
    doc: documentKey,
    isWhole: fc.boolean(),
    withinMs: uint32,
    entriesMax: fc.integer({ min: 1, max: 512 }),
  }),
  tree: of('tree', { number: uint32, entries: tree }),
  crowd: of('crowd', {
    doc: documentKey,
    number: fc.maxSafeNat(),
    asked: fc.integer({ min: 0, max: 0xffff }),
    aggregate: fc.uint8Array({ maxLength: 200 }),
  }),
  'crowd-answer': of('crowd-answer', {
    doc: documentKey,
    number: fc.maxSafeNat(),
    waitMs: uint32,
    sessions: fc.array(fc.maxSafeNat(), { maxLength: 20 }),
    standings: fc.uint8Array({ maxLength: 200 }),
  }),
}

/** Any frame of a link. */
export const anyLinkFrame: fc.Arbitrary<LinkFrame> = fc.oneof(...Object.values(linkFrames))
