import t from 'tap'
import { type RoomyLink, RoomyLinks } from '../src/roomy-links.ts'
import { LinkAllowance, TurnAllowance } from '../src/transfer-allowance.ts'
import { unmeasured } from './serving-node.ts'

/** A link on which these channels wait. */
const linkOf = (...channels: readonly number[]): RoomyLink & { isCongested: boolean } => {
  const allowance = new LinkAllowance(new TurnAllowance(1_000), unmeasured)
  for (const channel of channels) allowance.wait(channel)
  return { allowance, isCongested: false }
}

/** Channels in the order in which they are flushed, each to its end. */
function flushAll(links: RoomyLinks, flush = (_channel: number): boolean => false): number[] {
  const order: number[] = []
  while (links.areAny && order.length < 100) {
    links.flushNext(channel => {
      order.push(channel)
      return flush(channel)
    })
  }
  return order
}

t.test('links have their turns, and of each the document that waits longest', async t => {
  const links = new RoomyLinks()
  for (const link of [linkOf(1, 2, 3), linkOf(11, 12)]) links.add(link)
  t.same(flushAll(links), [1, 11, 2, 12, 3])
})

t.test('a link on which nobody waits, or that is full, is nothing to do', async t => {
  const links = new RoomyLinks()
  links.add(linkOf())
  const full = linkOf(1)
  full.allowance.spend(unmeasured.bytesUnderWayMax)
  links.add(full)
  t.notOk(links.areAny)
})

t.test('a link that has become full, congested or closed meanwhile is passed over', async t => {
  const links = new RoomyLinks()
  const [full, congested, closed, last] = [linkOf(1), linkOf(2), linkOf(3), linkOf(4)]
  for (const link of [full, congested, closed, last]) links.add(link)
  full.allowance.spend(unmeasured.bytesUnderWayMax)
  congested.isCongested = true
  links.delete(closed)
  t.same(flushAll(links), [4])
  t.same(
    [full, congested, closed].map(({ allowance }) => allowance.waitingCount),
    [1, 1, 1],
    'those that wait there keep their places',
  )
})

t.test('a document that fills the link leaves the others where they are', async t => {
  const links = new RoomyLinks()
  const link = linkOf(1, 2)
  links.add(link)
  const order = flushAll(links, channel => {
    link.allowance.spend(unmeasured.bytesUnderWayMax)
    link.allowance.endWait(channel)
    return false
  })
  t.same(order, [1])
  t.equal(link.allowance.waitingCount, 1)
})

t.test('a document that has more to do in a turn to come keeps its place', async t => {
  const links = new RoomyLinks()
  const link = linkOf(1, 2)
  links.add(link)
  let turns = 0
  const order = flushAll(links, () => ++turns < 3)
  t.same(order, [1, 1, 1, 2])
})
