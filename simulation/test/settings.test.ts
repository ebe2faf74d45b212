import { availableParallelism } from 'node:os'
import t from 'tap'
import { readSettings } from '../src/settings.ts'
import { kindNames } from '../src/world-kinds.ts'

t.test('without options some worlds of each kind run on all cores', async t => {
  t.same(readSettings([]), {
    kind: 'campaign',
    worlds: kindNames,
    seeds: 200,
    from: 0,
    minutes: undefined,
    nodes: undefined,
    jobs: Math.min(64, availableParallelism()),
    result: undefined,
    isShrinking: true,
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

t.test('a size is for worlds that are trees', async t => {
  const { worlds } = { worlds: [], ...readSettings(['--nodes', '20']) }
  t.same(worlds, ['random', 'catch-up', 'faults', 'fleet', 'crowd'])
  t.throws(() => readSettings(['--world', 'disk', '--nodes', '20']), /--nodes is for trees/)
})

t.test('a seed with its kind is one world', async t => {
  const world = { world: 'random', seed: 'random 4', nodes: undefined }
  t.match(readSettings(['--seed', 'random 4', '--world', 'random']), { kind: 'one', world })
  t.match(readSettings(['--seed', 'x', '--world', 'catch-up', '--nodes', '9']), {
    world: { nodes: 9 },
  })
  t.throws(() => readSettings(['--seed', 'random 4']), /--seed takes the --world that it draws/)
})

t.test('a world may come with its options, or from a file', async t => {
  const args = ['--seed', 'x', '--world', 'random', '--options', '{"edges":1}']
  t.match(readSettings(args), { kind: 'one', world: { seed: 'x', options: { edges: 1 } } })
  const kept = readSettings(['--regression', 'credit-gone-astray'])
  t.match(kept, { world: { world: 'catch-up', seed: 'catch-up 428' } })
  t.throws(() => readSettings(['--regression', 'moon']), /moon\.json/)
})

t.test('a picture is drawn of a world alone, of a time that is told', async t => {
  const args = ['--seed', 'x', '--world', 'random', '--picture', 'a.svg', '--from-ms', '1.5']
  t.match(readSettings(args), { picture: 'a.svg', fromMs: 1.5, toMs: undefined })
  t.throws(() => readSettings([...args, '--picture', 'a.png']), /--picture is a file/)
})

t.test('a world is made smaller, and kept under a name', async t => {
  const args = ['--shrink', 'random 4', '--world', 'random']
  t.match(readSettings(args), { kind: 'shrink', world: { seed: 'random 4' }, minutes: 5 })
  t.match(readSettings([...args, '--keep', 'a-name']), { keep: 'a-name' })
  t.throws(() => readSettings([...args, '--keep', '../a']), /--keep is of small letters/)
  t.throws(() => readSettings(['--shrink', 'random 4']), /--shrink takes the --world/)
})

t.test('files of figures are added up', async t => {
  const files = ['a.json', 'b.json']
  t.same(readSettings(['--sum', ...files]), { kind: 'sum', files, result: undefined })
  t.match(readSettings(['--sum', 'a.json', '--result', 'c.json']), { result: 'c.json' })
  t.throws(() => readSettings(['--sum']), /--sum takes files/)
  t.throws(() => readSettings(['a.json']), /only --sum takes files, got 'a.json'/)
})

t.test('what the command does not take is refused with what it does', async t => {
  const refused: readonly [string, RegExp][] = [
    ['--seeds=0', /--seeds is a number from 1 to 10000000, got '0'/],
    ['--seeds=10000001', /--seeds/],
    ['--seeds=1.5', /--seeds/],
    ['--seeds=many', /--seeds is a number .* got 'many'/],
    ['--from=-1', /--from is a number from 0 to 1000000000, got '-1'/],
    ['--minutes=0', /--minutes/],
    ['--nodes=1', /--nodes is a number from 2 to 10000, got '1'/],
    ['--jobs=65', /--jobs is a number from 1 to 64, got '65'/],
    ['--world=moon', /a world is one of random, catch-up.*, got 'moon'/],
    ['--moon=1', /--moon/],
  ]
  for (const [arg, expected] of refused) t.throws(() => readSettings([arg]), expected, arg)
  t.match(readSettings(['--seeds=10000000', '--jobs=64', '--nodes=1000']), { jobs: 64 })
})
