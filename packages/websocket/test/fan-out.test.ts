import type { CohortId } from '@fanfold/protocol'
import t from 'tap'
import { turns, until } from './client-rig.ts'
import { ManualClock } from './manual-clock.ts'
import { rig, text } from './viewer-rig.ts'

/** A clock of a machine on which each look at it, and so each turn of the fan-out, takes some time. */
class WorkingClock extends ManualClock {
  lookMs = 0
  #lookedMs = 0

  override monotonicMs(): number {
    this.#lookedMs += this.lookMs
    return super.monotonicMs() + this.#lookedMs
  }
}

const cohort = 1 as CohortId
const other = 2 as CohortId

t.test(
  'a fan-out that was at work rests for some ms, and what comes meanwhile is joined',
  async t => {
    const clock = new WorkingClock()
    const { open, perform } = await rig(t, { clock })
    const { client, viewer } = await open()
    const send = (mark: number): void => {
      perform({ kind: 'cohort-send', cohort, frame: text({ n: mark }), mark })
    }
    perform({ kind: 'cohort-enter', cohort, viewer, mark: 0 })
    send(1)
    send(2)
    await until(() => client.frames.length === 2)
    clock.lookMs = 2
    send(3)
    await until(() => client.frames.length === 3)
    clock.lookMs = 0
    send(4)
    await turns()
    send(5)
    await turns()
    t.equal(client.frames.length, 3, 'it rests')
    clock.advance(5)
    await until(() => client.frames.length === 5)
    clock.advance(1_000)
    send(6)
    await until(() => client.frames.length === 6)
    t.same(
      client.frames.map(frame => frame['n']),
      [1, 2, 3, 4, 5, 6],
    )
  },
)

t.test(
  'who is sent something alone gets what rests before it, and other cohorts go on',
  async t => {
    const clock = new WorkingClock()
    const { open, perform } = await rig(t, { clock })
    const { client, viewer } = await open()
    const { client: others, viewer: stranger } = await open()
    perform(
      { kind: 'cohort-enter', cohort, viewer, mark: 0 },
      { kind: 'cohort-enter', cohort: other, viewer: stranger, mark: 0 },
    )
    clock.lookMs = 2
    perform({ kind: 'cohort-send', cohort, frame: text({ n: 1 }), mark: 1 })
    await until(() => client.frames.length === 1)
    clock.lookMs = 0
    perform(
      { kind: 'cohort-send', cohort, frame: text({ n: 2 }), mark: 2 },
      { kind: 'cohort-send', cohort: other, frame: text({ n: 2 }), mark: 2 },
    )
    await until(() => others.frames.length === 1)
    t.equal(client.frames.length, 1)
    perform({ kind: 'viewer-send', viewer, frame: text({ n: 3 }) })
    await until(() => client.frames.length === 3)
    t.same(
      client.frames.map(frame => frame['n']),
      [1, 2, 3],
    )
    clock.advance(5)
    await turns()
    t.equal(client.frames.length, 3, 'nothing is sent twice')
  },
)

t.test('a cohort that rests and is left by all leaves nothing behind', async t => {
  const clock = new WorkingClock()
  const { open, perform, viewers } = await rig(t, { clock })
  const { client, viewer } = await open()
  perform({ kind: 'cohort-enter', cohort, viewer, mark: 0 })
  clock.lookMs = 2
  perform({ kind: 'cohort-send', cohort, frame: text({ n: 1 }), mark: 1 })
  await until(() => client.frames.length === 1)
  perform({ kind: 'cohort-send', cohort, frame: text({ n: 2 }), mark: 2 })
  client.ws.terminate()
  await until(() => viewers.stats().viewers === 0)
  clock.advance(10)
  t.equal(viewers.stats().cohorts, 0)
})
