/* What names a remote that is down waits for it or says so, and starts nothing in its place. */

import { execFile } from 'node:child_process'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { runCommand } from '../command-process.ts'
import { Cluster } from './cluster.ts'

t.setTimeout(400_000)

const watch = fileURLToPath(new URL('watch-spawns.js', import.meta.url))
/** As `watch-spawns.ts` says it, which is not imported: it would watch this process. */
const spawnedMark = 'spawned a process: '
const doc = 'acme/timing/one'

/** A port at which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

const spawnedIn = (text: string): string[] =>
  text.split('\n').filter(line => line.startsWith(spawnedMark))

await t.test('a process that is started is noticed, in whatever way', async t => {
  const ways = [
    "import { spawn } from 'node:child_process'; spawn('true')",
    "import { execFile } from 'node:child_process'; execFile('true')",
    "import { fork } from 'node:child_process'; fork(process.argv[1] ?? 'none').kill()",
    "import { spawnSync } from 'node:child_process'; spawnSync('true')",
    "import { execSync } from 'node:child_process'; execSync('true')",
  ]
  for (const way of ways) {
    const words = ['--import', watch, '--input-type=module', '-e', way]
    const errors = await new Promise<string>(resolve => {
      execFile(process.execPath, words, (_error, _out, errors) => resolve(errors))
    })
    t.equal(spawnedIn(errors).length, 1, way)
  }
})

await t.test('no command starts anything for a node that is down, and each says so', async t => {
  const port = await closedPort()
  const recording = `${t.testdir({ 'one.ndjson': '{"topic":"a","delta":{}}\n' })}/one.ndjson`
  const variables = {
    NODE_OPTIONS: `--import ${watch}`,
    FANFOLD_URL: `ws://127.0.0.1:${port}`,
    FANFOLD_ADMIN_URL: `http://127.0.0.1:${port}`,
  }
  const as = ['--as', 'a.b.c']
  const commands = [
    ['get', doc, ...as],
    ['tail', doc, ...as],
    ['send', doc, 'merge', '{}', ...as],
    ['create', doc, ...as],
    ['delete', doc, ...as],
    ['feed', recording, '--doc', doc, ...as],
    ['tree'],
    ['tree', doc],
    ['status'],
    ['drain'],
    ['place', 'acme'],
    ['place', 'acme', '--quota-viewers', '1', '--why', 'x', '--who', 'ada', '--yes'],
  ]
  const check = async (words: string[]): Promise<void> => {
    const line = words.join(' ')
    const { code, stderr } = await runCommand(words, variables)
    t.equal(code, 3, `${line}: ${stderr}`)
    t.match(stderr, /FANFOLD_UNREACHABLE/, line)
    t.same(spawnedIn(stderr), [], line)
  }
  await Promise.all(commands.map(check))
})

/** What `fanfold serve` needs to be watched. */
const watched = { nodeArguments: ['--import', watch] }

await t.test('a node whose parents are down waits for them, without an authority', async t => {
  const cluster = await Cluster.open(t)
  const parents = [{ url: `ws://127.0.0.1:${await closedPort()}` }]
  const node = await cluster.start({ name: 'low', roles: ['proxy', 'edge'], parents, ...watched })
  const read = async (path: string) => await fetch(`${node.adminUrl}${path}`)
  t.equal((await read('/readyz')).status, 503)
  const topology = (await (await read('/admin/topology')).json()) as Record<string, unknown>
  t.match(topology, { roles: ['proxy', 'edge'], proxy: { hasParent: false } })
  t.notOk('authority' in topology)
  const answer = await fetch(`${node.httpUrl}/v1/documents/${doc}/messages/merge`, {
    method: 'POST',
    headers: { authorization: `Bearer ${cluster.token}` },
    body: '{}',
  })
  t.match([answer.status, await answer.json()], [421, { code: 'FANFOLD_NOT_AUTHORITY' }])
  t.equal((await node.stop()).code, 0)
  t.same(spawnedIn(node.errors.join('\n')), [])
})

await t.test('a node whose Redis is down does not start, and nothing does for it', async t => {
  await refusesWithout(t, ['edge'])
  await refusesWithout(t, ['authority', 'proxy', 'edge'])
})

async function refusesWithout(t: Test, roles: ('authority' | 'proxy' | 'edge')[]): Promise<void> {
  const cluster = await Cluster.open(t)
  const redis = `redis://127.0.0.1:${await closedPort()}/0`
  const log = roles.includes('authority') ? { log: redis } : {}
  const settings = { name: 'one', roles, options: { 'redis.url': redis, ...log }, ...watched }
  const error = await cluster.start(settings).then(
    () => new Error('it started'),
    (error: unknown) => error,
  )
  const text = error instanceof Error ? error.message : String(error)
  t.match(text, /does not answer|FANFOLD_/)
  t.match(text, /one did not start/)
  t.same(spawnedIn(text), [])
}
