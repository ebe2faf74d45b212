import t from 'tap'
import { answersOf, opened, send, startMs, stateOf } from './build-document.ts'

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
