import { sha256 } from '@fanfold/conformance'
import { decodeChange, encodeSnapshot } from '@fanfold/document'
import { type Position, partTags } from '@fanfold/protocol'
import fc from 'fast-check'
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
  Rig,
  replicaOf,
  send,
  startMs,
  stateOf,
} from './build-document.ts'

const kindsOf = (rig: Rig): string[] => rig.effects().map(({ kind }) => kind)

const positionAfter = (rig: Rig): Position => {
  const last = rig.records.at(-1)
  if (last === undefined) throw new Error('the log has records')
  return { epoch: last.epoch, seq: last.seq, hash: last.chainHash }
}

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
    t.ok(rig.document.isQuarantined)
  },
)

t.test('the same id commits once: in a batch, in flight, later, and after a restart', async t => {
  const rig = opened()
  const first = rig.write({ id: 'a1' })
  const inFlight = rig.write({ id: 'a1' })
  rig.durable()
  const answers = new Map(answersOf(rig.effects()).map(({ request, answer }) => [request, answer]))
  t.match(answers.get(first), { kind: 'committed', epoch: 1, seq: 2 })
  t.same(answers.get(inFlight), answers.get(first))
  t.same(rig.commit({ id: 'a1' }), answers.get(first))
  t.same(rig.restarted().commit({ id: 'a1' }), answers.get(first))
  t.match(rig.commit({ id: 'a1', subject: 'bob' }), { seq: 3 }, 'another subject is another id')
  t.match(rig.state(), { goals: { home: 2 } })
})

t.test('an id in flight whose append is refused commits when it is sent again', async t => {
  const rig = opened()
  rig.write({ id: 'a1' })
  const again = rig.write({ id: 'a1' })
  rig.refuse('FANFOLD_LOG_FULL')
  t.ok(rig.underWay)
  rig.durable()
  t.match(answersOf(rig.effects()).at(-1), {
    request: again,
    answer: { kind: 'committed', seq: 2 },
  })
  t.match(rig.state(), { goals: { home: 1 } })
})

t.test('ids survive a restart from a snapshot, and commit time does not go back', async t => {
  const rig = opened({ snapshotEveryRecords: 2, snapshotEveryBytes: 1 })
  rig.commit({ id: 'a1', timeMs: startMs + 5_000 })
  const kept = rig
    .effects()
    .flatMap(effect => (effect.kind === 'log-keep-snapshot' ? [effect.snapshot] : []))
  t.match(stateOf(kept[0]), { goals: { home: 1 } })
  const restarted = rig.restarted(kept[0])
  t.match(restarted.commit({ id: 'a1' }), { kind: 'committed', epoch: 1, seq: 2 })
  t.match(restarted.commit({ action: send('see'), timeMs: startMs }), { epoch: 2, seq: 4 })
  t.match(restarted.state(), { goals: { home: 1 }, seen: { timeMs: startMs + 5_000 } })
})

t.test('outside the window an id commits again, with a restart as without', async t => {
  const limits = { idempotency: { commitsMax: 3, ageMaxMs: 600_000 } }
  for (const isRestarted of [false, true]) {
    for (const [others, expected] of [
      [2, 2],
      [3, 'again'],
    ] as const) {
      let rig = opened(limits)
      rig.commit({ id: 'a1' })
      for (let count = 0; count < others; count++) rig.commit()
      if (isRestarted) rig = rig.restarted()
      const answer = rig.commit({ id: 'a1' })
      const seq = answer?.kind === 'committed' ? answer.seq : 0
      t.equal(seq === 2 ? 2 : 'again', expected, `${others} others, restarted ${isRestarted}`)
    }
  }
})

t.test('outside ten minutes of record time an id commits again', async t => {
  const rig = opened()
  rig.commit({ id: 'a1' })
  rig.nowMs = 600_000
  rig.commit({ timeMs: startMs + 599_999 })
  t.match(rig.commit({ id: 'a1' }), { seq: 2 })
  rig.commit({ timeMs: startMs + 600_000 })
  t.match(rig.commit({ id: 'a1' }), { seq: 5 })
})

t.test('a clock that jumps ten minutes makes no id commit again', async t => {
  const rig = opened()
  rig.commit({ id: 'a1' })
  rig.nowMs = 1_000
  rig.commit({ timeMs: startMs + 3_600_000 })
  t.match(rig.commit({ id: 'a1' }), { seq: 2 })
  const restarted = rig.restarted()
  restarted.commit({ timeMs: startMs + 3_600_000 })
  t.match(restarted.commit({ id: 'a1' }), { seq: 2 }, 'after a restart, too')
})

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

t.test('joins that came while the log was read are answered when it is', async t => {
  const source = opened()
  source.commit()
  const rig = new Rig({}, { records: source.records })
  rig.join()
  rig.join({ have: positionAfter(source) })
  rig.join({ link: link(2) })
  rig.join({ link: link(3) })
  rig.document.forgetJoin(link(3))
  t.same(rig.effects(), [])
  rig.open()
  const effects = rig.effects()
  t.match(framesOf(effects, link(1)), [{ kind: 'welcome', mode: 'tail' }], 'the last one counts')
  t.match(framesOf(effects, link(2))[0], { kind: 'welcome', mode: 'snapshot' })
  t.same(framesOf(effects, link(3)), [])
})

t.test('a child that joins while an append is under way sees only what is durable', async t => {
  const rig = opened()
  rig.commit()
  rig.effects()
  rig.write()
  rig.join()
  t.match(framesOf(rig.effects()), [{ kind: 'welcome', mode: 'snapshot', head: { seq: 2 } }])
  rig.refuse('FANFOLD_LOG_FULL')
  const frames = framesOf(rig.effects(), link(1))
  t.match(replicaOf(frames).state(), { goals: { home: 1 } })
  rig.commit()
  const replica = replicaOf([...frames, ...framesOf(rig.effects(), link(1))])
  t.match(replica.position, { seq: 3 })
  t.match(replica.state(), { goals: { home: 2 } })
})

t.test('whatever writers, children and the log do, no child holds what is not durable', async t => {
  const step = fc.constantFrom('write', 'write', 'fail', 'durable', 'full', 'join', 'leave')
  const holds = fc.property(fc.array(step, { maxLength: 60 }), steps => {
    const rig = opened({ writesPerBatchMax: 3 })
    rig.commit()
    let frames: ReturnType<typeof framesOf> = []
    let joined = false
    for (const step of steps) {
      if (step === 'write') rig.write()
      else if (step === 'fail') rig.write({ action: send('fail') })
      else if (step === 'durable' && rig.underWay !== undefined) rig.durable()
      else if (step === 'full' && rig.underWay !== undefined) rig.refuse('FANFOLD_LOG_FULL')
      else if (step === 'join') {
        frames = []
        rig.effects()
        rig.join()
        joined = true
      } else if (step === 'leave') {
        rig.document.downstream.leave(link(1))
        joined = false
      }
      frames.push(...framesOf(rig.effects(), link(1)))
      const replica = replicaOf(frames)
      const { seq, hash } = replica.position
      const durable = rig.records[seq - 1]?.chainHash
      if (joined && seq > 0 && Buffer.compare(hash, durable ?? new Uint8Array()) !== 0) return false
      const state = replica.state()
      if (joined && seq > 0 && JSON.stringify(state) !== JSON.stringify(replayOf(rig, seq)))
        return false
    }
    return true
  })
  t.doesNotThrow(() => fc.assert(holds))
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

/** The state that the durable records up to `seq` make. */
function replayOf(rig: Rig, seq: number): unknown {
  let goals = 0
  for (const record of rig.records.slice(0, seq)) {
    if (decodeChange(record)?.kind === 'delta') goals++
  }
  return { goals: goals === 0 ? {} : { home: goals }, texts: [], seen: null }
}
