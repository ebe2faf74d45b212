/*
 * How many worlds it takes to find each planted bug: `npm run planted -- [starts] [name …]`. Campaigns
 * from several starting points, for how soon a bug is met in one of them is chance.
 */
import { availableParallelism } from 'node:os'
import { catchBug } from './catch.ts'
import { plantedBugs } from './planted-bugs.ts'

const seedsMax = 499
/** From one starting point to the next, in seeds of each kind. */
const startsApart = 10_000

const [startsText = '3', ...names] = process.argv.slice(2)
const starts = Number(startsText)
if (!Number.isInteger(starts) || starts < 1 || starts > 100) {
  process.stderr.write('npm run planted -- [starting points, 1 to 100] [names of bugs]\n')
  process.exit(2)
}
const wanted = plantedBugs.filter(({ name }) => names.length === 0 || names.includes(name))
const waiting = wanted.values()
process.stdout.write(
  `| bug | worlds until it is found, mean of ${starts} | most |\n| --- | --- | --- |\n`,
)

async function measure(): Promise<void> {
  for (const { name, says, world } of waiting) {
    const seeds: number[] = []
    for (let start = 0; start < starts; start++) {
      const caught = await catchBug(name, { from: start * startsApart, seedsMax, world })
      if (caught === undefined) process.exitCode = 1
      seeds.push(caught?.seeds ?? Number.POSITIVE_INFINITY)
    }
    const mean = seeds.reduce((sum, count) => sum + count, 0) / starts
    process.stdout.write(`| ${says} (\`${name}\`) | ${mean.toFixed(1)} | ${Math.max(...seeds)} |\n`)
  }
}

await Promise.all(Array.from({ length: availableParallelism() }, measure))
