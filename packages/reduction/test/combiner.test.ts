import { count } from '@fanfold/definition'
import t from 'tap'
import type { Aggregate } from '../src/aggregate.ts'
import { Combiner } from '../src/combiner.ts'
import { decodeContent, encodeContent } from '../src/content.ts'
import type { Standing } from '../src/ranges.ts'

const reduction = count()

const aggregate = (session: number, after: number, upTo: number, n = 1): Aggregate => ({
  ranges: [{ session, after, upTo }],
  content: encodeContent([
    { reducer: 'cheer', shape: 'count', bytes: reduction.encode({ count: n }) },
  ]),
})
const open = (session: number, upTo: number): Standing => ({ session, state: 'open', upTo })
const countOf = ({ content }: Aggregate): number[] =>
  decodeContent(content).map(({ bytes }) => reduction.decode(bytes).count)

t.test('what children have goes up in one, and each is told of its own', async t => {
  const proxy = new Combiner<string>()
  proxy.receive('b', 5, aggregate(20, 3, 4, 10))
  proxy.receive('a', 2, aggregate(10, 0, 1, 1))
  const sent = proxy.next()
  t.match(sent, { number: 1 })
  t.same(sent?.aggregate.ranges, [
    { session: 10, after: 0, upTo: 1 },
    { session: 20, after: 3, upTo: 4 },
  ])
  t.same(sent && countOf(sent.aggregate), [11])
  t.equal(proxy.next(), undefined, 'one at a time')
  t.same(proxy.answered(1, [open(10, 1), open(20, 4)]), [
    { child: 'b', number: 5, standings: [open(20, 4)] },
    { child: 'a', number: 2, standings: [open(10, 1)] },
  ])
  t.ok(proxy.isIdle)
})

t.test('what comes meanwhile is the next one', async t => {
  const proxy = new Combiner<string>()
  proxy.receive('a', 1, aggregate(10, 0, 1))
  proxy.next()
  for (const session of [11, 12, 13]) proxy.receive(`s${session}`, 1, aggregate(session, 0, 1))
  proxy.answered(1, [open(10, 1)])
  t.equal(proxy.next()?.aggregate.ranges.length, 3)
})

t.test('of several that are refused, those that are not the reason are sent again', async t => {
  const proxy = new Combiner<string>()
  proxy.receive('a', 1, aggregate(10, 0, 1))
  proxy.receive('b', 1, aggregate(20, 0, 1))
  proxy.next()
  t.same(proxy.answered(1, [open(10, 1), open(20, 0)]), [
    { child: 'a', number: 1, standings: [open(10, 1)] },
  ])
  t.same(proxy.next()?.aggregate.ranges, [{ session: 20, after: 0, upTo: 1 }])
  const sealed: Standing = { session: 20, state: 'sealed', upTo: 0 }
  t.same(proxy.answered(2, [sealed]), [{ child: 'b', number: 1, standings: [sealed] }])
})

t.test('two that share a session do not go together', async t => {
  const proxy = new Combiner<string>()
  proxy.receive('left', 1, aggregate(10, 0, 1))
  proxy.receive('here', 1, aggregate(10, 1, 2))
  t.same(proxy.next()?.aggregate.ranges, [{ session: 10, after: 0, upTo: 1 }])
  proxy.answered(1, [open(10, 1)])
  t.same(proxy.next()?.aggregate.ranges, [{ session: 10, after: 1, upTo: 2 }])
})

t.test('who did not fit is first the next time', async t => {
  const proxy = new Combiner<string>()
  proxy.receive('a', 1, aggregate(10, 0, 1))
  proxy.receive('b', 1, aggregate(10, 1, 2))
  proxy.next()
  proxy.interrupt()
  t.same(
    proxy.held.map(({ child }) => child),
    ['b', 'a'],
  )
})

t.test('an answer to what is not under way any more says nothing', async t => {
  const proxy = new Combiner<string>()
  proxy.receive('a', 1, aggregate(10, 0, 1))
  proxy.next()
  proxy.interrupt()
  t.same(proxy.answered(1, [open(10, 1)]), [])
  t.match(proxy.next(), { number: 2 })
  t.same(proxy.answered(1, [open(10, 1)]), [])
  t.ok(proxy.isWaiting)
})

t.test('a child that is gone, or has another one by now, is not told', async t => {
  const proxy = new Combiner<string>()
  proxy.receive('a', 1, aggregate(10, 0, 1))
  proxy.receive('b', 1, aggregate(20, 0, 1))
  proxy.next()
  proxy.leave('a')
  proxy.receive('b', 2, aggregate(20, 0, 2))
  t.same(proxy.answered(1, [open(10, 1), open(20, 1)]), [])
  t.same(proxy.next()?.aggregate.ranges, [{ session: 20, after: 0, upTo: 2 }])
})

t.test('an answer that leaves out a session leaves the child with what it has', async t => {
  const proxy = new Combiner<string>()
  proxy.receive('a', 1, aggregate(10, 0, 1))
  proxy.next()
  t.same(proxy.answered(1, []), [])
  t.match(proxy.held, [{ child: 'a', isUnderWay: false }])
})

t.test('sums that cannot be merged stay by themselves, and spoil no others', async t => {
  const own = (shape: string, bytes: number[]): Aggregate => ({
    ranges: [{ session: bytes[0] ?? 1, after: 0, upTo: 1 }],
    content: encodeContent([{ reducer: 'cheer', shape, bytes: Uint8Array.from(bytes) }]),
  })
  const proxy = new Combiner<string>()
  proxy.receive('own', 1, own('own/x', [1]))
  proxy.receive('too', 1, own('own/x', [2]))
  proxy.receive('bad', 1, own('count', [0xff]))
  proxy.receive('good', 1, own('count', [3]))
  proxy.receive('same', 1, own('count', [4]))
  const sums = decodeContent(proxy.next()?.aggregate.content ?? new Uint8Array())
  t.same(
    sums.map(({ shape, bytes }) => [shape, ...bytes]),
    [
      ['own/x', 1],
      ['own/x', 2],
      ['count', 0xff],
      ['count', 7],
    ],
  )
})
