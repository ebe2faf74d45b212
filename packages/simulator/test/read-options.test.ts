import t from 'tap'
import { drawWorld, numberedSeed, worldNames } from '../src/drawn-world.ts'
import { readOptions } from '../src/read-options.ts'
import { completeOptions, defaultSimulationOptions } from '../src/simulation-options.ts'

t.test('options of every kind are the same when they were written and read', async t => {
  for (const world of worldNames) {
    for (let number = 0; number < 50; number++) {
      const drawn = drawWorld({ world, seed: numberedSeed(world, number), nodes: undefined })
      const options = completeOptions({ ...drawn, viewersKept: [1, 4] })
      t.same(readOptions(JSON.parse(JSON.stringify(options))), options)
    }
  }
})

t.test('what is not said is as in the default ones', async t => {
  const options = { ...defaultSimulationOptions, edges: 9 }
  t.same(readOptions({ edges: 9, viewersKept: undefined }), options)
})

t.test('what are no options is refused', async t => {
  const fault = { kind: 'crash', node: 'proxy-0', atMs: 1, forMs: 1 }
  t.same(readOptions({ faults: [fault] }).faults, [fault])
  const replay = { kind: 'replay', name: 'one', sizes: [5, 6], gapsMs: [0, 1] }
  t.same(readOptions({ writeProfile: replay }).writeProfile, replay)
  const refused: readonly (readonly [unknown, RegExp])[] = [
    [7, /options are an object, got 7/],
    [[], /options are an object/],
    [{ moons: 1 }, /no option is moons 1/],
    [{ edges: '1' }, /no option is edges "1"/],
    [{ redial: 7 }, /no option is redial 7/],
    [{ edges: Number.NaN }, /no option is edges null/],
    [{ faults: [{ ...fault, kind: 'moon' }] }, /no option is faults/],
    [{ faults: [{ ...fault, atMs: '1' }] }, /no option is faults/],
    [{ writesKept: 3 }, /no option is writesKept 3/],
    [{ writeProfile: 'fast' }, /no option is writeProfile "fast"/],
    [{ writeProfile: { kind: 'moon', name: 'one' } }, /no option is writeProfile/],
    [{ writeProfile: { ...replay, gapsMs: [1] } }, /no option is writeProfile/],
    [{ writeProfile: { ...replay, kind: 'summary' } }, /no option is writeProfile/],
  ]
  for (const [value, expected] of refused) t.throws(() => readOptions(value), expected)
})
