import {
  buildLog,
  logStoreSource,
  type OpenLogStoreRig,
  sha256,
  testLogFollowing,
  testLogStorePort,
  testRecordSource,
} from '@fanfold/conformance'
import { encodeSnapshot, type LogInput, type LogReadId } from '@fanfold/document'
import { instant, Prng } from '@fanfold/kernel'
import { parseDocumentKey, zeroPosition } from '@fanfold/protocol'
import t from 'tap'
import { DiskHealth } from '../src/disk-health.ts'
import { LogDisk } from '../src/log-disk.ts'
import type { DiskFault } from '../src/node-fault.ts'
import { SimulatedLogStore } from '../src/simulated-log-store.ts'
import { VirtualClock } from '../src/virtual-clock.ts'

const doc = parseDocumentKey('acme/match/final')

const snapshotOf = ({ end }: ReturnType<typeof buildLog>) =>
  encodeSnapshot({ at: end, state: {}, definition: undefined, sha256 })

function makeStores() {
  const clock = new VirtualClock()
  const disk = new LogDisk(undefined, clock)
  const prng = new Prng('disk')
  const health = new DiskHealth()
  const open = (receive: (input: LogInput) => void) =>
    new SimulatedLogStore({
      clock,
      prng: prng.fork('store'),
      options: { syncMinMs: 1, syncMeanMs: 5 },
      disk,
      receive,
      health,
    })
  const advance = () => clock.runUntil(instant(clock.now + 1_000))
  return { clock, disk, health, open, advance }
}

const unreadable: DiskFault = { kind: 'disk-unreadable', node: 'authority', atMs: 0, forMs: 1 }

const openRig: OpenLogStoreRig = async () => {
  const { clock, health, open, advance } = makeStores()
  return {
    failReads: areFailing => (areFailing ? health.begin(unreadable) : health.end(unreadable)),
    open: receive => {
      const store = open(receive)
      return {
        perform: effect => store.perform(effect),
        close: () => {
          const closed = store.close()
          clock.runUntil(instant(clock.now + 10_000_000))
          return closed
        },
      }
    },
    advance,
    close: async () => undefined,
  }
}

testLogStorePort(t, openRig)
testLogFollowing(t, openRig)
testRecordSource(t, logStoreSource(openRig))

t.test('a record is durable when its append is answered, and not a moment sooner', async t => {
  const { clock, disk, open } = makeStores()
  const answers: string[] = []
  const store = open(input => answers.push(input.kind))
  store.perform({ kind: 'log-append', ...buildLog({ doc, count: 2 }) })
  clock.runUntil(instant(999))
  t.equal(disk.log(doc).records.length, 0)
  t.same(answers, [])
  clock.runUntil(instant(1_000_000))
  t.equal(disk.log(doc).records.length, 2)
  t.same(answers, ['log-appended'])
})

t.test('a second append while one is in flight is our bug', async t => {
  const { open } = makeStores()
  const store = open(() => undefined)
  const log = buildLog({ doc, count: 1 })
  store.perform({ kind: 'log-append', ...log })
  t.throws(() => store.perform({ kind: 'log-append', ...log }), /one append/)
  t.throws(() => store.perform({ kind: 'log-close', doc }), /nothing is in flight/)
})

t.test('syncs take different times, the same ones for the same seed', async t => {
  const timesOf = () => {
    const { clock, open } = makeStores()
    const times: number[] = []
    const store = open(() => times.push(clock.now))
    for (let index = 0; index < 10; index++) {
      store.perform({ kind: 'log-open', doc: parseDocumentKey(`acme/match/${index}`) })
    }
    clock.runUntil(instant(1_000_000))
    return times
  }
  t.same(timesOf(), timesOf())
  t.equal(new Set(timesOf()).size, 10)
})

/** A store on a disk that faults make ill, with an append of three records under way. */
function makeCrashing(seed: string) {
  const { clock, disk } = makeStores()
  const health = new DiskHealth()
  const answers: LogInput[] = []
  const fails: number[] = []
  const store = new SimulatedLogStore({
    clock,
    prng: new Prng(seed),
    options: { syncMinMs: 1, syncMeanMs: 5 },
    disk,
    receive: input => answers.push(input),
    health,
    fail: () => fails.push(clock.now),
  })
  const log = buildLog({ doc, count: 3 })
  const pass = (ms: number) => clock.runUntil(instant(clock.now + ms * 1_000))
  return { clock, disk, health, answers, fails, store, log, pass }
}

t.test('of an append that a crash cuts off a prefix is kept, and nobody is told', async t => {
  const kept = new Set<number>()
  const claimed = new Set<number>()
  for (let seed = 0; seed < 60; seed++) {
    const { disk, answers, store, log, pass } = makeCrashing('crash')
    store.perform({ kind: 'log-append', ...log })
    const { kept: count, lost } = store.crash(new Prng(`${seed}`))
    pass(1_000)
    t.same(answers, [])
    t.equal(count + lost, 3)
    t.same(disk.log(doc).records, log.records.slice(0, count))
    kept.add(count)
    if (count === 0) claimed.add(disk.log(doc).epoch)
  }
  t.same([...kept].sort(), [0, 1, 2, 3])
  t.same([...claimed].sort(), [0, 1], 'the epoch alone may be claimed')
})

t.test(
  'on another machine an append of a process that has ended is whole or not, perhaps later',
  async t => {
    const ends = new Set<string>()
    for (let seed = 0; seed < 60; seed++) {
      const { clock, disk } = makeStores()
      const options = { syncMinMs: 1, syncMeanMs: 5 }
      const late: string[] = []
      const open = (node: string): SimulatedLogStore =>
        new SimulatedLogStore({
          node,
          clock,
          prng: new Prng(`${node} ${seed}`),
          options,
          disk,
          receive: () => undefined,
          isShared: true,
          late: outcome => late.push(outcome),
        })
      const log = buildLog({ doc, count: 3 })
      const gone = open('a')
      gone.perform({ kind: 'log-append', ...log })
      gone.crash(new Prng(`${seed}`))
      const isDone = disk.log(doc).records.length === 3
      const isTaken = seed % 2 === 0 && !isDone
      if (isTaken) disk.claim(doc, log.epoch + 1, open('b'))
      clock.runUntil(instant(60_000_000))
      const { length } = disk.log(doc).records
      t.ok(length === 0 || length === 3)
      t.ok(!isTaken || length === 0, 'who has claimed the log is not overtaken')
      ends.add(isDone ? 'at once' : (late[0] ?? 'never'))
    }
    t.same([...ends].sort(), ['FANFOLD_FENCED', 'at once', 'done', 'never'])
  },
)

t.test('what waits behind an append is lost with it', async t => {
  const { disk, store, log } = makeCrashing('crash')
  store.perform({ kind: 'log-append', ...log })
  store.perform({ kind: 'log-keep-snapshot', doc, snapshot: snapshotOf(log) })
  for (let seed = 0; seed < 20; seed++) store.crash(new Prng(`${seed}`))
  t.equal(disk.log(doc).snapshots.length, 0)
})

t.test('a full disk refuses what would be written, and takes it when there is room', async t => {
  const { disk, health, answers, store, log, pass } = makeCrashing('full')
  const fault = { kind: 'disk-full', node: 'authority', atMs: 0, forMs: 100 } as const
  health.begin(fault)
  store.perform({ kind: 'log-append', ...log })
  pass(1_000)
  t.match(answers, [{ kind: 'log-append-refused', code: 'FANFOLD_LOG_FULL' }])
  t.equal(disk.log(doc).records.length, 0)
  health.end(fault)
  store.perform({ kind: 'log-append', ...log })
  pass(1_000)
  t.match(answers[1], { kind: 'log-appended', seq: 3 })
  health.begin(fault)
  store.perform({ kind: 'log-keep-snapshot', doc, snapshot: snapshotOf(log) })
  pass(1_000)
  t.match(answers[2], { kind: 'log-snapshot-refused', code: 'FANFOLD_LOG_FULL' })
})

t.test('where no file can be opened no log is read', async t => {
  const { health, answers, store, pass } = makeCrashing('files')
  health.begin({ kind: 'no-files', node: 'authority', atMs: 0, forMs: 100 })
  store.perform({ kind: 'log-open', doc })
  store.perform({ kind: 'log-read', doc, read: 1 as LogReadId, after: 0, bytesMax: 1 })
  pass(1_000)
  t.match(
    new Set(answers.map(({ kind }) => kind)),
    new Set(['log-open-refused', 'log-read-refused']),
  )
})

t.test(
  'of a log that cannot be read a beginning is told at most, and it is never wrong',
  async t => {
    const counts = new Set<number>()
    for (let seed = 0; seed < 40; seed++) {
      const { disk, health, answers, store, log, pass } = makeCrashing(`unreadable ${seed}`)
      disk.append(doc, log.records)
      health.begin(unreadable)
      store.perform({ kind: 'log-open', doc })
      pass(1_000)
      t.match(answers.at(-1), { kind: 'log-open-refused', code: 'FANFOLD_LOG_UNREADABLE' })
      const told = answers.flatMap(one => (one.kind === 'log-records' ? one.records : []))
      t.same(told, log.records.slice(0, told.length))
      counts.add(told.length)
    }
    t.same([...counts].sort(), [0, 1, 2, 3])
  },
)

t.test('a document that was never written has nothing that could not be read', async t => {
  const { health, answers, store, pass } = makeCrashing('empty')
  health.begin(unreadable)
  store.perform({ kind: 'log-open', doc })
  pass(1_000)
  t.match(answers, [{ kind: 'log-opened', epoch: 0 }])
})

t.test('a sync that fails is not answered: the process is told to end', async t => {
  const { health, answers, fails, store, log, pass } = makeCrashing('broken')
  health.begin({ kind: 'disk-broken', node: 'authority', atMs: 0, forMs: 100 })
  store.perform({ kind: 'log-append', ...log })
  pass(1_000)
  t.same(answers, [])
  t.equal(fails.length, 1)
  const { kept, lost } = store.crash(new Prng('fate'))
  t.equal(kept + lost, 3)
})

t.test('a slow disk takes longer for everything', async t => {
  const { health, answers, store, pass } = makeCrashing('slow')
  health.begin({ kind: 'disk-slow', node: 'authority', atMs: 0, forMs: 100, byMs: 500 })
  store.perform({ kind: 'log-open', doc })
  pass(500)
  t.same(answers, [])
  pass(500)
  t.match(answers, [{ kind: 'log-opened' }])
})

const away: DiskFault = { kind: 'log-away', node: 'authority', atMs: 0, forMs: 1 }

t.test('an append to a log out of reach waits, is told of once, and is done once', async t => {
  const kept = new Set<number>()
  for (let seed = 0; seed < 20; seed++) {
    const { clock, disk, health, store, answers, log, pass } = makeCrashing(`away ${seed}`)
    health.begin(away)
    store.perform({ kind: 'log-append', ...log })
    pass(100)
    kept.add(disk.log(doc).records.length)
    pass(600)
    t.same(answers, [])
    pass(10_000)
    t.match(answers, [{ kind: 'log-append-waits', code: 'FANFOLD_LOG_UNREACHABLE' }])
    health.end(away)
    pass(100)
    t.match(answers.slice(1), [{ kind: 'log-appended', seq: 3 }])
    t.equal(disk.log(doc).records.length, log.records.length)
    t.ok(store.isIdle, `at ${clock.now}`)
  }
  t.same(kept, new Set([0, 3]), 'it may have been done before anybody could tell')
})

t.test('what waits for a log out of reach when the node crashes is in it or not', async t => {
  const kept = new Set<number>()
  for (let seed = 0; seed < 40; seed++) {
    const { disk, health, store, log, pass } = makeCrashing(`gone ${seed}`)
    health.begin(away)
    store.perform({ kind: 'log-append', ...log })
    pass(100)
    const before = disk.log(doc).records.length
    const { kept: count, lost } = store.crash(new Prng(`gone ${seed}`))
    t.equal(count + lost, log.records.length)
    t.equal(disk.log(doc).records.length, count)
    t.ok(count >= before)
    kept.add(count)
  }
  t.ok(kept.has(0) && kept.has(3))
})

t.test('of a log out of reach nothing is read, opened or kept', async t => {
  const { clock, health, open } = makeStores()
  const answers: LogInput[] = []
  const store = open(input => answers.push(input))
  const log = buildLog({ doc, count: 2 })
  store.perform({ kind: 'log-append', ...log })
  clock.runUntil(instant(1_000_000))
  health.begin(away)
  store.perform({ kind: 'log-open', doc })
  store.perform({ kind: 'log-read', doc, read: 1 as LogReadId, after: 0, bytesMax: 1_000 })
  store.perform({ kind: 'log-keep-snapshot', doc, snapshot: snapshotOf(log) })
  clock.runUntil(instant(2_000_000))
  const kinds = ['log-open-refused', 'log-read-refused', 'log-snapshot-refused']
  const told = answers.slice(1).map(answer => [answer.kind, 'code' in answer && answer.code])
  t.same(
    told.sort(),
    kinds.map(kind => [kind, 'FANFOLD_LOG_UNREACHABLE']),
  )
})

t.test('a log that falls back has lost what was appended since, and says so', async t => {
  const { clock, disk, open, advance } = makeStores()
  const told: LogInput[] = []
  const store = open(input => told.push(input))
  const until = (kind: LogInput['kind']): LogInput | undefined => {
    for (let step = 0; step < 100 && told.at(-1)?.kind !== kind; step++) advance()
    return told.at(-1)
  }
  const log = buildLog({ doc, count: 3 })
  const append = (records: typeof log.records, after: typeof log.end, epoch = 1) =>
    store.perform({ kind: 'log-append', doc, epoch, after, records })
  append(log.records, zeroPosition)
  until('log-appended')
  store.perform({ kind: 'log-keep-snapshot', doc, snapshot: snapshotOf(log) })
  until('log-snapshot-kept')
  const then = clock.now
  advance()
  const more = buildLog({ doc, count: 2, after: log.end })
  append(more.records, log.end)
  until('log-appended')
  store.perform({ kind: 'log-keep-snapshot', doc, snapshot: snapshotOf(more) })
  until('log-snapshot-kept')
  t.equal(disk.fallBack(then), 2)
  t.match(disk.log(doc), { end: log.end, snapshots: { length: 1 } })
  append(buildLog({ doc, count: 1, after: more.end }).records, more.end)
  t.match(until('log-append-refused'), { code: 'FANFOLD_LOG_LOST' })
  store.perform({ kind: 'log-keep-snapshot', doc, snapshot: snapshotOf(more) })
  t.match(until('log-snapshot-refused'), { code: 'FANFOLD_LOG_LOST' })
  const others = buildLog({ doc, count: 2, epoch: 2, after: log.end, seed: 'other' })
  append(others.records, log.end, 2)
  t.match(until('log-appended'), { seq: 5 })
  t.equal(disk.fallBack(then), 2, 'also once more')
  t.match(disk.log(doc), { epoch: 1, end: log.end })
})
