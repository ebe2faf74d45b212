/*
 * An edge has no definition: it starts and serves where none can be found, with variants that its
 * parent hands on, also when the authority that signed them is gone.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import t from 'tap'
import { findProgram, missingSentence, strace } from '../system/system-program.ts'
import { thisMachine } from '../system/this-machine.ts'
import { Cluster } from './cluster.ts'
import type { ClusterNode } from './cluster-node.ts'
import { definitionPath } from './definition-path.ts'
import { RawViewer } from './raw-viewer.ts'
import { untilReady } from './tree.ts'
import { Writer } from './writer.ts'

t.setTimeout(400_000)
const doc = 'a/timing-open/x'
const merge = (topic: string, delta: unknown) => ({ message: 'merge', value: { topic, delta } })
const view = { Weather: 1 }

/** A tree in which the proxy has the document, its variant, and at last no authority above it. */
async function orphaned(cluster: Cluster): Promise<{ proxy: ClusterNode; authority: ClusterNode }> {
  const authority = await cluster.start({
    name: 'authority',
    roles: ['authority'],
    definitions: [definitionPath('timing-open')],
  })
  const proxy = await cluster.start({ name: 'proxy', roles: ['proxy'], parents: [authority] })
  const edge = await cluster.start({ name: 'edge', roles: ['edge'], parents: [proxy] })
  for (const node of [proxy, edge]) await untilReady(node)
  const writer = await Writer.open({ url: authority.url, token: cluster.token })
  const lastSeq = await writer.sendAll(doc, [merge('RaceControlMessages', {}), merge('Weather', 1)])
  writer.close()
  const viewer = await RawViewer.open({
    url: edge.url,
    token: await cluster.viewerToken({}),
    doc,
  })
  await viewer.untilSeq(lastSeq)
  t.same(viewer.state, view)
  await authority.kill()
  await viewer.untilTold({ type: 'status', doc, status: 'stale' })
  return { proxy, authority }
}

await t.test('an edge serves what it has from a proxy, when the authority is gone', async t => {
  const cluster = await Cluster.open(t)
  const { proxy } = await orphaned(cluster)
  const empty = join(cluster.directory, 'empty')
  mkdirSync(empty)
  const edge = await cluster.start({
    name: 'late-edge',
    roles: ['edge'],
    parents: [proxy],
    directory: empty,
    environment: { PATH: empty, HOME: empty },
  })
  await untilReady(edge)
  const open = async (claims: Readonly<Record<string, unknown>>) => {
    const token = await cluster.viewerToken(claims)
    return await RawViewer.open({ url: edge.url, token, doc })
  }
  const viewer = await open({})
  await viewer.untilTold({ type: 'status', doc, status: 'stale' })
  t.same(viewer.state, view, 'by the rules')
  const press = await open({ press: true })
  await press.untilTold({ type: 'status', doc, status: 'stale' })
  t.same(press.state, { RaceControlMessages: {}, ...view })
  t.same([...viewer.problems, ...press.problems], [])
})

await t.test('an edge opens no definition, no log and no bundler', async t => {
  if (findProgram(strace, thisMachine) === undefined) {
    t.fail(missingSentence(strace))
    return
  }
  const cluster = await Cluster.open(t)
  const { proxy } = await orphaned(cluster)
  const empty = join(cluster.directory, 'empty')
  mkdirSync(empty)
  const trace = join(cluster.directory, 'trace')
  const calls = 'open,openat,openat2,execve,execveat'
  const edge = await cluster.start({
    name: 'traced-edge',
    roles: ['edge'],
    parents: [proxy],
    directory: empty,
    environment: { HOME: empty },
    // Without the options that a runner of tests gives to every process below it: they open files.
    wrapper: ['env', '-u', 'NODE_OPTIONS', 'strace', '-f', '-o', trace, '-e', `trace=${calls}`],
  })
  await untilReady(edge)
  const token = await cluster.viewerToken({})
  const viewer = await RawViewer.open({ url: edge.url, token, doc })
  await viewer.untilTold({ type: 'status', doc, status: 'stale' })
  t.same(viewer.state, view)
  const traced = execFileSync('cat', [`/proc/${edge.pid}/task/${edge.pid}/children`], {
    encoding: 'utf8',
  })
  process.kill(Number(traced.trim()), 'SIGTERM')
  await edge.exited

  const lines = readFileSync(trace, 'utf8').split('\n')
  const opened = lines.flatMap(line => {
    const path = /open(?:at2?)?\([^"]*"([^"]+)"/.exec(line)?.[1]
    return path === undefined ? [] : [resolve(empty, path)]
  })
  const definitions = dirname(definitionPath('timing-open'))
  const isForeign = (path: string): boolean =>
    path.startsWith(definitions) ||
    /definitions\/|timing-(open|rules|messages)/.test(path) ||
    path.startsWith(`${cluster.directory}/`)
  t.ok(
    opened.some(path => path.endsWith('main.js')),
    'calls were traced',
  )
  t.same(opened.filter(isForeign), [])
  const programs = lines.filter(line => /execve(at)?\(/.test(line) && !line.includes('ENOENT'))
  t.equal(programs.length, 1, 'it starts no program')
})
