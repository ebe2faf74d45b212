import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { startDev } from '../src/dev-tree.ts'
import { Crowd, chanceOf, Fleet, leftOpen, openHandles, silent, turns } from './start-rig.ts'

const rounds = 20

t.test('a tree ends at any moment, and leaves nothing open', async t => {
  const fleet = new Fleet(t)
  const failures: unknown[] = []
  const chance = chanceOf('trees that end')
  const before = openHandles()
  for (let round = 0; round < rounds; round++) {
    const running = await startDev({
      config: await fleet.config('dev', {}),
      regions: 1 + chance.below(2),
      edges: 2,
      log: silent,
      fail: error => failures.push(error),
      seed: `${round}`,
    })
    const observe = (running.observeUrls[chance.below(2)] ?? '').replace('/v1/observe', '')
    const write = running.writeUrl.replace('/v1/write', '')
    const crowd = new Crowd({ observe, write }, running.token)
    for (let viewer = chance.below(4); viewer > 0; viewer--) {
      crowd.join()
      await turns(chance.below(40))
    }
    await turns(chance.below(20))
    await Promise.all([running.stop(), running.stop()])
    crowd.leave()
    t.same(await leftOpen(before), [], `round ${round}`)
  }
  t.same(failures, [], 'nothing is in doubt')
})

t.test('a tree whose feed does not load does not start, and leaves nothing open', async t => {
  const fleet = new Fleet(t)
  const failures: unknown[] = []
  const directory = t.testdirName
  const project = { definition: './counter.ts', feed: './feed.ts', document: 'acme/counter/one' }
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ fanfold: project }))
  writeFileSync(join(directory, 'feed.ts'), 'export default 7\n')
  const before = openHandles()
  const config = await fleet.config('dev', { definitions: [directory] })
  const common = {
    regions: 1,
    edges: 1,
    log: silent,
    fail: (error: unknown) => failures.push(error),
    seed: '1',
  }
  await t.rejects(startDev({ config, ...common }), { message: /no default function/ })
  t.same(await leftOpen(before), [])
  t.same(failures, [])
})
