import t from 'tap'
import { runOnce, runTask } from '../src/run-world.ts'
import { kindOf } from '../src/world-kinds.ts'

const world = { world: 'disk', seed: 'disk 1', nodes: undefined }

t.test('a world of a disk is run like any other', async t => {
  const { problems, events, happenings } = await runTask({ ...world, isTwice: true })
  t.same(problems, [])
  t.ok(events > 0)
  t.ok(happenings.some(([name]) => name === 'batch acknowledged'))
})

t.test('with its options in a file it is the same', async t => {
  const first = await runOnce(world)
  const options: unknown = JSON.parse(JSON.stringify(first.options))
  t.equal((await runOnce({ ...world, options })).traceHash, first.traceHash)
  const { problems } = await runTask({ ...world, options: { documents: 1 }, isTwice: false })
  t.match(problems, [/a disk world has processes/])
})

t.test('it is made smaller one change at a time, until nothing more goes', async t => {
  const kind = kindOf('disk')
  let best = kind.draw('disk 3', undefined)
  const steps = kind.shrink(best)
  for (let step = steps.next(); step.done !== true; step = steps.next(0))
    best = step.value[0] ?? best
  t.match(best, { documents: 1, processes: 1, damage: 0, faults: { syncErrors: 0, shortReads: 0 } })
})
