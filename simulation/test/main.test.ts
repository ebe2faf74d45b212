import { readFileSync } from 'node:fs'
import t from 'tap'
import { readResultFile } from '../src/result-file.ts'
import { runCommand } from './command.ts'

// On a busy machine the worlds of this file take a while together.
t.setTimeout(400_000)

t.test(
  'a campaign of a few seeds tells what it ran and what happened, and ends with 0',
  async t => {
    // With so many nodes it leaves out the regressions, which have a test of their own.
    const { code, out, err } = await runCommand(['--seeds', '4', '--jobs', '2', '--nodes', '6'])
    t.equal(code, 0)
    t.equal(err, '')
    t.match(
      out,
      /^worlds 'random' of 6 nodes, \d+ seeds of [\d,]+ events or more \(\* must happen in some, from 250 seeds on\):$/m,
    )
    t.match(out, /^worlds 'catch-up' of 6 nodes, \d+ seeds /m)
    t.match(out, /^ +\d+ +[\d,]+ {3}records$/m)
    t.match(
      out,
      /^\d+ seeds, [\d,]+ events, [\d,]+ events\/s, \d\.\d\d virtual hours, 0 failed; 0 regressions; 1 ran /m,
    )
    t.ok(out.endsWith('\nall is well\n'))
  },
)

t.test(
  'a fault in an edge is found, told with the command that repeats it, and ends with 1',
  async t => {
    const args = ['--seeds', '3', '--world', 'random', '--nodes', '4', '--no-shrink']
    const { code, out } = await runCommand(args, 'lose-a-frame')
    t.equal(code, 1)
    const told = /^FAILED random '(random \d)'\n {2}(at \d+ µs: .+)$/m.exec(out)
    const [, seed = 'none', problem = 'none'] = told ?? []
    const command = `npm run simulate -- --seed '${seed}' --world random --nodes 4`
    t.ok(out.includes(`\n  ${command}\n`), 'at once')
    t.ok(out.includes(`\nFAILED: ${command}\n`), 'and in the list at the end')
    t.match(out, /^3 seeds, .*, [123] failed/m, 'the others were run')
    t.ok(out.endsWith('\nnot all is well\n'))

    const picture = `${t.testdir()}/a.svg`
    const alone = ['--seed', seed, '--world', 'random', '--nodes', '4', '--picture', picture]
    const repeated = await runCommand(alone, 'lose-a-frame')
    t.equal(repeated.code, 1)
    t.ok(repeated.out.includes(`\nPROBLEM ${problem}\n`), 'the command finds the same')
    t.match(readFileSync(picture, 'utf8'), /^<svg [\s\S]*PROBLEM/)
  },
)

t.test('a world alone tells its options, its last events, counts and its end', async t => {
  const { code, out } = await runCommand(['--seed', 'catch-up 0', '--world', 'catch-up'])
  t.equal(code, 0)
  t.match(out, /^options \{"authorities":/)
  t.match(out, /^the last 200 events:\n {2}\d+ \S+: /m)
  t.match(out, /^ +[\d,]+ {3}deltas of views$/m)
  t.match(out, /^'catch-up 0': [\d,]+ events, [\d,]+ virtual ms, trace [0-9a-f]{64}$/m)
  t.ok(out.endsWith('\nall is well\n'))
})

t.test('a campaign ends when its time is over', async t => {
  const args = ['--minutes', '0.02', '--jobs', '1', '--world', 'random', '--nodes', '4']
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

t.test('a world that fails is made smaller, and told with the command that runs it', async t => {
  const options = '{"proxies":0,"edges":1,"viewers":3,"writes":20,"busyMs":500,"convergeMaxMs":999}'
  const args = ['--world', 'random', '--options', options, '--minutes', '0.1']
  const { code, out } = await runCommand(['--shrink', 'random 1', ...args], 'lose-a-frame')
  t.equal(code, 0)
  t.match(out, /^SHRUNK random 'random 1' by \d+ runs/m)
  t.match(out, /^ {2}npm run simulate -- --seed 'random 1' --world random --options '\{.*\}'$/m)
  const well = await runCommand(['--shrink', 'random 1', ...args])
  t.equal(well.code, 1)
  t.match(well.out, /^it does not fail/)
})

t.test('stages of a campaign, one of them interrupted, add up from their files', async t => {
  const folder = t.testdir()
  const [first, second] = [`${folder}/a.json`, `${folder}/b.json`]
  const args = ['--world', 'random', '--nodes', '2', '--jobs', '1']
  const whole = await runCommand([...args, '--seeds', '2', '--result', first])
  t.equal(whole.code, 0)
  const stage = [...args, '--from', '2', '--seeds', '1000', '--result', second]
  const stopped = await runCommand(stage, 'tell-the-first-viewer', child => child.kill('SIGTERM'))
  t.equal(stopped.code, 130)
  t.match(stopped.out, /\ninterrupted\n$/)
  const sum = await runCommand(['--sum', first, second, '--result', `${folder}/sum.json`])
  t.equal(sum.code, 0)
  const { seeds, events, worlds } = readResultFile(`${folder}/sum.json`)
  const stages = [first, second].map(readResultFile)
  t.equal(
    seeds,
    stages.reduce((count, stage) => count + stage.seeds, 0),
  )
  t.equal(
    events,
    stages.reduce((count, stage) => count + stage.events, 0),
  )
  t.match(worlds, [{ world: 'random', nodes: 2 }])
  const again = await runCommand(['--sum', first, first])
  t.equal(again.code, 2)
  t.match(again.err, /seeds 0 to 1 are counted twice/)
})
