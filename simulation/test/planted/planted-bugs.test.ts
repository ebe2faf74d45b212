import { readFileSync } from 'node:fs'
import t from 'tap'
import { catchBug } from './catch.ts'
import { compiledModule, plant, plantedLinesMax } from './planted-bug.ts'
import { plantedBugs } from './planted-bugs.ts'

t.setTimeout(900_000)

/** Worlds that a bug may take to be found. */
const seedsMax = 499
/** Bugs that are looked for at a time, each in a process. */
const jobs = 2

const root = new URL('../../../../', import.meta.url)

t.test('each bug changes a line or a few of what is there', async t => {
  for (const { name, edits } of plantedBugs) {
    let lines = 0
    for (const edit of edits) {
      const source = readFileSync(new URL(`.${compiledModule(edit)}`, new URL('packages', root)))
      t.not(plant(String(source), edit), String(source), `${name} changes ${edit.module}`)
      lines += Math.max(edit.find.split('\n').length, edit.replace.split('\n').length)
    }
    t.ok(lines <= plantedLinesMax, `${name} changes ${lines} lines`)
  }
})

t.test('what a bug is to replace stands there once', async t => {
  const edit = { module: 'edge/src/edge', find: 'one', replace: 'two' }
  t.equal(plant('one', edit), 'two')
  t.throws(() => plant('one one', edit), /2 times/)
  t.throws(() => plant('none', { ...edit, find: 'many' }), /nowhere/)
})

t.test('a campaign finds every bug', { timeout: 800_000 }, async t => {
  const waiting = plantedBugs.values()
  const work = async (): Promise<void> => {
    for (const { name, says, world, caughtBy } of waiting) {
      const caught = await catchBug(name, { from: 0, seedsMax, world, first: caughtBy })
      const found = caught && `${caught.seeds} worlds, ${caught.world}: ${caught.problem}`
      t.ok(caught, `${name}: ${says}`, { found })
      // A program that does not run has found nothing.
      t.notMatch(found, /its process ended|SyntaxError/, `${name} runs`)
      if (found !== undefined) t.comment(`${name}: ${found.slice(0, 200)}`)
      if (caughtBy !== undefined && caught?.world !== caughtBy) {
        t.comment(`${name} is caught by ${caught?.world} now, and no more by ${caughtBy}`)
      }
    }
  }
  await Promise.all(Array.from({ length: jobs }, work))
})
