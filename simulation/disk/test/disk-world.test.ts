import t from 'tap'
import { diskSometimes } from '../src/disk-sometimes.ts'
import { runDiskWorld } from '../src/disk-world.ts'

const worlds = 40

/** Worlds that once found something. */
const known: Readonly<Record<string, string>> = {
  'disk 20002': 'a batch that could not be synced was blanked from its front',
  'disk 2037': 'two nodes removed the same old snapshot, and one of them ended',
  'disk 664': 'a batch that could be neither synced nor cut was taken for durable',
  'disk 206': 'a batch that was refused and could not be cut was in the log later',
}

t.test(`in ${worlds} worlds everything is right`, async t => {
  const happened = new Set<string>()
  for (let number = 0; number < worlds; number++) {
    const { problems, tally } = await runDiskWorld(`disk ${number}`)
    t.same(problems, [], `disk ${number}`)
    for (const [name] of tally) happened.add(name)
  }
  const missing = diskSometimes.filter(name => !happened.has(name))
  t.ok(missing.length < diskSometimes.length / 4, 'most of what must happen in 250 has happened')
  t.comment(`not in ${worlds}: ${missing.join(', ')}`)
})

for (const [seed, found] of Object.entries(known)) {
  t.test(`in '${seed}', where ${found}`, async t => {
    t.same((await runDiskWorld(seed)).problems, [])
  })
}

t.test('a seed makes one world, and another seed another one', async t => {
  const first = await runDiskWorld('disk 7')
  const second = await runDiskWorld('disk 7')
  t.equal(first.traceHash, second.traceHash)
  t.same(first.tally, second.tally)
  t.not((await runDiskWorld('disk 8')).traceHash, first.traceHash)
})

t.test('two worlds beside each other are as if each ran alone', async t => {
  const alone = [await runDiskWorld('disk 5'), await runDiskWorld('disk 6')]
  const beside = await Promise.all([runDiskWorld('disk 5'), runDiskWorld('disk 6')])
  t.same(
    beside.map(({ traceHash }) => traceHash),
    alone.map(({ traceHash }) => traceHash),
  )
})
