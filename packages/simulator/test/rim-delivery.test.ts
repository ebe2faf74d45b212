import { type Duration, instant, milliseconds, Prng } from '@fanfold/kernel'
import type { CohortId, TransferId, ViewerId, ViewerInput } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import { Pipe } from '../src/pipe.ts'
import { RimDelivery } from '../src/rim-delivery.ts'
import { RimViewer } from '../src/rim-viewer.ts'
import type { Downward } from '../src/viewer-socket.ts'
import { VirtualClock } from '../src/virtual-clock.ts'

const cohort = 1 as CohortId
const transfer = 5 as TransferId
const budgetBytes = 100

/** A viewer whose way takes 1,000 bytes a second, what reached it, and what its edge and the watch heard. */
function makeDelivery() {
  const clock = new VirtualClock()
  const received: number[] = []
  const inputs: ViewerInput[] = []
  const watched: string[] = []
  let unsentMost = 0
  const delivery = new RimDelivery({
    budgetBytes,
    receive: input => {
      inputs.push(input)
      if (input.kind === 'viewer-drained') delivery.send(viewer, frame(2))
    },
    soon: task => clock.in(0 as Duration, task),
    watch: {
      frameGoes: (_, { length }, to) => {
        watched.push(to === undefined ? `${length} goes` : `${length} goes to cohort ${to}`)
        return `note of ${length}`
      },
      viewerIsBehind: () => watched.push('is behind'),
      viewerIsLedOn: ({ length }) => watched.push(`led on by ${length}`),
    },
  })
  const down = new Pipe<Downward>({
    clock,
    prng: new Prng('delivery'),
    profile: { delayMin: milliseconds(1), delayMean: 0 as Duration, bytesPerSecond: 1_000 },
    onSent: () => delivery.goOn(viewer),
    onArrival: item => {
      if (item.kind === 'frame') received.push(item.frame.length)
    },
  })
  const viewer = new RimViewer<unknown, Downward>(1 as ViewerId, down)
  const pass = (ms: number): number[] => {
    const end = instant(clock.now + ms * 1000)
    while (clock.step(end)) unsentMost = Math.max(unsentMost, down.unsentBytes)
    clock.runUntil(end)
    return received.splice(0)
  }
  return { delivery, viewer, down, inputs, watched, pass, unsentMost: () => unsentMost }
}

const frame = (bytes: number): Uint8Array => new Uint8Array(bytes)

t.test('a signal that is sent at once takes the place of one that waits', async t => {
  const { delivery, viewer, pass } = makeDelivery()
  viewer.lost.set(cohort, undefined)
  delivery.signal(viewer, 'status', frame(3))
  viewer.settle(cohort)
  delivery.goOnSoon(viewer)
  delivery.signal(viewer, 'status', frame(4))
  t.same(pass(1_000), [4])
})

t.test('a frame is sent at once, with what the watch says of it', async t => {
  const { delivery, viewer, down, watched, pass } = makeDelivery()
  delivery.send(viewer, frame(10))
  t.equal(down.unsentBytes, 10)
  delivery.send(viewer, frame(30), cohort)
  delivery.send(viewer, frame(20))
  t.same(watched, ['10 goes', '30 goes to cohort 1', '20 goes'])
  t.equal(delivery.largestFrameBytes, 30)
  t.same(pass(1_000), [10, 30, 20])
})

t.test('a viewer is full that holds more than the budget, not as much', async t => {
  const { delivery, viewer, pass } = makeDelivery()
  delivery.send(viewer, frame(budgetBytes))
  t.notOk(delivery.isFull(viewer))
  delivery.send(viewer, frame(1))
  t.ok(delivery.isFull(viewer))
  pass(100)
  t.notOk(delivery.isFull(viewer))
})

t.test('a signal waits for a viewer that is full or behind, the latest of its key', async t => {
  for (const reason of ['full', 'lost', 'drained'] as const) {
    const { delivery, viewer, pass } = makeDelivery()
    if (reason === 'full') delivery.send(viewer, frame(budgetBytes + 1))
    else viewer[reason].set(cohort, 3)
    delivery.signal(viewer, 'status', frame(3))
    delivery.signal(viewer, 'status', frame(4))
    delivery.signal(viewer, 'notice', frame(5))
    t.equal(viewer.signals.count, 2, reason)
    const before = pass(50)
    viewer.settle(cohort)
    delivery.goOn(viewer)
    t.same([...before, ...pass(500)].slice(-2), [4, 5])
    t.equal(viewer.signals.count, 0)
    t.same(before, [], 'not before')
  }
})

t.test('a signal for a viewer that is up to date goes at once', async t => {
  const { delivery, viewer, pass } = makeDelivery()
  delivery.signal(viewer, 'status', frame(3))
  t.equal(viewer.signals.count, 0)
  t.same(pass(10), [3])
})

t.test('a viewer that has drained is led on from where it stood, once', async t => {
  const { delivery, viewer, inputs, watched } = makeDelivery()
  viewer.lost.set(cohort, 7)
  delivery.lead(viewer)
  delivery.lead(viewer)
  const cohorts = [{ cohort, mark: 7 }]
  t.same(inputs, [{ kind: 'viewer-drained', viewer: viewer.id, cohorts }])
  t.notOk(viewer.isUpToDate, 'until the edge says so')
  t.equal(viewer.stoodAt(cohort), 7)
  delivery.send(viewer, frame(9))
  t.same(
    watched,
    ['is behind', 'led on by 2', '2 goes', '9 goes'],
    'the frames that the edge answers with lead it on, no later ones',
  )
})

t.test('a viewer that lags nowhere is not told of', async t => {
  const { delivery, viewer, inputs, watched } = makeDelivery()
  delivery.lead(viewer)
  t.same([...inputs, ...watched], [])
})

t.test('a transfer goes on when there is room, and is told of when it is out', async t => {
  const { delivery, viewer, down, inputs, pass } = makeDelivery()
  delivery.transfer(viewer, transfer, [60, 30, 20].map(frame))
  t.equal(down.unsentBytes, 0, 'in an event of its own')
  t.same(pass(0), [])
  t.equal(down.unsentBytes, 90)
  t.same(pass(1_000), [60, 30, 20])
  t.same(inputs, [{ kind: 'viewer-transferred', viewer: viewer.id, transfer }])
  t.equal(viewer.transfers.size, 0)
})

t.test('a frame larger than the budget goes when nothing else is held', async t => {
  const { delivery, viewer, down, pass } = makeDelivery()
  delivery.transfer(viewer, transfer, [10, 3 * budgetBytes, 10].map(frame))
  pass(0)
  t.equal(down.unsentBytes, 10)
  t.same(pass(2_000), [10, 3 * budgetBytes, 10])
})

t.test('a transfer to a viewer that lags waits until it has drained', async t => {
  const { delivery, viewer, inputs, pass } = makeDelivery()
  viewer.lost.set(cohort, undefined)
  delivery.transfer(viewer, transfer, [frame(10)])
  t.same(pass(100), [])
  delivery.lead(viewer)
  delivery.goOn(viewer)
  t.same(pass(100), [2, 10])
  t.same(
    inputs.map(({ kind }) => kind),
    ['viewer-drained', 'viewer-transferred'],
  )
})

t.test('a transfer that is ended, or whose viewer is gone, is not told of', async t => {
  for (const ending of ['transfer-end', 'is over'] as const) {
    const { delivery, viewer, inputs, pass } = makeDelivery()
    delivery.transfer(viewer, transfer, [frame(10)])
    delivery.goOn(viewer)
    if (ending === 'is over') viewer.isOver = true
    else viewer.transfers.delete(transfer)
    t.same(pass(100), [10], ending)
    t.same(inputs, [])
  }
})

t.test('a transfer to a viewer that is gone before it begins sends nothing', async t => {
  const { delivery, viewer, pass } = makeDelivery()
  delivery.transfer(viewer, transfer, [frame(10)])
  viewer.isOver = true
  t.same(pass(100), [])
})

t.test('a transfer without frames is a bug', async t => {
  const { delivery, viewer } = makeDelivery()
  t.throws(() => delivery.transfer(viewer, transfer, []), /transfer 5 has frames/)
})

t.test('transfers arrive whole and in order, each told of once, within the budget', async t => {
  const sizes = fc.array(fc.integer({ min: 1, max: 250 }), { minLength: 1, maxLength: 8 })
  const law = fc.property(fc.array(sizes, { minLength: 1, maxLength: 4 }), transfers => {
    const { delivery, viewer, inputs, pass, unsentMost } = makeDelivery()
    for (const [index, frames] of transfers.entries()) {
      delivery.transfer(viewer, index as TransferId, frames.map(frame))
    }
    const all = transfers.flat()
    const arrived = pass(20_000)
    const told = inputs.map(input => (input.kind === 'viewer-transferred' ? input.transfer : -1))
    return (
      arrived.join() === all.join() &&
      told.join() === transfers.map((_, index) => index).join() &&
      unsentMost() <= Math.max(budgetBytes, ...all)
    )
  })
  t.doesNotThrow(() => fc.assert(law))
})
