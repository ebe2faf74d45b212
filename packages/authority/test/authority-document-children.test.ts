import { decodeChange } from '@fanfold/document'
import fc from 'fast-check'
import t from 'tap'
import { framesOf, link, opened, positionAfter, Rig, replicaOf, send } from './build-document.ts'

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

t.test(
  'who comes from the authority before is led on by what the log has, to the last record',
  t => {
    const source = opened()
    source.commit()
    const have = positionAfter(source)
    source.commit()
    source.commit()
    const rig = source.restarted()
    rig.join({ have })
    const records = [{ seq: have.seq + 1 }, { seq: have.seq + 2 }]
    t.match(framesOf(rig.effects(), link(1)), [
      { kind: 'welcome', mode: 'tail' },
      { kind: 'records', records },
    ])
    rig.document.downstream.leave(link(1))
    rig.document.rest()
    rig.join({ link: link(2), have })
    t.match(framesOf(rig.effects(), link(2))[0], { mode: 'snapshot' }, 'at rest nothing is kept')
    t.end()
  },
)

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

/** The state that the durable records up to `seq` make. */
function replayOf(rig: Rig, seq: number): unknown {
  let goals = 0
  for (const record of rig.records.slice(0, seq)) {
    if (decodeChange(record)?.kind === 'delta') goals++
  }
  return { goals: goals === 0 ? {} : { home: goals }, texts: [], seen: null }
}
