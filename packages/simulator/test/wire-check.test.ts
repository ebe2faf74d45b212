import { buildLog, sha256 } from '@fanfold/conformance'
import { encodeSnapshot, recordedDefinition } from '@fanfold/document'
import { Prng } from '@fanfold/kernel'
import {
  encodeLinkFrame,
  encodeRecordsFrame,
  encodeReplayFrame,
  type PeerIdentity,
  parseDocumentKey,
} from '@fanfold/protocol'
import t from 'tap'
import { drawRules } from '../src/board-rules.ts'
import { BoardVariants } from '../src/board-variants.ts'
import { History } from '../src/history.ts'
import { drawMarker } from '../src/marker.ts'
import { Problems } from '../src/problems.ts'
import { ViewOracle } from '../src/view-oracle.ts'
import { VirtualClock } from '../src/virtual-clock.ts'
import { WireCheck } from '../src/wire-check.ts'

const doc = parseDocumentKey('acme/match/final')

const peer = (node: string, ceiling = 0): PeerIdentity => ({
  node,
  incarnation: `${node}-1`,
  region: 'here',
  roles: [],
  ceiling,
})

function makeCheck() {
  const problems = new Problems(new VirtualClock())
  const history = new History(sha256, problems)
  const log = buildLog({ doc, count: 5 })
  history.recordsAreDurable(doc, log.records)
  const variants = new BoardVariants(sha256)
  const oracle = new ViewOracle(history, variants)
  const check = new WireCheck({
    history,
    oracle,
    variants,
    problems,
    sha256,
    isCloseExpected: () => false,
  })
  const arrive = (frame: Uint8Array, ceiling = 0) =>
    check.frameArrives(frame, peer('parent'), peer('child', ceiling))
  return { problems, history, variants, check, log, arrive }
}

t.test('records of the log pass, and are counted', async t => {
  const { problems, check, log, arrive } = makeCheck()
  const records = log.records.map(({ bytes }) => bytes)
  arrive(encodeRecordsFrame(1, records))
  t.same(problems.messages, [])
  t.same(check.counts, { frames: 1, records: 5, snapshots: 0, replayed: 0 })
})

t.test('a record of another history, or not yet durable, is a problem', async t => {
  const { problems, log, arrive } = makeCheck()
  const other = buildLog({ doc, count: 2, seed: 'other' })
  arrive(encodeRecordsFrame(1, [other.records[1]?.bytes ?? new Uint8Array()]))
  t.match(problems.messages, [/parent to child: record 2 .* another hash/])
  const early = buildLog({ doc, count: 1, after: log.end })
  arrive(encodeRecordsFrame(1, [early.records[0]?.bytes ?? new Uint8Array()]))
  t.match(problems.messages.at(-1), /record 6 .* the log ends at 5/)
})

t.test('a record that is left out is a problem, on a channel that was named', async t => {
  const { problems, log, arrive } = makeCheck()
  const welcome = encodeLinkFrame({
    kind: 'welcome',
    doc,
    channel: 4,
    mode: 'tail',
    head: log.end,
    ceiling: 239,
  })
  const send = (...seqs: number[]): void =>
    arrive(
      encodeRecordsFrame(
        4,
        seqs.map(seq => log.records[seq - 1]?.bytes ?? new Uint8Array()),
      ),
    )
  arrive(welcome)
  send(2, 3)
  t.same(problems.messages, [], 'it begins where the child left off')
  send(5)
  t.match(problems.messages, [/parent to child: after 3 of acme\/match\/final comes 5/])
  arrive(welcome)
  send(4, 5)
  t.equal(problems.count, 1, 'after a welcome it begins anew')
})

t.test('a snapshot is of a place of the log, on a channel that was named', async t => {
  const { problems, log, arrive } = makeCheck()
  const { manifest } = encodeSnapshot({
    at: log.end,
    state: { n: 5 },
    definition: undefined,
    sha256,
  })
  const begin = encodeLinkFrame({ kind: 'snapshot-begin', channel: 4, manifest })
  arrive(begin)
  t.match(problems.messages, [/a channel of no document/])
  arrive(
    encodeLinkFrame({
      kind: 'welcome',
      doc,
      channel: 4,
      mode: 'snapshot',
      head: log.end,
      ceiling: 239,
    }),
  )
  arrive(begin)
  t.equal(problems.count, 1)
  const secret = encodeSnapshot({
    at: log.end,
    state: { n: 5 },
    definition: undefined,
    extra: { ids: [] },
    sha256,
  })
  arrive(encodeLinkFrame({ kind: 'snapshot-begin', channel: 4, manifest: secret.manifest }))
  t.match(problems.messages.at(-1), /a piece of tag 255/)
})

t.test('a piece that is sent is what the manifest says, however it is packed', async t => {
  const { problems, log, arrive } = makeCheck()
  const { manifest, pieces } = encodeSnapshot({
    at: log.end,
    state: { n: 5 },
    definition: undefined,
    sha256,
  })
  const piece = pieces[0] ?? new Uint8Array()
  const send = (bytes: Uint8Array): void =>
    arrive(
      encodeLinkFrame({ kind: 'snapshot-piece', channel: 4, index: 0, codec: 0, piece: bytes }),
    )
  arrive(
    encodeLinkFrame({
      kind: 'welcome',
      doc,
      channel: 4,
      mode: 'snapshot',
      head: log.end,
      ceiling: 239,
    }),
  )
  arrive(encodeLinkFrame({ kind: 'snapshot-begin', channel: 4, manifest }))
  send(piece)
  t.same(problems.messages, [])
  send(piece.map((byte, index) => (index === 3 ? byte ^ 1 : byte)))
  t.match(problems.messages, [/piece 0 of acme\/match\/final is not what its digest says/])
})

t.test('a link that is closed is a problem while there are no faults', async t => {
  const { problems, check } = makeCheck()
  check.linkCloses('overloaded: 5 bytes unsent', peer('proxy'))
  t.match(problems.messages, [/proxy closes a link: overloaded/])
})

t.test('a record whose parts are not those of its chain hash is a problem', async t => {
  const { problems, log, arrive } = makeCheck()
  const bytes = (log.records[2]?.bytes ?? new Uint8Array()).slice()
  bytes[bytes.length - 1] = 0x20
  arrive(encodeRecordsFrame(1, [bytes]))
  t.match(problems.messages, [/the chain of record 3 .* does not verify/])
})

t.test('a record of a replay is a problem, too, unless it was damaged on a link', async t => {
  const { problems, check, log, arrive } = makeCheck()
  const frame = encodeReplayFrame(
    1,
    239,
    log.records.map(({ bytes }) => bytes),
  )
  const damaged = frame.slice()
  damaged[damaged.length - 1] = 0x20
  check.frameIsDamaged(damaged)
  arrive(damaged)
  t.same(problems.messages, [])
  const other = frame.slice()
  other[other.length - 1] = 0x21
  arrive(other)
  t.match(problems.messages, [/the chain of record 5 .* does not verify/])
})

t.test('a planted value that is labelled above the ceiling is a problem on the link', async t => {
  const { problems, history, arrive } = makeCheck()
  const marker = drawMarker(new Prng('planted'))
  const other = parseDocumentKey('acme/match/other')
  const definition = recordedDefinition({
    variants: [],
    viewKey: 'ab'.repeat(16),
    labels: [{ pattern: `/${marker}`, label: 2 }],
  })
  const log = buildLog({ doc: other, count: 3, definition })
  history.recordsAreDurable(other, log.records)
  const bytes = log.records.slice(1).map(record => record.bytes)
  arrive(encodeRecordsFrame(1, bytes), 2)
  t.same(problems.messages, [])
  arrive(encodeRecordsFrame(1, bytes), 1)
  t.match(problems.messages.at(-1), /ceiling 1: a frame of records has mk/)
})

t.test('a variant has the markers of its ceiling and no others', async t => {
  const { problems, variants, arrive } = makeCheck()
  const prng = new Prng('variants')
  let built = variants.build(drawRules(prng, ['s0']))
  while (built.variants.length < 2) built = variants.build(drawRules(prng, ['s0']))
  const top = built.variants.at(-1)
  t.ok(top)
  if (top === undefined) return
  const frame = encodeLinkFrame({ kind: 'variant', variant: top.variant })
  arrive(frame, top.ceiling)
  t.same(problems.messages, [])
  arrive(frame, top.ceiling - 1)
  t.match(problems.messages, [/a frame of variant has mk/])
})
