import { availableParallelism } from 'node:os'
import t from 'tap'
import { readSettings } from '../src/settings.ts'

t.test('without options some worlds of each kind run on all cores', async t => {
  t.same(readSettings([]), {
    kind: 'campaign',
    worlds: ['random', 'catch-up'],
    seeds: 200,
    from: 0,
    minutes: undefined,
    nodes: undefined,
    jobs: Math.min(64, availableParallelism()),
  })
})

t.test('a campaign is as long as it is told in seeds, in minutes, or in both', async t => {
  t.match(readSettings(['--seeds', '7']), { seeds: 7, minutes: undefined })
  t.match(readSettings(['--minutes', '0.5']), { seeds: undefined, minutes: 0.5 })
  t.match(readSettings(['--minutes', '2', '--seeds', '7']), { seeds: 7, minutes: 2 })
})

t.test('kind, size, first seed and processes are as told', async t => {
  const args = ['--world', 'catch-up', '--nodes', '12', '--from', '1000', '--jobs', '3']
  t.match(readSettings(args), { worlds: ['catch-up'], nodes: 12, from: 1000, jobs: 3 })
})

t.test('a seed with its kind is one world', async t => {
  const world = { world: 'random', seed: 'random 4', nodes: undefined }
  t.same(readSettings(['--seed', 'random 4', '--world', 'random']), { kind: 'one', world })
  t.match(readSettings(['--seed', 'x', '--world', 'catch-up', '--nodes', '9']), {
    world: { nodes: 9 },
  })
  t.throws(() => readSettings(['--seed', 'random 4']), /--seed takes the --world that it draws/)
})

t.test('what the command does not take is refused with what it does', async t => {
  const refused: readonly [string, RegExp][] = [
    ['--seeds=0', /--seeds is a number from 1 to 10000000, got '0'/],
    ['--seeds=10000001', /--seeds/],
    ['--seeds=1.5', /--seeds/],
    ['--seeds=many', /--seeds is a number .* got 'many'/],
    ['--from=-1', /--from is a number from 0 to 1000000000, got '-1'/],
    ['--minutes=0', /--minutes/],
    ['--nodes=1', /--nodes is a number from 2 to 1000, got '1'/],
    ['--jobs=65', /--jobs is a number from 1 to 64, got '65'/],
    ['--world=moon', /--world is one of random, catch-up, got 'moon'/],
    ['--moon=1', /--moon/],
  ]
  for (const [arg, expected] of refused) t.throws(() => readSettings([arg]), expected, arg)
  t.match(readSettings(['--seeds=10000000', '--jobs=64', '--nodes=1000']), { jobs: 64 })
})
