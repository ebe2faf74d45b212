import { buildLog, sha256, testWarmStorePort } from '@fanfold/conformance'
import {
  encodeSnapshot,
  type WarmDocument,
  type WarmEffect,
  type WarmInput,
} from '@fanfold/document'
import { instant, Prng } from '@fanfold/kernel'
import { parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { DiskHealth } from '../src/disk-health.ts'
import type { DiskFault } from '../src/node-fault.ts'
import { SimulatedWarmStore, WarmDisk } from '../src/simulated-warm-store.ts'
import { VirtualClock } from '../src/virtual-clock.ts'

const doc = parseDocumentKey('acme/match/final')
const log = buildLog({ doc, count: 5 })
const snapshot = encodeSnapshot({
  at: log.after,
  state: { n: 1 },
  definition: undefined,
  sha256,
})
const document: WarmDocument = { snapshot, records: log.records, ceiling: 3 }

const unreadable: DiskFault = { kind: 'disk-unreadable', node: 'proxy-0', atMs: 0, forMs: 1 }

function makeStore(disk = new WarmDisk()) {
  const clock = new VirtualClock()
  const inputs: WarmInput[] = []
  const store = new SimulatedWarmStore({
    clock,
    prng: new Prng('warm'),
    options: { syncMinMs: 1, syncMeanMs: 5 },
    disk,
    receive: input => inputs.push(input),
  })
  const pass = () => clock.runUntil(instant(clock.now + 1_000_000))
  return { disk, store, inputs, pass }
}

testWarmStorePort(t, async () => {
  const clock = new VirtualClock()
  const disk = new WarmDisk()
  const health = new DiskHealth()
  return {
    failReads: areFailing => (areFailing ? health.begin(unreadable) : health.end(unreadable)),
    open: receive => {
      const options = { syncMinMs: 1, syncMeanMs: 5 }
      const store = new SimulatedWarmStore({
        clock,
        prng: new Prng('warm'),
        options,
        disk,
        receive,
        health,
      })
      return {
        perform: effect => store.perform(effect),
        close: () => {
          const closed = store.close()
          clock.runUntil(instant(clock.now + 10_000_000))
          return closed
        },
      }
    },
    advance: () => clock.runUntil(instant(clock.now + 1_000)),
    close: async () => undefined,
  }
})

t.test('of what is read some has another bit, and what was kept stays as it is', async t => {
  const damaged = new WarmDisk({ share: 1, prng: new Prng('damage') })
  damaged.keep(doc, document)
  const { snapshot, ...rest } = damaged.read(doc) ?? {}
  t.same(rest, { records: document.records, ceiling: 3 })
  t.notSame(snapshot?.pieces, document.snapshot.pieces)
  t.same(snapshot?.manifest, document.snapshot.manifest)
  const sound = new WarmDisk({ share: 0, prng: new Prng('damage') })
  sound.keep(doc, document)
  t.equal(sound.read(doc), document)
})

t.test('what is kept is there for the next store', async t => {
  const { disk, store, inputs, pass } = makeStore()
  store.perform({ kind: 'warm-read', doc })
  store.perform({ kind: 'warm-keep', doc, document })
  t.same(inputs, [], 'nothing is answered from inside')
  pass()
  t.same(inputs, [
    { kind: 'warm-read', doc, document: undefined },
    { kind: 'warm-kept', doc, isKept: true },
  ])
  const next = makeStore(disk)
  next.store.perform({ kind: 'warm-read', doc })
  next.pass()
  t.same(next.inputs, [{ kind: 'warm-read', doc, document }])
  next.store.perform({ kind: 'warm-drop', doc })
  next.pass()
  t.equal(disk.count, 0)
})

t.test('a crash loses what is under way', async t => {
  const { disk, store, inputs, pass } = makeStore()
  store.perform({ kind: 'warm-keep', doc, document })
  store.crash()
  pass()
  await store.close()
  t.equal(disk.count, 0)
  t.same(inputs, [])
})

t.test('a crash may lose or tear what was kept last, and nothing before it', async t => {
  const other = parseDocumentKey('acme/match/semi')
  const outcomes = new Set<string>()
  for (let seed = 0; seed < 60; seed++) {
    const disk = new WarmDisk()
    disk.keep(other, document)
    disk.keep(doc, document)
    disk.crash(new Prng(`crash ${seed}`))
    t.equal(disk.read(other), document)
    const kept = disk.read(doc)
    if (kept === document) outcomes.add('whole')
    else if (kept === undefined) outcomes.add('lost')
    else outcomes.add(kept.records.length < 5 ? 'shorter' : 'other bytes')
  }
  t.ok(outcomes.size >= 4, [...outcomes].join(', '))
})

t.test(
  'on a disk that is not well nothing is kept, and without files nothing is found',
  async t => {
    const clock = new VirtualClock()
    const health = new DiskHealth()
    const answers: WarmInput[] = []
    const store = new SimulatedWarmStore({
      clock,
      prng: new Prng('ill'),
      options: { syncMinMs: 1, syncMeanMs: 1 },
      disk: new WarmDisk(),
      receive: input => answers.push(input),
      health,
    })
    const perform = (effect: WarmEffect) => {
      store.perform(effect)
      clock.runUntil(instant(clock.now + 1_000_000))
      return answers.at(-1)
    }
    const lasting = { node: 'proxy-0', atMs: 0, forMs: 1 }
    for (const kind of ['disk-full', 'no-files', 'disk-broken'] as const) {
      const fault = { kind, ...lasting }
      health.begin(fault)
      t.match(perform({ kind: 'warm-keep', doc, document }), { isKept: false }, kind)
      health.end(fault)
    }
    t.match(perform({ kind: 'warm-keep', doc, document }), { isKept: true })
    health.begin({ kind: 'no-files', ...lasting })
    t.match(perform({ kind: 'warm-read', doc }), { document: undefined })
  },
)
