import { Placement } from '@fanfold/topology'
import t from 'tap'
import type { Log, LogFields } from '../src/logging.ts'
import { Metrics } from '../src/metrics.ts'
import { PlacementLog } from '../src/placement-log.ts'
import { entryOf, memberOf } from './placing-rig.ts'
import { silent } from './start-rig.ts'

/** A log of placements, its lines, and what its metrics say. */
function open() {
  const lines: LogFields[] = []
  const keep = (fields: LogFields): void => void lines.push(fields)
  const log: Log = { ...silent, info: keep, warn: keep }
  const metrics = new Metrics({ version: '0', region: 'eu', isProcessCollected: false })
  const placements = new PlacementLog(log, metrics)
  let before: Placement | undefined
  return {
    metrics,
    /** The view is this from now on; what is told of that. */
    see(placement: Placement, ...placed: string[]): LogFields[] {
      lines.length = 0
      placements.changed({ kind: 'view-changed', placement, before, members: [], placed })
      before = placement
      return [...lines]
    },
  }
}

const a = memberOf('a')
const b = memberOf('b')

await t.test('what was placed before a node came is one line', t => {
  const entries = [entryOf({ subject: 'one' }), entryOf({ subject: 'two' })]
  const released = entryOf({ subject: 'three', node: undefined })
  const { see } = open()
  const told = see(new Placement({ members: [a], entries: [...entries, released] }), 'one', 'two')
  t.same(told, [{ event: 'fleet.placements', count: 2 }])
  t.same(open().see(new Placement({ members: [a] })), [], 'and none where nothing is')
  t.end()
})

await t.test('what is placed or released after that is a line each', t => {
  const { see } = open()
  see(new Placement({ members: [a] }))
  const entry = entryOf({ subject: 'acme', version: 3, epoch: 2, who: 'ada', why: 'so' })
  const line = {
    event: 'fleet.placed',
    subject: 'acme',
    version: 3,
    epoch: 2,
    who: 'ada',
    why: 'so',
  }
  t.same(see(new Placement({ members: [a], entries: [entry] }), 'acme'), [{ ...line, to: 'a' }])
  const released = { ...entry, version: 4, node: undefined }
  t.same(see(new Placement({ members: [a], entries: [released] }), 'acme'), [
    { ...line, version: 4, to: undefined },
  ])
  t.end()
})

await t.test(
  'a node that cannot serve what is placed on it is told once, and when it can',
  async t => {
    const { see, metrics } = open()
    const entries = ['one', 'two'].map(subject => entryOf({ subject }))
    const count = async (name: string): Promise<string | undefined> =>
      new RegExp(`^fanfold_${name}\\{.*\\} (\\d+)$`, 'm').exec(await metrics.render())?.[1]
    see(new Placement({ members: [a, b], entries }))
    const away = { event: 'fleet.placed-node-away', member: 'a', count: 2 }
    const without = new Placement({ members: [b], entries })
    t.same(see(without), [{ ...away, why: 'placed-node-down' }])
    t.same(see(without), [])
    t.same([await count('placements'), await count('placements_stood_in')], ['2', '2'])
    const refusing = memberOf('a', { tenants: { allow: ['*'], deny: ['o*', 't*'] } })
    t.same(see(new Placement({ members: [refusing, b], entries })), [
      { ...away, why: 'placed-node-refuses' },
    ])
    t.same(see(new Placement({ members: [a, b], entries })), [
      { event: 'fleet.placed-node-back', member: 'a' },
    ])
    t.same([await count('placements'), await count('placements_stood_in')], ['2', '0'])
  },
)
