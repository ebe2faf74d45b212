/*
 * The wire must not change under a version that is in use. This test describes the wire as text (the
 * numbers, the tables, the bytes of one frame of each kind), hashes the description part by part, and
 * compares with what was hashed when the version was made.
 *
 * When it fails, the wire has changed. Ask which it is:
 * - By mistake: undo the change.
 * - An addition that a peer without it ignores (a frame of type 128 or more, a field behind the last one, a close
 *   code; docs/protocol.md, section 13; a new error code changes nothing here): put the new hash, which the failure shows, in the place
 *   of the old one, and the addition into docs/protocol.md and the changelog.
 * - Anything else: raise `protocolVersion`, say in docs/protocol.md how the two versions talk to each
 *   other, and put the hashes of the new version here. Those of older versions go with their code.
 */
import { createHash } from 'node:crypto'
import t from 'tap'
import { closeCodes } from '../src/close-code.ts'
import { parseDocumentKey } from '../src/document-key.ts'
import { isErrorCode, meaningOf } from '../src/error-code.ts'
import { limits } from '../src/limits.ts'
import {
  encodeLinkFrame,
  type LinkFrame,
  linkFrameTypes,
  optionalFrameTypeMin,
} from '../src/link-frame.ts'
import {
  encodeRecord,
  LogRecord,
  partTags,
  projectRecord,
  recordChainOffset,
  recordKeyOffsets,
  recordKinds,
  saltBytes,
  traceBytes,
} from '../src/log-record.ts'
import type { Position } from '../src/position.ts'
import { signalKinds } from '../src/signal.ts'
import { variantSigningBytes } from '../src/signed-variant.ts'
import { encodeManifest } from '../src/snapshot-manifest.ts'
import { linkSubprotocol, protocolVersion, viewerSubprotocol } from '../src/version.ts'
import {
  encodeDeltaFrame,
  encodeSnapshotFrame,
  encodeViewerFrame,
  encodeViewPieceFrame,
} from '../src/viewer-frame.ts'
import { encodeWriterFrame } from '../src/writer-frame.ts'
import { part, recordFields } from './arbitraries.ts'

const expected: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  1: {
    numbers: '03a313b9bbde9b42eed86884acb7875e',
    limits: '40647540b5e04be979e72a840a05ffeb',
    closeCodes: 'cd9e77e0cd9311501ca172b2b26764ce',
    errorCodes: '754ed31ef37694801a1d856af81495c0',
    records: '3da41575d199e750139efad64b8f6334',
    linkFrames: '5bfb73468e2539afdcca165fa6964533',
    clientFrames: '68db70cee4e6db81de00bd831f330f70',
  },
}

/** Error codes that the version began with, without their prefix. More may come; none may change. */
const errorCodesAtFirst: readonly string[] = `
  BAD_FRAME FRAME_TOO_LARGE TOO_MANY_FRAMES UNAUTHORIZED FORBIDDEN VERSION NO_ROUTE ORIGIN
  BAD_KEY NO_DOCUMENT DELETED EXISTS NO_DEFINITION NO_MESSAGE NO_REDUCER NO_VIEW_STATE
  NOT_OBSERVED INVALID_VALUE ASYNC_SCHEMA HANDLER_FAILED NOT_JSON FORBIDDEN_KEY TOO_DEEP
  TOO_LARGE BUSY LOG_FULL LOG_DAMAGED FENCED QUARANTINED MOVED NOT_AUTHORITY DRAINING NO_PARENT
  OVERLOADED BAD_POSITION BAD_TOKEN
`
  .trim()
  .split(/\s+/)
  .map(name => `FANFOLD_${name}`)

const doc = parseDocumentKey('acme/match/final')
const bytes = (count: number): Uint8Array => Uint8Array.from({ length: count }, (_, index) => index)
const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex')
const at: Position = { epoch: 0x01020304, seq: 0x05060708090a, hash: bytes(32) }
const record = LogRecord.decode(
  encodeRecord(recordFields({ parts: [part(0, '[]'), part(240, '{}'), part(255, '{"id":"a"}')] })),
)
const manifest = { at, pieces: [{ tag: 0, bytes: 65_536, digest: bytes(32) }] }

const frames: { readonly [Kind in LinkFrame['kind']]: Extract<LinkFrame, { kind: Kind }> } = {
  hello: {
    kind: 'hello',
    versionMin: 1,
    versionMax: 2,
    incarnation: 'a1',
    token: 'jwt',
    nonce: bytes(32),
    configuredView: '[["a",1]]',
  },
  proof: { kind: 'proof', signature: bytes(64) },
  ping: { kind: 'ping' },
  join: {
    kind: 'join',
    doc,
    have: at,
    credit: 0x0a0b0c0d,
    take: 'tail',
    codecs: 3,
    isMovable: true,
  },
  redirect: { kind: 'redirect', doc, to: ['proxy-2', 'é'] },
  path: { kind: 'path', channel: 7, path: ['authority', 'proxy-1'] },
  leave: { kind: 'leave', doc },
  left: { kind: 'left', doc },
  credit: { kind: 'credit', channel: 7, bytes: 8 },
  'request-pieces': { kind: 'request-pieces', channel: 7, indexes: [1, 2] },
  'request-replay': {
    kind: 'request-replay',
    doc,
    replay: 0x01020304,
    have: at,
    credit: 0x0a0b0c0d,
  },
  'replay-credit': { kind: 'replay-credit', replay: 3, bytes: 8 },
  'leave-replay': { kind: 'leave-replay', replay: 3 },
  'pieces-taken': { kind: 'pieces-taken', bytes: 0x0a0b0c0d, answers: 3 },
  'request-taken': { kind: 'request-taken', number: 3 },
  welcome: {
    kind: 'welcome',
    doc,
    channel: 7,
    mode: 'snapshot',
    head: at,
    ceiling: 239,
    place: { path: ['authority', 'proxy-1'], others: ['authority'] },
  },
  refused: { kind: 'refused', doc, code: 'FANFOLD_MOVED', message: 'é', retryAfterMs: 9 },
  records: { kind: 'records', channel: 7, records: [record, record] },
  'snapshot-begin': { kind: 'snapshot-begin', channel: 7, manifest },
  'snapshot-piece': { kind: 'snapshot-piece', channel: 7, index: 3, codec: 1, piece: bytes(4) },
  ended: { kind: 'ended', channel: 7, code: 'FANFOLD_DELETED', message: 'gone' },
  status: { kind: 'status', channel: 7, stale: true, ageMs: 250 },
  replay: { kind: 'replay', replay: 3, ceiling: 239, records: [record, record] },
  'replay-ended': {
    kind: 'replay-ended',
    replay: 3,
    code: 'FANFOLD_LOG_DAMAGED',
    message: 'é',
    retryAfterMs: 9,
  },
  'request-variant': { kind: 'request-variant', hash: bytes(32) },
  variant: {
    kind: 'variant',
    variant: { hash: bytes(32), type: 'match', token: 'jwt', signature: bytes(64), code: bytes(5) },
  },
  'no-variant': { kind: 'no-variant', hash: bytes(32) },
  signal: { kind: 'signal', signal: 'presence', doc, value: 0x0102030405 },
  'request-state-hash': { kind: 'request-state-hash', doc },
  'state-hash': {
    kind: 'state-hash',
    doc,
    ceiling: 239,
    at,
    hashes: [
      { tag: 0, hash: bytes(32) },
      { tag: 2, hash: bytes(32) },
    ],
  },
  'request-tree': {
    kind: 'request-tree',
    number: 0x01020304,
    doc,
    isWhole: true,
    withinMs: 2_000,
    entriesMax: 512,
  },
  tree: {
    kind: 'tree',
    number: 0x01020304,
    entries: [
      {
        above: undefined,
        role: 'proxy',
        node: '',
        region: '',
        standing: {
          epoch: 0x01020304,
          seq: 0x05060708090a,
          viewers: 3,
          children: 2,
          notAsked: 1,
          isLive: true,
          staleMs: 250,
          lagMs: 40,
          recentRecords: 100,
          recentBytes: 0x0102030405,
          problem: 'FANFOLD_MOVED',
        },
      },
      { above: 0, role: 'edge', node: 'edge-1', region: 'eu', standing: undefined },
    ],
  },
  crowd: {
    kind: 'crowd',
    doc,
    number: 0x0102030405,
    asked: 0x0102,
    aggregate: bytes(5),
  },
  'crowd-answer': {
    kind: 'crowd-answer',
    doc,
    number: 0x0102030405,
    waitMs: 250,
    sessions: [0x0203040506, 0x0102],
    standings: bytes(5),
  },
}

const text = (data: Uint8Array): string => Buffer.from(data).toString()

/** The wire, part by part. Sentences for people are left out: they may change at any time. */
const wire: Readonly<Record<string, unknown>> = {
  numbers: {
    linkFrameTypes,
    optionalFrameTypeMin,
    signalKinds,
    recordKinds,
    partTags,
    saltBytes,
    traceBytes,
    recordChainOffset,
    recordKeyOffsets,
    linkSubprotocol,
    viewerSubprotocol,
  },
  limits: Object.entries(limits).map(([name, { value, unit }]) => [name, value, unit]),
  closeCodes: Object.entries(closeCodes).map(([name, { code, reconnect }]) => [
    name,
    code,
    reconnect,
  ]),
  errorCodes: errorCodesAtFirst.map(code => {
    const meaning = isErrorCode(code) ? meaningOf(code) : undefined
    return [code, meaning?.retry, meaning?.status, meaning?.close ?? '']
  }),
  records: [
    hex(record.bytes),
    hex(projectRecord(record, 0, bytes(32))),
    hex(encodeRecord(recordFields({ trace: undefined }))),
    hex(encodeManifest(manifest)),
  ],
  linkFrames: [
    ...Object.values(frames).map(frame => hex(encodeLinkFrame(frame))),
    hex(encodeLinkFrame({ ...frames.join, have: undefined, take: 'any' })),
    hex(encodeLinkFrame({ ...frames['replay-ended'], code: undefined })),
    hex(encodeLinkFrame({ ...frames.signal, doc: undefined })),
    hex(variantSigningBytes('match', bytes(32))),
  ],
  clientFrames: [
    text(encodeSnapshotFrame({ doc, epoch: 1, seq: 2, position: 'p', viewJson: '{}' })),
    text(
      encodeSnapshotFrame({ doc, epoch: 1, seq: 2, position: 'p', isDense: true, viewJson: '{}' }),
    ),
    text(
      encodeDeltaFrame({
        doc,
        epoch: 1,
        from: 2,
        seq: 3,
        timeMs: 4,
        position: 'p',
        patch: Buffer.from('[]'),
      }),
    ),
    text(
      encodeViewerFrame({
        type: 'snapshot-begin',
        doc,
        epoch: 1,
        seq: 2,
        numbering: 'dense',
        pieces: 1,
        bytes: 9,
      }),
    ),
    text(encodeViewPieceFrame(doc, 0, Buffer.from('[["",{}]]'))),
    text(encodeViewerFrame({ type: 'snapshot-end', doc, position: 'p' })),
    text(encodeViewerFrame({ type: 'status', doc, status: 'live', since: 5 })),
    text(
      encodeViewerFrame({
        type: 'status',
        doc,
        status: 'stale',
        since: 5,
        code: 'FANFOLD_RULE_FAILED',
      }),
    ),
    text(encodeViewerFrame({ type: 'counted', doc, id: 7 })),
    text(encodeViewerFrame({ type: 'unknown', doc, id: 'a' })),
    text(
      encodeViewerFrame({
        type: 'rejected',
        doc,
        id: 7,
        reducer: 'cheer',
        code: 'FANFOLD_BUSY',
        message: 'later',
        retryAfter: 9,
      }),
    ),
    encodeWriterFrame({ type: 'committed', doc, id: 'a', epoch: 1, seq: 2 }),
  ],
}

const hashOf = (description: unknown): string =>
  createHash('sha256').update(JSON.stringify(description)).digest('hex').slice(0, 32)

await t.test('the wire is the one of its version', async t => {
  const hashes = Object.fromEntries(
    Object.entries(wire).map(([name, description]) => [name, hashOf(description)]),
  )
  t.same(hashes, expected[protocolVersion], 'see the head of this file for what to do')
})

await t.test('a record begins with the bytes that the layout says', async t => {
  const head = [
    '03',
    '00'.repeat(32),
    '01',
    '82',
    '10',
    '00000003',
    '000000000007',
    '01933f24da7b',
    'ab'.repeat(16),
    hex(Buffer.from('acme/match/final')),
    '00000013',
    '00'.repeat(16),
    '00',
    hex(Buffer.from('[]')),
  ]
  t.ok(hex(record.bytes).startsWith(head.join('')))
})
