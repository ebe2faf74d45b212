// What 10,000 documents cost that were written to once and are left alone: memory of the authority for
// each beyond its state and key, processor time, open files.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { report } from './report.mjs'
import { startNode } from './start-node.mjs'
import { write } from './writer.mjs'

const count = 10_000
const idleSeconds = Number(process.env.IDLE_SECONDS ?? 20)
const definition = fileURLToPath(new URL('./definitions/note.ts', import.meta.url))
const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'fanfold-idle-'))
const wait = ms => new Promise(resolve => setTimeout(resolve, ms))
const node = await startNode({
  name: 'authority',
  roles: ['authority'],
  definitions: [definition],
  data: directory,
  // Idle begins here after two seconds, not after a minute.
  'limits.ringAgeMaxMs': 2_000,
  nodeArguments: ['--expose-gc'],
})
const openFiles = () => readdirSync(`/proc/${node.child.pid}/fd`, { withFileTypes: true }).length
const settled = async () => {
  await node.measure('held')
  await wait(200)
  return node.measure('held')
}
/** What as many states take by themselves, each under its key in a map, in a process like the node's. */
const alone = JSON.parse(
  execFileSync(process.execPath, [
    '--expose-gc',
    '-e',
    `const map = new Map(); gc(); const before = process.memoryUsage().heapUsed
     for (let index = 0; index < ${count}; index++) map.set('b/note/n-' + index, JSON.parse('{"text":"' + 'x'.repeat(10) + '"}'))
     gc(); console.log(JSON.stringify({ heapUsed: (process.memoryUsage().heapUsed - before) / map.size }))`,
  ]),
)

try {
  const text = { text: 'x'.repeat(10) }
  const warm = run =>
    write({
      url: node.url,
      count: 200,
      inFlight: 100,
      run,
      next: () => ({ doc: 'b/note/warm', message: 'write', value: text }),
    })
  await warm('warm')
  await wait(3_000)
  const filesBefore = openFiles()
  const before = await settled()
  await write({
    url: node.url,
    count,
    inFlight: 500,
    run: 'idle',
    next: index => ({ doc: `b/note/n-${index}`, message: 'write', value: text }),
  })
  // Every document rests once the ring's age has passed.
  await wait(6_000)
  const after = await settled()
  const filesAfter = openFiles()
  const begun = await node.measure()
  const startedAt = performance.now()
  await wait(idleSeconds * 1000)
  const later = await node.measure()
  const seconds = (performance.now() - startedAt) / 1000
  const held = memory => memory.heapUsed + memory.external
  const own = alone.heapUsed
  const each = (held(after) - held(before)) / count
  report({
    bench: 'idle: memory per document beyond its state and key',
    unit: 'bytes',
    values: [each - own],
    ceiling: 2_048,
  })
  report({ bench: 'idle: memory of a state and its key alone', unit: 'bytes', values: [own] })
  report({
    bench: 'idle: resident memory per document',
    unit: 'bytes',
    values: [(after.rss - before.rss) / count],
  })
  report({
    bench: 'idle: processor',
    unit: '% of a core',
    values: [(later.cpuMs - begun.cpuMs) / seconds / 10],
    ceiling: 0.2,
  })
  report({
    bench: 'idle: open files',
    unit: 'files more than before',
    values: [filesAfter - filesBefore],
    ceiling: 0,
  })
} finally {
  await node.stop()
  rmSync(directory, { recursive: true, force: true })
}
process.exit(0)
