import t from 'tap'
import { runDiskWorld } from '../src/disk-world.ts'
import { plants } from './planted-files.ts'

const seedsMax = 500
/** What only two nodes can show is looked for where there are two. */
const ofTwoNodes: ReadonlySet<string> = new Set([
  'two may claim one epoch',
  'a later epoch is not looked for',
])

for (const [name, plant] of Object.entries(plants)) {
  t.test(`it is found when ${name}`, async t => {
    const options = ofTwoNodes.has(name) ? { processes: 2 } : {}
    let found: string | undefined
    let seeds = 0
    while (found === undefined && seeds < seedsMax) {
      const { problems } = await runDiskWorld(`disk ${seeds++}`, { plant, options })
      found = problems[0]
    }
    t.ok(found !== undefined, `within ${seedsMax} seeds`)
    t.comment(`${seeds} seeds: ${found}`)
  })
}
