import t from 'tap'
import { readSettings } from '../src/settings.ts'

const known = ['one', 'two']

t.test('scenarios are asked for by name, or all of them', async t => {
  const one = readSettings(['--scenario', 'two', '--seed', 'x', '--minutes', '2'], known)
  t.match(one, {
    kind: 'scenarios',
    names: ['two'],
    seed: 'x',
    sizes: { minutes: 2 },
    report: undefined,
  })
  t.match(readSettings(['--all', '--report', 'r.md'], known), { names: known, report: 'r.md' })
  const sized = readSettings(['--all', '--rounds', '30', '--away', '60'], known)
  t.match(sized, { sizes: { rounds: 30, awaySeconds: 60, edges: undefined } })
  t.match(readSettings(['--all', '--speed', '1000'], known), { sizes: { speed: 1_000 } })
  t.match(readSettings(['--list'], known), { kind: 'list' })
})

t.test('cycles are so many, with so many writes each', async t => {
  t.match(readSettings(['--cycles', '200'], known), { kind: 'cycles', cycles: 200 })
  t.match(readSettings(['--cycles', '2', '--writes', '10'], known), { writesPerCycle: 10 })
})

t.test('what the command does not do is refused with what it does', async t => {
  t.throws(() => readSettings([], known), /one of --list/)
  t.throws(() => readSettings(['--list', '--all'], known), /one of --list/)
  t.throws(() => readSettings(['--scenario', 'three'], known), /one of one, two, got 'three'/)
  t.throws(() => readSettings(['--cycles', '0'], known), /--cycles is a number up to 100000/)
  t.throws(() => readSettings(['--all', '--minutes', '0'], known), /--minutes/)
  t.throws(() => readSettings(['--all', '--edges', '1.5'], known), /--edges/)
  t.throws(() => readSettings(['--slow'], known))
})
