import { execFileSync } from 'node:child_process'
import t from 'tap'
import { repeatCommand } from '../src/repeat-command.ts'

t.test('the command names the seed, the kind and the size when there is one', async t => {
  t.equal(
    repeatCommand({ world: 'catch-up', seed: 'catch-up 428', nodes: undefined }),
    "npm run simulate -- --seed 'catch-up 428' --world catch-up",
  )
  t.equal(
    repeatCommand({ world: 'random', seed: 'random 1', nodes: 12 }),
    "npm run simulate -- --seed 'random 1' --world random --nodes 12",
  )
})

t.test('a world with options of its own is named by what is special in them', async t => {
  const options = { edges: 1, proxies: 3, faults: [] }
  t.equal(
    repeatCommand({ world: 'random', seed: 'random 1', nodes: undefined, options }),
    `npm run simulate -- --seed 'random 1' --world random --options '{"edges":1}'`,
  )
})

t.test('one from a file is named by the file', async t => {
  const world = { world: 'random', seed: 'random 1', nodes: undefined, options: {} }
  t.equal(
    repeatCommand({ ...world, regression: 'credit' }),
    'npm run simulate -- --regression credit',
  )
})

t.test('a shell takes any seed for what it is', async t => {
  for (const seed of ["it's $HOME", '"; false', '`false`', 'a\\']) {
    const words = repeatCommand({ world: 'random', seed, nodes: undefined })
    const shown = words.replace('npm run simulate --', "printf '%s\\n'")
    t.same(execFileSync('sh', ['-c', shown], { encoding: 'utf8' }).split('\n'), [
      '--seed',
      seed,
      '--world',
      'random',
      '',
    ])
  }
})
