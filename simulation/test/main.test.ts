import t from 'tap'
import { runCommand } from './command.ts'

// On a busy machine the worlds of this file take a while together.
t.setTimeout(120_000)

t.test(
  'a campaign of a few seeds tells what it ran and what happened, and ends with 0',
  async t => {
    const { code, out, err } = await runCommand(['--seeds', '4', '--jobs', '2'])
    t.equal(code, 0)
    t.equal(err, '')
    t.match(out, /^worlds 'random', \d+ seeds \(\* must happen in some, from 250 seeds on\):$/m)
    t.match(out, /^worlds 'catch-up', \d+ seeds /m)
    t.match(out, /^ +\d+ +[\d,]+ {3}records$/m)
    t.match(
      out,
      /^\d+ seeds, [\d,]+ events, [\d,]+ events\/s, \d\.\d\d virtual hours, 0 failed; 1 ran /m,
    )
    t.ok(out.endsWith('\nall is well\n'))
  },
)

t.test(
  'a fault in an edge is found, told with the command that repeats it, and ends with 1',
  async t => {
    const args = ['--seeds', '3', '--world', 'random', '--nodes', '4']
    const { code, out } = await runCommand(args, 'lose-a-frame')
    t.equal(code, 1)
    const told = /^FAILED random '(random \d)'\n {2}(at \d+ µs: .+)$/m.exec(out)
    const [, seed = 'none', problem = 'none'] = told ?? []
    const command = `npm run simulate -- --seed '${seed}' --world random --nodes 4`
    t.ok(out.includes(`\n  ${command}\n`), 'at once')
    t.ok(out.includes(`\nFAILED: ${command}\n`), 'and in the list at the end')
    t.match(out, /^3 seeds, .*, [123] failed/m, 'the others were run')
    t.ok(out.endsWith('\nnot all is well\n'))

    const alone = ['--seed', seed, '--world', 'random', '--nodes', '4']
    const repeated = await runCommand(alone, 'lose-a-frame')
    t.equal(repeated.code, 1)
    t.ok(repeated.out.includes(`\nPROBLEM ${problem}\n`), 'the command finds the same')
  },
)

t.test('a world alone tells its options, its last events, counts and its end', async t => {
  const { code, out } = await runCommand(['--seed', 'catch-up 0', '--world', 'catch-up'])
  t.equal(code, 0)
  t.match(out, /^options \{"proxies":/)
  t.match(out, /^the last 200 events:\n {2}\d+ \S+: /m)
  t.match(out, /^ +[\d,]+ {3}viewerDeltas$/m)
  t.match(out, /^'catch-up 0': [\d,]+ events, [\d,]+ virtual ms, trace [0-9a-f]{64}$/m)
  t.ok(out.endsWith('\nall is well\n'))
})

t.test('a campaign ends when its time is over', async t => {
  const args = ['--minutes', '0.02', '--jobs', '1', '--world', 'random']
  const { code, out } = await runCommand(args)
  t.equal(code, 0)
  t.match(out, /^[1-9]\d? seeds, /m)
})

t.test('what the command does not take ends it with 2 and its usage', async t => {
  const { code, out, err } = await runCommand(['--moons', '3'])
  t.equal(code, 2)
  t.equal(out, '')
  t.match(err, /--moons[\s\S]*npm run simulate -- \[options\]/)
})
