import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { TurnQueue } from '../src/turn-queue.ts'

/** Lets turns pass until so many were served; how many turns that took. */
async function turnsUntil(served: readonly number[], count: number): Promise<number> {
  let turns = 0
  while (served.length < count && turns < 100) {
    await nextTurn()
    turns++
  }
  return turns
}

t.test('so many are served in a turn, in the order in which they came', async t => {
  const served: number[] = []
  const queue = new TurnQueue<number>({ perTurn: 2, itemsMax: 10, serve: n => served.push(n) })
  for (const n of [1, 2, 3, 4, 5]) t.ok(queue.add(n))
  t.same(served, [], 'none of them at once')
  await turnsUntil(served, 1)
  t.same(served, [1, 2])
  t.equal(queue.size, 3)
  await nextTurn()
  t.same(served, [1, 2, 3, 4])
  await nextTurn()
  t.same(served, [1, 2, 3, 4, 5])
  t.equal(queue.size, 0)
})

t.test('while more come, some turns serve nobody, but not many', async t => {
  const served: number[] = []
  const queue = new TurnQueue<number>({ perTurn: 1, itemsMax: 100, serve: n => served.push(n) })
  for (let turn = 0; turn < 40; turn++) {
    queue.add(turn)
    await nextTurn()
  }
  t.ok(served.length >= 9 && served.length <= 11, `${served.length} of 40`)
  const turns = await turnsUntil(served, 40)
  t.ok(turns <= 40 - 9, `${turns}, then each turn serves one`)
  t.same(
    served,
    Array.from({ length: 40 }, (_, n) => n),
  )
})

t.test('one that finds no room is not served; room is made by serving', async t => {
  const served: number[] = []
  const queue = new TurnQueue<number>({ perTurn: 1, itemsMax: 2, serve: n => served.push(n) })
  t.same(
    [1, 2, 3].map(n => queue.add(n)),
    [true, true, false],
  )
  t.ok(queue.isFull)
  await turnsUntil(served, 1)
  t.notOk(queue.isFull)
  t.ok(queue.add(4))
  await turnsUntil(served, 3)
  t.same(served, [1, 2, 4])
})

t.test('what is added while another is served has a later turn', async t => {
  const served: number[] = []
  const queue: TurnQueue<number> = new TurnQueue<number>({
    perTurn: 8,
    itemsMax: 8,
    serve: n => {
      served.push(n)
      if (n < 3) queue.add(n + 1)
    },
  })
  queue.add(1)
  await turnsUntil(served, 1)
  t.same(served, [1])
  await turnsUntil(served, 3)
  t.same(served, [1, 2, 3])
})

t.test('what was served is let go of while others wait', async t => {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  const served: WeakRef<object>[] = []
  const queue = new TurnQueue<object>({
    perTurn: 2,
    itemsMax: 100,
    serve: item => served.push(new WeakRef(item)),
  })
  // Somebody always waits, as in a storm that lasts.
  for (let turn = 0; turn < 50; turn++) {
    for (let count = 0; count < 2; count++) queue.add({ turn, count })
    await nextTurn()
  }
  t.ok(queue.size > 0 && served.length > 0)
  await nextTurn()
  collect()
  const kept = served.filter(item => item.deref() !== undefined).length
  // What the last turn served may still be at hand.
  t.ok(kept <= 4, `${kept} of ${served.length}`)
})
