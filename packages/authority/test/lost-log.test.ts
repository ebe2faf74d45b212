/* What an authority does when its log has less than what nodes below have been sent. */
import t from 'tap'
import {
  answersOf,
  factsOf,
  framesOf,
  link,
  opened,
  positionAfter,
  Rig,
  replicaOf,
} from './build-document.ts'

/** A log of which the last records are gone, and where it ended. */
function makeLost(lostCount = 2) {
  const source = opened()
  for (let count = 0; count < 4; count++) source.commit()
  const end = positionAfter(source)
  const rig = new Rig({}, { records: source.records.slice(0, -lostCount) })
  rig.open()
  rig.effects()
  return { rig, end }
}

t.test('a child that has more than the log makes the authority claim a higher epoch', async t => {
  const { rig, end } = makeLost()
  rig.join({ have: end })
  const told = rig.effects()
  t.match(framesOf(told), [{ kind: 'refused', code: 'FANFOLD_NO_PARENT' }], 'it asks again soon')
  t.notOk(factsOf(told).includes('log-behind'), 'it may be this node that knows too little')
  t.match(rig.underWay, { epoch: 2, records: [{ kind: 'claim', seq: end.seq - 1 }] })
  rig.durable()
  t.ok(factsOf(rig.effects()).includes('log-behind'))
  rig.join({ have: end })
  const frames = framesOf(rig.effects(), link(1))
  t.match(frames[0], { kind: 'welcome', mode: 'snapshot', head: { epoch: 2, seq: end.seq - 1 } })
  t.match(replicaOf(frames).position, { epoch: 2, seq: end.seq - 1 })
  t.match(rig.commit(), { kind: 'committed', epoch: 2, seq: end.seq })
})

t.test('one that waits while the log is read does so too', async t => {
  const source = opened()
  for (let count = 0; count < 4; count++) source.commit()
  const rig = new Rig({}, { records: source.records.slice(0, -2) })
  rig.join({ have: positionAfter(source) })
  const request = rig.write()
  rig.open()
  t.match(rig.underWay, { epoch: 2, records: [{ kind: 'claim' }, { kind: 'delta' }] })
  rig.durable()
  t.match(answersOf(rig.effects()), [{ request, answer: { kind: 'committed', epoch: 2 } }])
})

t.test('one that was deposed finds that out by it, and says nothing of a loss', async t => {
  const { rig, end } = makeLost()
  rig.join({ have: { ...end, epoch: 2 } })
  rig.refuse('FANFOLD_FENCED')
  const effects = rig.effects()
  t.notOk(factsOf(effects).includes('log-behind'))
  rig.write()
  t.match(answersOf(rig.effects()), [{ answer: { code: 'FANFOLD_FENCED' } }])
})

t.test('also when the authority has claimed that epoch again meanwhile', async t => {
  const { rig, end } = makeLost(3)
  t.match(rig.commit(), { kind: 'committed', epoch: 2 })
  const have = { ...end, epoch: 2, seq: end.seq + 5 }
  rig.effects()
  rig.join({ have })
  t.match(rig.underWay, { epoch: 3, records: [{ kind: 'claim' }] })
  rig.durable()
  t.match(rig.commit(), { kind: 'committed', epoch: 3 })
})

t.test('a batch that is under way meanwhile is of the epoch before', async t => {
  const { rig, end } = makeLost()
  rig.commit()
  const request = rig.write()
  rig.join({ have: { ...end, epoch: 6, seq: 100 } })
  rig.durable()
  t.match(rig.underWay, { epoch: 7, records: [{ kind: 'claim' }] })
  rig.durable()
  t.match(answersOf(rig.effects()).at(-1), { request, answer: { kind: 'committed', epoch: 2 } })
  t.match(rig.commit(), { kind: 'committed', epoch: 7 })
})

t.test('a child that is not ahead, or leaps too far, changes nothing', async t => {
  const { rig, end } = makeLost()
  rig.commit()
  rig.effects()
  rig.join({ have: { ...end, epoch: 1, seq: 1 } })
  rig.join({ have: { ...end, epoch: 1_003 } })
  t.equal(rig.underWay, undefined)
  t.notOk(factsOf(rig.effects()).includes('log-behind'))
})

t.test(
  'a child that has read what is on its way to the log from the log itself shows no loss',
  async t => {
    const rig = opened()
    rig.commit()
    rig.write()
    const [record] = rig.underWay?.records ?? []
    t.ok(record)
    if (record === undefined) return
    const have = { epoch: record.epoch, seq: record.seq, hash: record.chainHash }
    rig.effects()
    rig.join({ have })
    t.match(framesOf(rig.effects()), [{ kind: 'refused', code: 'FANFOLD_NO_PARENT' }], 'not yet')
    rig.durable()
    t.notOk(factsOf(rig.effects()).includes('log-behind'))
    t.equal(rig.underWay, undefined, 'and no epoch is claimed')
    rig.join({ have })
    t.match(framesOf(rig.effects()), [{ kind: 'welcome', mode: 'tail' }])
  },
)

t.test('one at the same place of another history shows a loss', async t => {
  const rig = opened()
  rig.commit()
  rig.write()
  const [record] = rig.underWay?.records ?? []
  t.ok(record)
  if (record === undefined) return
  rig.join({ have: { epoch: record.epoch, seq: record.seq, hash: new Uint8Array(32) } })
  rig.durable()
  t.match(rig.underWay, { epoch: record.epoch + 1, records: [{ kind: 'claim' }] })
})

t.test('children that are ahead are believed once in ten seconds', async t => {
  const { rig, end } = makeLost()
  for (const number of [1, 2, 3]) rig.join({ link: link(number), have: end })
  rig.durable()
  const have = { ...end, epoch: 9 }
  rig.join({ have })
  t.equal(rig.underWay, undefined)
  rig.nowMs = 10_000
  rig.join({ have })
  t.match(rig.underWay, { epoch: 10 })
})

t.test('of a document whose log is gone the next epoch is above what was seen', async t => {
  const source = opened()
  source.commit()
  const rig = opened()
  rig.join({ have: positionAfter(source) })
  t.match(framesOf(rig.effects()), [{ kind: 'refused', code: 'FANFOLD_NO_DOCUMENT' }])
  t.equal(rig.underWay, undefined, 'there is nothing to claim')
  t.match(rig.commit(), { kind: 'committed', epoch: 2, seq: 2 })
})
