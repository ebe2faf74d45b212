import { Prng } from '@fanfold/kernel'
import t from 'tap'
import { randomSchedule } from '../src/faults/random-schedule.ts'
import { durationOf } from '../src/faults/schedule.ts'

const targets = {
  authority: 'authority',
  proxies: ['proxy-a', 'proxy-b'],
  edges: ['edge-1', 'edge-2'],
  clients: 'clients',
}
const lengthMs = 600_000
const scheduleOf = (seed: string) => randomSchedule(new Prng(seed), targets, lengthMs)

t.test('equal seeds give equal schedules, and others give others', async t => {
  t.same(scheduleOf('a'), scheduleOf('a'))
  t.notSame(scheduleOf('a'), scheduleOf('b'))
})

t.test('each kind of fault happens, and all are over in time', async t => {
  const schedule = scheduleOf('a')
  const kinds = new Set(schedule.map(({ fault }) => fault))
  t.equal(kinds.size, 12)
  t.ok(schedule.every(step => step.atMs + durationOf(step) <= lengthMs))
})

t.test('a fault of a node is over before its next one begins', async t => {
  const busyUntilMs = new Map<string, number>()
  for (const step of scheduleOf('c')) {
    const nodes = 'node' in step.args ? [step.args.node] : [...busyUntilMs.keys()]
    for (const node of nodes) {
      t.ok((busyUntilMs.get(node) ?? 0) <= step.atMs, `${step.fault} at ${step.atMs}`)
      busyUntilMs.set(node, step.atMs + durationOf(step))
    }
  }
})
