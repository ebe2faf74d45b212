import { equalBytes } from '@fanfold/kernel'
import {
  encodeLinkFrame,
  type LinkFrame,
  type LogRecord,
  type Position,
  zeroPosition,
} from '@fanfold/protocol'
import t from 'tap'
import type { AuthorityEffect } from '../src/authority-effect.ts'
import { peer } from './build-authority.ts'
import { answersOf, contextOf, doc, framesOf, link } from './build-document.ts'
import { LargeRig } from './large-rig.ts'

/** A rig whose document has so many writes, all in its log. */
function written(count: number, options?: ConstructorParameters<typeof LargeRig>[0]): LargeRig {
  const rig = new LargeRig(options)
  for (let index = 0; index < count; index++) rig.write()
  rig.settle()
  rig.effects()
  return rig
}

function frame(rig: LargeRig, frame: LinkFrame, child = link(1)): void {
  rig.take({ kind: 'link-frame', link: child, frame: encodeLinkFrame(frame) })
}

function ask(
  rig: LargeRig,
  options: { have?: Position; credit?: number; child?: number } = {},
): void {
  const { have, credit = 10_000_000, child = 1 } = options
  rig.take({ kind: 'link-opened', link: link(child), peer, dialled: false })
  frame(rig, { kind: 'request-replay', doc, replay: 1, have, credit }, link(child))
}

const outcomesOf = (effects: readonly AuthorityEffect[]): string[] =>
  effects.flatMap(effect =>
    effect.kind === 'fact' && effect.fact.event === 'replay-ended' ? [effect.fact.outcome] : [],
  )

const recordsIn = (frames: readonly LinkFrame[]): LogRecord[] =>
  frames.flatMap(frame => (frame.kind === 'replay' ? frame.records : []))

t.test('a child that asks for the log gets all of it, in a chain', async t => {
  const rig = written(50)
  ask(rig)
  rig.settle()
  const frames = rig.frames()
  const records = recordsIn(frames)
  t.equal(records.length, 51)
  const { chain } = contextOf()
  let { hash } = zeroPosition
  for (const record of records) {
    t.ok(chain.verifies(record, hash), `record ${record.seq}`)
    hash = record.chainHash
  }
  t.ok(equalBytes(hash, rig.position.hash))
  t.match(frames.at(-1), { kind: 'replay-ended', replay: 1, code: undefined })
})

t.test('a child that has some gets the rest', async t => {
  const rig = written(50)
  const { epoch, seq, chainHash: hash } = rig.log.records[29] as LogRecord
  ask(rig, { have: { epoch, seq, hash } })
  rig.settle()
  t.same(
    recordsIn(rig.frames()).map(({ seq }) => seq),
    rig.log.records.slice(30).map(({ seq }) => seq),
  )
})

t.test('it gets no more than it grants, and goes on when it grants more', async t => {
  const rig = written(200)
  ask(rig, { credit: 3_000 })
  rig.settle()
  const first = recordsIn(rig.frames())
  t.ok(first.length > 0 && first.length < 50, `${first.length} records`)
  frame(rig, { kind: 'replay-credit', replay: 1, bytes: 1_000_000 })
  rig.settle()
  const frames = rig.frames()
  t.equal(first.length + recordsIn(frames).length, 201)
  t.equal(frames.at(-1)?.kind, 'replay-ended')
})

t.test('a document that is not in memory comes there to be read, and stays', async t => {
  const before = written(20)
  const rig = new LargeRig({
    logs: before.logs,
    limits: { restAfterMs: 1_000, unloadAfterMs: 1_000 },
  })
  ask(rig, { credit: 1_000 })
  rig.settle()
  t.ok(recordsIn(rig.frames()).length > 0)
  rig.pass(4_000)
  t.equal(rig.authority.documentCount, 1, 'it is being read')
  frame(rig, { kind: 'leave-replay', replay: 1 })
  rig.pass(10_000)
  t.equal(rig.authority.documentCount, 0)
  t.equal(rig.authority.wakeAt(), undefined)
})

t.test('writes go on while the log is read, and are read too', async t => {
  const rig = written(20)
  rig.readsLog = false
  ask(rig)
  const read = rig.logged.at(-1)
  if (read?.kind !== 'log-read') throw new Error('the log is read')
  const request = rig.write()
  t.match(answersOf(rig.effects()), [{ request, answer: { kind: 'committed' } }])
  rig.readsLog = true
  rig.take({ kind: 'log-read', doc, read: read.read, records: rig.log.records.slice(0, 2) })
  rig.settle()
  t.equal(recordsIn(rig.frames()).at(-1)?.seq, 22)
})

t.test('of a document that does not exist there is nothing to replay', async t => {
  const rig = new LargeRig()
  ask(rig)
  rig.settle()
  t.match(rig.frames(), [{ kind: 'replay-ended', code: 'FANFOLD_NO_DOCUMENT' }])
})

t.test('a log that is damaged where it is read ends the replay, with what was before', async t => {
  const rig = written(20)
  rig.readsLog = false
  ask(rig)
  const read = rig.logged.at(-1)
  if (read?.kind !== 'log-read') throw new Error('the log is read')
  const records = rig.log.records.slice(0, 5)
  rig.take({ kind: 'log-read', doc, read: read.read, records })
  const refused = { code: 'FANFOLD_LOG_DAMAGED', message: 'byte 7' } as const
  rig.take({ kind: 'log-read-refused', doc, read: read.read, ...refused })
  rig.settle()
  const frames = rig.frames()
  t.equal(recordsIn(frames).length, 5)
  t.match(frames.at(-1), { kind: 'replay-ended', code: 'FANFOLD_LOG_DAMAGED' })
  rig.readsLog = true
  const request = rig.write()
  t.match(answersOf(rig.effects()), [{ request, answer: { kind: 'committed' } }])
})

t.test('a document that is no longer served here ends its replays', async t => {
  const rig = written(20)
  rig.readsLog = false
  ask(rig)
  const open = { kind: 'log-open-refused', doc, code: 'FANFOLD_FENCED', message: 'later' } as const
  rig.take(open)
  rig.settle()
  t.match(rig.frames(), [{ kind: 'replay-ended', code: 'FANFOLD_FENCED' }])
  ask(rig, { child: 2 })
  rig.settle()
  t.match(rig.frames(link(2)), [{ kind: 'replay-ended', code: 'FANFOLD_FENCED' }])
})

t.test('as many replays are served as may be, and one more is told when to ask again', async t => {
  const rig = written(20, { limits: { replaysMax: 2 } })
  ask(rig, { child: 1, credit: 1_000 })
  ask(rig, { child: 2, credit: 1_000 })
  ask(rig, { child: 3, credit: 1_000 })
  rig.settle()
  const effects = rig.effects()
  const sentTo = (child: number) => framesOf(effects, link(child))
  t.equal(sentTo(2)[0]?.kind, 'replay')
  const [refused] = sentTo(3)
  t.match(refused, { kind: 'replay-ended', code: 'FANFOLD_OVERLOADED' })
  t.ok(refused?.kind === 'replay-ended' && refused.retryAfterMs >= 1_000)
  t.same(outcomesOf(effects), ['refused'])
  frame(rig, { kind: 'leave-replay', replay: 1 }, link(1))
  ask(rig, { child: 3 })
  rig.settle()
  t.same(outcomesOf(rig.effects()), ['left', 'complete'], 'there is room again')
})

t.test('a child that goes away is read for no more', async t => {
  const rig = written(20)
  ask(rig, { credit: 1_000 })
  rig.settle()
  rig.effects()
  rig.take({ kind: 'link-closed', link: link(1), reason: 'gone' })
  t.ok(rig.effects().some(({ kind }) => kind === 'log-read-close'))
})

t.test('a replay of a large document is read while its shadow is seeded', async t => {
  const rig = new LargeRig()
  for (let count = 0; count < 10; count++) rig.grow(39_000)
  rig.lose()
  rig.pass(1_000)
  rig.effects()
  rig.join(link(2))
  ask(rig)
  rig.settle()
  const effects = rig.effects()
  t.ok(effects.length > 0)
  const reads = rig.logged.flatMap(effect => (effect.kind === 'log-read' ? [effect.read] : []))
  t.equal(new Set(reads).size, 2, 'by two readings of their own')
})
