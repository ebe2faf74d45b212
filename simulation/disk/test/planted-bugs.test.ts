import t from 'tap'
import { runDiskWorld } from '../src/disk-world.ts'
import { plants } from './planted-files.ts'

const seedsMax = 500

for (const [name, plant] of Object.entries(plants)) {
  t.test(`it is found when ${name}`, async t => {
    let found: string | undefined
    let seeds = 0
    while (found === undefined && seeds < seedsMax) {
      const { problems } = await runDiskWorld(`disk ${seeds++}`, { plant })
      found = problems[0]
    }
    t.ok(found !== undefined, `within ${seedsMax} seeds`)
    t.comment(`${seeds} seeds: ${found}`)
  })
}
