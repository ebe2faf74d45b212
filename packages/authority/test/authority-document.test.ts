import { sha256 } from '@fanfold/conformance'
import { encodeSnapshot } from '@fanfold/document'
import { partTags } from '@fanfold/protocol'
import t from 'tap'
import {
  answersOf,
  at,
  doc,
  factsOf,
  framesOf,
  link,
  match,
  opened,
  positionAfter,
  Rig,
  replicaOf,
  send,
} from './build-document.ts'
import { variantsFrom } from './build-labelled.ts'

const kindsOf = (rig: Rig): string[] => rig.effects().map(({ kind }) => kind)

const logFull = { kind: 'rejected', code: 'FANFOLD_LOG_FULL' }

t.test('a write is answered and published after it is durable, not before', async t => {
  const rig = opened()
  rig.commit({ action: { type: 'create' } })
  rig.join()
  rig.effects()
  const request = rig.write()
  t.same(kindsOf(rig), ['log-append'])
  rig.durable()
  const effects = rig.effects()
  t.match(answersOf(effects), [{ request, answer: { kind: 'committed', epoch: 1, seq: 2 } }])
  t.match(framesOf(effects), [{ kind: 'records', records: [{ seq: 2 }] }])
})

t.test('one append is in flight, and everything that queued joins the next', async t => {
  const rig = opened()
  rig.write()
  for (let count = 0; count < 20; count++) rig.write()
  t.equal(rig.effects().filter(({ kind }) => kind === 'log-append').length, 1)
  t.equal(rig.underWay?.records.length, 2)
  rig.durable()
  t.equal(rig.underWay?.records.length, 20)
  rig.durable()
  t.equal(rig.underWay, undefined)
  t.equal(answersOf(rig.effects()).length, 21)
  t.match(rig.state(), { goals: { home: 21 } })
})

t.test('an append names what it follows', async t => {
  const rig = opened()
  rig.commit()
  rig.write()
  t.match(rig.underWay, { epoch: 1, after: positionAfter(rig), records: [{ seq: 3 }] })
})

t.test('writes wait while the log is read, and beyond the bound they are refused', async t => {
  const rig = new Rig({ writesWaitingMax: 3 })
  for (let count = 0; count < 3; count++) rig.write()
  t.same(rig.effects(), [], 'at the bound')
  const request = rig.write()
  t.match(answersOf(rig.effects()), [{ request, answer: { code: 'FANFOLD_BUSY' } }])
  rig.open()
  t.equal(rig.underWay?.records.length, 4)
})

t.test('an append that the log refuses for want of room is undone to the byte', async t => {
  const rig = opened()
  rig.commit({ action: send('text', { bytes: 50 }) })
  const before = JSON.stringify(rig.state())
  const first = rig.write()
  const second = rig.write({ action: send('text', { bytes: 9 }) })
  const third = rig.write({ action: { type: 'delete' } })
  rig.refuse('FANFOLD_LOG_FULL')
  t.match(answersOf(rig.effects()), [{ request: first, answer: logFull }])
  rig.refuse('FANFOLD_LOG_FULL')
  const effects = rig.effects()
  t.match(answersOf(effects), [
    { request: second, answer: logFull },
    { request: third, answer: logFull },
  ])
  t.ok(factsOf(effects).includes('log-full'))
  t.equal(JSON.stringify(rig.state()), before)
  t.match(rig.commit(), { kind: 'committed', seq: 3 }, 'later writes work')
  t.equal(JSON.stringify(rig.restarted().state()), JSON.stringify(rig.state()))
})

t.test('a first write that the log has no room for creates nothing', async t => {
  const rig = opened()
  rig.write({ id: 'a1' })
  rig.refuse('FANFOLD_LOG_FULL')
  rig.effects()
  rig.join()
  t.match(framesOf(rig.effects()), [{ kind: 'refused', code: 'FANFOLD_NO_DOCUMENT' }])
  t.match(rig.commit({ id: 'a1' }), { kind: 'committed', epoch: 1, seq: 2 })
})

t.test('fenced or damaged, the document refuses everybody', async t => {
  for (const code of ['FANFOLD_FENCED', 'FANFOLD_LOG_DAMAGED'] as const) {
    const rig = opened()
    rig.commit()
    rig.join()
    rig.effects()
    rig.write()
    rig.write()
    rig.refuse(code)
    const effects = rig.effects()
    t.match(answersOf(effects), [{ answer: { code } }, { answer: { code } }])
    t.match(framesOf(effects), [{ kind: 'ended', code }])
    rig.write()
    t.match(answersOf(rig.effects()), [{ answer: { code } }])
    rig.join()
    t.match(framesOf(rig.effects()), [{ kind: 'refused', code }])
    t.ok(rig.document.isQuiet)
  }
})

t.test('while an append waits for a log out of reach, nobody waits behind it', async t => {
  const rig = opened()
  rig.commit()
  rig.join()
  rig.effects()
  const [first, second] = [rig.write(), rig.write()]
  rig.wait()
  const unreachable = { code: 'FANFOLD_LOG_UNREACHABLE' }
  const effects = rig.effects()
  t.match(answersOf(effects), [{ request: second, answer: unreachable }])
  t.same(framesOf(effects), [], 'children keep what is durable')
  t.same(factsOf(effects), ['log-waits'])
  const third = rig.write()
  t.match(answersOf(rig.effects()), [{ request: third, answer: unreachable }])
  rig.join({ link: link(2) })
  t.match(framesOf(rig.effects(), link(2))[0], { kind: 'welcome', head: { seq: 2 } })
  rig.durable()
  const after = rig.effects()
  t.match(answersOf(after), [{ request: first, answer: { kind: 'committed', seq: 3 } }])
  t.match(framesOf(after, link(1)), [{ kind: 'records', records: [{ seq: 3 }] }])
  t.match(rig.commit(), { kind: 'committed', seq: 4 }, 'and writing goes on')
})

t.test('an append that waited and is refused leaves the document as it was', async t => {
  const rig = opened()
  rig.commit()
  const before = JSON.stringify(rig.state())
  const request = rig.write()
  rig.wait()
  rig.refuse('FANFOLD_LOG_FULL')
  t.match(answersOf(rig.effects()), [{ request, answer: logFull }])
  t.equal(JSON.stringify(rig.state()), before)
  t.match(rig.commit(), { kind: 'committed', seq: 3 })
})

t.test(
  'a child that waits for a definition to be told of does not wait for a log out of reach',
  async t => {
    const source = opened()
    source.commit()
    const rig = new Rig({}, { records: source.records })
    rig.load({ ...match, messages: {} }, variantsFrom(1))
    rig.open()
    t.ok(rig.underWay, 'the definition is being told of')
    rig.join()
    t.same(framesOf(rig.effects()), [])
    rig.wait()
    const told = { kind: 'refused', code: 'FANFOLD_LOG_UNREACHABLE', retryAfterMs: 1_000 }
    t.match(framesOf(rig.effects()), [told])
    rig.join()
    t.match(framesOf(rig.effects()), [told])
    rig.durable()
    rig.join()
    t.match(framesOf(rig.effects())[0], { kind: 'welcome' })
  },
)

t.test('a log that cannot be opened refuses who waited', async t => {
  const rig = new Rig()
  rig.write()
  rig.join()
  const input = {
    kind: 'log-open-refused',
    doc,
    code: 'FANFOLD_LOG_DAMAGED',
    message: 'no',
  } as const
  const effects = rig.effects()
  rig.document.receive(input, at(0), effects)
  t.match(answersOf(effects), [{ answer: { code: 'FANFOLD_LOG_DAMAGED' } }])
  t.match(framesOf(effects), [{ kind: 'refused', code: 'FANFOLD_LOG_DAMAGED' }])
})

t.test(
  'given up while its log is read, a document does not come back by the rest of it',
  async t => {
    const source = opened()
    source.commit()
    const rig = new Rig({}, { records: source.records })
    rig.write()
    rig.document.refuse('FANFOLD_QUARANTINED', 'no', rig.effects())
    rig.effects()
    rig.open()
    t.same(rig.effects(), [])
    rig.join()
    t.match(framesOf(rig.effects()), [{ kind: 'refused', code: 'FANFOLD_QUARANTINED' }])
    t.ok(rig.document.refusal?.isQuarantined)
  },
)

t.test('the first commit after a reopen claims the next epoch', async t => {
  const rig = opened()
  rig.commit()
  const restarted = rig.restarted()
  t.match(restarted.commit(), { kind: 'committed', epoch: 2, seq: 4 })
  t.same(
    restarted.records.map(({ kind, epoch }) => `${kind} ${epoch}`),
    ['create 1', 'delta 1', 'claim 2', 'delta 2'],
  )
  t.match(restarted.commit(), { epoch: 2, seq: 5 })
  t.match(restarted.restarted().commit(), { epoch: 3, seq: 7 })
})

t.test('an epoch that could not be claimed is claimed by the next commit', async t => {
  const rig = opened()
  rig.commit()
  const restarted = rig.restarted()
  restarted.write()
  restarted.refuse('FANFOLD_LOG_FULL')
  t.match(restarted.commit(), { epoch: 2, seq: 4 })
})

t.test('a batch without records is answered at once, and the next ones follow', async t => {
  const rig = opened({ writesPerBatchMax: 2 })
  rig.commit()
  rig.write()
  rig.effects()
  for (let count = 0; count < 8; count++) rig.write({ action: send('nothing') })
  const last = rig.write()
  rig.durable()
  t.equal(answersOf(rig.effects()).length, 9, 'the durable one and eight without effect')
  rig.durable()
  t.match(answersOf(rig.effects()), [{ request: last, answer: { seq: 4 } }])
})

t.test(
  'at rest a document frees what can be had again, and goes on when it is written',
  async t => {
    const rig = opened()
    rig.commit()
    rig.join()
    rig.effects()
    rig.document.rest()
    t.same(rig.effects(), [], 'its log stays open')
    t.match(rig.commit(), { kind: 'committed', epoch: 1, seq: 3 })
    t.match(framesOf(rig.effects(), link(1)), [{ kind: 'records', records: [{ seq: 3 }] }])
  },
)

t.test('a definition that is loaded anew counts from the next write on', async t => {
  const rig = opened()
  rig.commit()
  rig.context.definition = { ...match, messages: {} }
  t.match(rig.commit(), { code: 'FANFOLD_NO_MESSAGE' })
  rig.context.definition = undefined
  t.match(rig.commit(), { code: 'FANFOLD_NO_DEFINITION' })
})

t.test('a snapshot for the log holds what only authorities keep', async t => {
  const rig = opened({ snapshotEveryRecords: 2, snapshotEveryBytes: 1 })
  rig.commit({ id: 'a1' })
  const [kept] = rig
    .effects()
    .flatMap(effect => (effect.kind === 'log-keep-snapshot' ? [effect.snapshot] : []))
  t.ok(kept?.manifest.pieces.some(({ tag }) => tag === partTags.authority))
  for (const input of [
    { kind: 'log-snapshot-kept', doc, seq: 2 },
    { kind: 'log-snapshot-refused', doc, code: 'FANFOLD_LOG_FULL', message: 'no' },
  ] as const) {
    rig.document.receive(input, at(0), rig.effects())
  }
  t.match(rig.commit(), { kind: 'committed' })
})

t.test('a deleted document is served as deleted, and stays so after a restart', async t => {
  const rig = opened()
  rig.commit()
  rig.commit({ action: { type: 'delete' } })
  rig.join()
  t.equal(replicaOf(framesOf(rig.effects(), link(1))).isDeleted, true)
  t.match(rig.restarted().commit(), { code: 'FANFOLD_DELETED' })
  const snapshot = encodeSnapshot({
    at: positionAfter(rig),
    state: undefined,
    definition: undefined,
    sha256,
  })
  t.match(rig.restarted(snapshot).commit(), { code: 'FANFOLD_DELETED' })
})
