/* An authority whose disk is full, one that is asked to end at any moment, and an edge that writes nothing. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { logRecords, recordId, until } from '@fanfold/nemesis'
import { meaningOf } from '@fanfold/protocol'
import t, { type Test } from 'tap'
import { findProgram, missingSentence, strace } from '../system/system-program.ts'
import { thisMachine } from '../system/this-machine.ts'
import { Cluster } from './cluster.ts'
import { RawViewer } from './raw-viewer.ts'
import { chanceOf } from './recording.ts'
import { untilReady } from './tree.ts'
import { type Answer, Writer } from './writer.ts'

t.setTimeout(400_000)
/** Set in the copy of this file that runs as root of a namespace of its own. */
const isInNamespace = process.env['FANFOLD_IN_NAMESPACE'] === '1'

await t.test('a full disk refuses writes and nothing else', async t => {
  if (!mayMount()) {
    t.ok(!isInNamespace && runInNamespace(t), 'a small disk: as root, or with user namespaces')
    return
  }
  const cluster = await Cluster.open(t)
  const { token } = cluster
  const disk = join(cluster.directory, 'disk')
  mkdirSync(disk)
  t.ok(mountSmallDisk(disk))
  t.teardown(() => unmount(disk))
  const ballast = join(disk, 'ballast')
  writeFileSync(ballast, Buffer.alloc(1_000_000))
  const settings = { name: 'authority', roles: ['authority'] as const, data: disk }
  const authority = await cluster.start(settings)
  const edge = await cluster.start({ name: 'edge', roles: ['edge'], parents: [authority] })
  await untilReady(edge)
  const doc = 'a/timing/full'
  let writer = await Writer.open({ url: authority.url, token })
  const write = (round: number): Promise<Answer> =>
    writer.send(doc, {
      message: 'merge',
      value: { topic: 'big', delta: { round, text: `${round} `.padEnd(40_000, 'x') } },
    })
  t.match(await write(0), { type: 'committed' })
  const viewer = await RawViewer.open({ url: edge.url, token, doc })
  await viewer.untilSeq(2)

  let committed = 0
  let refused = 0
  let lastSeq = 0
  for (let round = 1; refused < 3 && round < 80; round++) {
    const { type, code, seq = 0 } = await write(round)
    if (type === 'committed') {
      committed = round
      lastSeq = seq
    } else {
      refused++
      t.equal(code, 'FANFOLD_LOG_FULL')
    }
  }
  t.equal(refused, 3, `writes are refused after ${committed} rounds`)
  t.equal(meaningOf('FANFOLD_LOG_FULL').retry, true)

  const late = await RawViewer.open({ url: edge.url, token, doc })
  await late.untilSeq(lastSeq)
  await viewer.untilSeq(lastSeq)
  t.match(late.state, { big: { round: committed } }, 'who joins now gets what is committed')
  t.match(viewer.state, { big: { round: committed } })
  const trouble = viewer.small.filter(({ type, status }) => type !== 'status' || status !== 'live')
  t.same(trouble, [], 'and nobody is told of trouble')
  const small = await writer.send('a/timing/another', {
    message: 'merge',
    value: { topic: 'big', delta: 'x'.repeat(48_000) },
  })
  t.equal(small.code, 'FANFOLD_LOG_FULL', 'another document has no room either')

  const toldBefore = viewer.small.length
  t.same(await authority.stop(), { code: 0, signal: null }, 'it ends in good order')
  const restarted = await cluster.start({ ...settings, port: authority.port })
  await viewer.untilTold({ type: 'status', doc, status: 'live' }, toldBefore)
  writer = await Writer.open({ url: restarted.url, token })
  t.match(await write(999), { type: 'rejected', code: 'FANFOLD_LOG_FULL' }, 'after a restart too')

  rmSync(ballast)
  const again = await write(1_000)
  t.match(again, { type: 'committed', seq: lastSeq + 2 }, 'with room again, writes go on')
  await viewer.untilSeq(lastSeq + 2)
  t.match(viewer.state, { big: { round: 1_000 } })
  t.same([...viewer.problems, ...late.problems], [])
  t.same(await restarted.stop(), { code: 0, signal: null })

  const third = await cluster.start({ ...settings, roles: ['authority', 'edge'] })
  const after = await RawViewer.open({ url: third.url, token, doc })
  await after.untilSeq(lastSeq + 2)
  t.same(after.state, viewer.state, 'the log is whole')
})

await t.test('SIGTERM at any moment ends an authority with 0, and loses nothing', async t => {
  const cluster = await Cluster.open(t)
  const { token } = cluster
  const doc = 'a/timing/ended'
  const chance = chanceOf('ended')
  const acknowledged = new Map<string, number>()
  let count = 0
  for (let round = 0; round < 5; round++) {
    const node = await cluster.start({ name: 'authority', roles: ['authority', 'edge'] })
    const writer = await Writer.open({ url: node.url, token })
    const goal = count + Math.floor(chance() * 400)
    const writing = (async () => {
      for (;;) {
        const id = `write-${count++}`
        const value = { topic: 'n', delta: { [id]: 1 } }
        const { type, seq = 0 } = await writer.send(doc, { message: 'merge', value }, id)
        if (type !== 'committed') return
        acknowledged.set(id, seq)
      }
    })()
    const closed = writing.catch(() => undefined)
    await until('some writes are acknowledged', () => acknowledged.size >= goal)
    t.same(await node.stop(), { code: 0, signal: null })
    t.same(node.errors, [])
    await closed
  }
  const inLog = new Map(
    [...logRecords(join(cluster.directory, 'authority'), doc)].map(({ record }) => [
      recordId(record),
      record.seq,
    ]),
  )
  const lost = [...acknowledged].filter(([id, seq]) => inLog.get(id) !== seq)
  t.same(lost, [])
})

await t.test('an edge writes nothing to any disk', async t => {
  if (findProgram(strace, thisMachine) === undefined) {
    t.fail(missingSentence(strace))
    return
  }
  const cluster = await Cluster.open(t)
  const { token } = cluster
  const doc = 'a/timing/traced'
  const trace = join(cluster.directory, 'trace')
  const authority = await cluster.start({ name: 'authority', roles: ['authority'] })
  const calls =
    'open,openat,openat2,creat,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,truncate,link,linkat,symlink,symlinkat'
  const edge = await cluster.start({
    name: 'edge',
    roles: ['edge'],
    parents: [authority],
    // Without the options that a runner of tests gives to every process below it: they write.
    wrapper: ['env', '-u', 'NODE_OPTIONS', 'strace', '-f', '-o', trace, '-e', `trace=${calls}`],
  })
  await untilReady(edge)
  const writer = await Writer.open({ url: authority.url, token })
  await writer.send(doc, { message: 'merge', value: { topic: 'n', delta: 0 } })
  const viewer = await RawViewer.open({ url: edge.url, token, doc })
  const messages = Array.from({ length: 200 }, (_, index) => ({
    message: 'merge',
    value: { topic: 'n', delta: index + 1 },
  }))
  await viewer.untilSeq(await writer.sendAll(doc, messages))
  writer.close()
  const traced = execFileSync('cat', [`/proc/${edge.pid}/task/${edge.pid}/children`], {
    encoding: 'utf8',
  })
  process.kill(Number(traced.trim()), 'SIGTERM')
  t.same(await edge.exited, { code: 0, signal: null })

  const lines = readFileSync(trace, 'utf8').split('\n')
  t.ok(
    lines.some(line => line.includes('openat(')),
    'calls were traced',
  )
  t.same(lines.filter(isWrite), [])
  t.notOk(existsSync(join(cluster.directory, 'edge')), 'it has no directory')
})

/** True for a traced call that changes a file system; devices are none. */
function isWrite(line: string): boolean {
  if (/^\d+ +(\+\+\+|---|<\.\.\.)/.test(line) || line.includes('"/dev/')) return false
  if (/^\d+ +open(at)?2?\(/.test(line)) return /O_WRONLY|O_RDWR|O_CREAT|O_TRUNC/.test(line)
  return /^\d+ +[a-z0-9]+\(/.test(line)
}

/** Mounts a disk of 2 MiB; false where that is not allowed. */
function mountSmallDisk(path: string): boolean {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', path]).status === 0
}

function unmount(path: string): void {
  spawnSync('umount', ['-l', path])
}

/** Runs this file where anybody may mount; true when all of it passes there. */
function runInNamespace(t: Test): boolean {
  const { status, stdout, stderr } = spawnSync(
    'unshare',
    ['--map-root-user', '--mount', process.execPath, fileURLToPath(import.meta.url)],
    { env: { ...process.env, FANFOLD_IN_NAMESPACE: '1' }, encoding: 'utf8' },
  )
  if (status !== 0) t.comment(`${stdout}${stderr}`)
  return status === 0
}

function mayMount(): boolean {
  const path = mkdtempSync(join(tmpdir(), 'fanfold-mount-'))
  const isMounted = mountSmallDisk(path)
  if (isMounted) unmount(path)
  rmSync(path, { recursive: true })
  return isMounted
}
