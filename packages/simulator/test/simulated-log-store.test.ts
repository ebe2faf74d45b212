import {
  buildLog,
  logStoreSource,
  type OpenLogStoreRig,
  testLogStorePort,
  testRecordSource,
} from '@fanfold/conformance'
import type { LogInput } from '@fanfold/document'
import { instant, Prng } from '@fanfold/kernel'
import { parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { LogDisk } from '../src/log-disk.ts'
import { SimulatedLogStore } from '../src/simulated-log-store.ts'
import { VirtualClock } from '../src/virtual-clock.ts'

const doc = parseDocumentKey('acme/match/final')

function makeStores() {
  const clock = new VirtualClock()
  const disk = new LogDisk()
  const prng = new Prng('disk')
  const open = (receive: (input: LogInput) => void) =>
    new SimulatedLogStore({
      clock,
      prng: prng.fork('store'),
      options: { syncMinMs: 1, syncMeanMs: 5 },
      disk,
      receive,
    })
  const advance = () => clock.runUntil(instant(clock.now + 1_000))
  return { clock, disk, open, advance }
}

const openRig: OpenLogStoreRig = async () => {
  const { clock, open, advance } = makeStores()
  return {
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
