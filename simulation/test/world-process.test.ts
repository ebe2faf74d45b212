import t from 'tap'
import type { Task } from '../src/run-world.ts'
import { WorldProcess } from '../src/world-process.ts'
import { plantUrl } from './command.ts'

const task: Task = { world: 'catch-up', seed: 'catch-up 0', nodes: undefined, isTwice: false }

/** A process with a fault planted in it. */
function open(plant: string, worldMaxMs: number): WorldProcess {
  const worlds = new WorldProcess({ worldMaxMs, execArgv: ['--import', plantUrl(plant)] })
  t.teardown(() => worlds.close())
  return worlds
}

t.test('a world that ends its process costs its own outcome, each time', async t => {
  const worlds = open('end-process', 60_000)
  for (let time = 0; time < 2; time++) {
    const { problems } = await worlds.run(task)
    t.same(problems, ['its process ended by 3'])
  }
})

t.test('a world that does not end is ended', async t => {
  const worlds = open('never-end', 1_500)
  for (let time = 0; time < 2; time++) {
    const { problems } = await worlds.run(task)
    t.same(problems, ['it did not end within 1500 ms'])
  }
})
