import { TurnShare } from '@fanfold/websocket'
import t from 'tap'
import { turns } from './client-rig.ts'
import { ManualClock } from './manual-clock.ts'

/** Somebody who waits with so many parts of 30 ms each, and says when one is served. */
function partsOf(
  name: string,
  count: number,
  { clock, share, served }: { clock: ManualClock; share: TurnShare; served: string[] },
): () => boolean {
  let left = count
  return () => {
    do {
      served.push(name)
      clock.advance(30)
      left--
    } while (left > 0 && !share.isSpent)
    return left === 0
  }
}

t.test('a turn has so much time, and the next has as much', async t => {
  const clock = new ManualClock()
  const share = new TurnShare(clock)
  t.notOk(share.isTaken)
  clock.advance(49)
  t.notOk(share.isSpent)
  clock.advance(1)
  t.ok(share.isSpent)
  t.ok(share.isTaken)
  await turns(2)
  t.notOk(share.isTaken)
})

t.test('who waits is served part by part, each in its turn', async t => {
  const rig = { clock: new ManualClock(), served: [] as string[] }
  const share = new TurnShare(rig.clock)
  share.wait(partsOf('a', 4, { ...rig, share }))
  share.wait(partsOf('b', 1, { ...rig, share }))
  t.ok(share.isTaken, 'who comes now has to wait')
  await turns(1)
  t.same(rig.served, ['a', 'a'], 'all that there is time for')
  await turns(1)
  t.same(rig.served, ['a', 'a', 'b', 'a'], 'the next one first, and then on')
  t.ok(share.isTaken)
  await turns(1)
  t.same(rig.served, ['a', 'a', 'b', 'a', 'a'])
  t.notOk(share.isTaken)
})
