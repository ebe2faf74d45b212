import { count } from '@fanfold/definition'
import t from 'tap'
import type { Aggregate } from '../src/aggregate.ts'
import { Combiner } from '../src/combiner.ts'
import { decodeContent, encodeContent } from '../src/content.ts'
import { crowdLimits } from '../src/crowd-limits.ts'
import type { Downward, Upward } from '../src/exchange.ts'
import type { Standing } from '../src/ranges.ts'

const reduction = count()

const said = (aggregate: Aggregate, asked = 0): Upward => ({ asked, aggregate })
const aggregate = (session: number, after: number, upTo: number, n = 1): Upward =>
  said({
    ranges: [{ session, after, upTo }],
    content: encodeContent([
      { reducer: 'cheer', shape: 'count', bytes: reduction.encode({ count: n }) },
    ]),
  })
const answer = (...standings: Standing[]): Downward => ({
  sessions: [],
  standings,
})
const open = (session: number, upTo: number): Standing => ({ session, state: 'open', upTo })
const countOf = ({ content }: Aggregate): number[] =>
  decodeContent(content).map(({ bytes }) => reduction.decode(bytes).count)

t.test('what children have goes up in one, and each is told of its own', async t => {
  const proxy = new Combiner<string>()
  proxy.receive('b', 5, aggregate(20, 3, 4, 10))
  proxy.receive('a', 2, aggregate(10, 0, 1, 1))
  const sent = proxy.next()
  t.same(sent?.aggregate?.ranges, [
    { session: 10, after: 0, upTo: 1 },
    { session: 20, after: 3, upTo: 4 },
  ])
  t.same(sent?.aggregate && countOf(sent.aggregate), [11])
  t.equal(proxy.next(), undefined, 'one at a time')
  t.same(proxy.answered(answer(open(10, 1), open(20, 4))), [
    { child: 'b', number: 5, answer: answer(open(20, 4)) },
    { child: 'a', number: 2, answer: answer(open(10, 1)) },
  ])
  t.ok(proxy.isIdle)
})

t.test('what comes meanwhile is the next one', async t => {
  const proxy = new Combiner<string>()
  proxy.receive('a', 1, aggregate(10, 0, 1))
  proxy.next()
  for (const session of [11, 12, 13]) proxy.receive(`s${session}`, 1, aggregate(session, 0, 1))
  proxy.answered(answer(open(10, 1)))
  t.equal(proxy.next()?.aggregate?.ranges.length, 3)
})

t.test('of several that are refused, those that are not the reason are sent again', async t => {
  const proxy = new Combiner<string>()
  proxy.receive('a', 1, aggregate(10, 0, 1))
  proxy.receive('b', 1, aggregate(20, 0, 1))
  proxy.next()
  t.same(proxy.answered(answer(open(10, 1), open(20, 0))), [
    { child: 'a', number: 1, answer: answer(open(10, 1)) },
  ])
  t.same(proxy.next()?.aggregate?.ranges, [{ session: 20, after: 0, upTo: 1 }])
  const sealed: Standing = { session: 20, state: 'sealed', upTo: 0 }
  t.same(proxy.answered(answer(sealed)), [{ child: 'b', number: 1, answer: answer(sealed) }])
})

t.test('two that share a session do not go together', async t => {
  const proxy = new Combiner<string>()
  proxy.receive('left', 1, aggregate(10, 0, 1))
  proxy.receive('here', 1, aggregate(10, 1, 2))
  t.same(proxy.next()?.aggregate?.ranges, [{ session: 10, after: 0, upTo: 1 }])
  proxy.answered(answer(open(10, 1)))
  t.same(proxy.next()?.aggregate?.ranges, [{ session: 10, after: 1, upTo: 2 }])
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

t.test('an answer while nothing is under way says nothing, and what was is sent again', async t => {
  const proxy = new Combiner<string>()
  proxy.receive('a', 1, aggregate(10, 0, 1))
  proxy.next()
  proxy.interrupt()
  t.same(proxy.answered(answer(open(10, 1))), [])
  t.same(proxy.next()?.aggregate?.ranges, [{ session: 10, after: 0, upTo: 1 }])
  t.ok(proxy.isWaiting)
})

t.test('sessions that children ask for are asked for together, and shared out', async t => {
  const proxy = new Combiner<string>()
  const asks: Upward = { asked: 1, aggregate: undefined }
  proxy.receive('a', 1, asks)
  proxy.receive('b', 1, aggregate(10, 0, 1))
  proxy.receive('c', 1, { asked: 3, aggregate: undefined })
  t.match(proxy.next(), { asked: 4, aggregate: { ranges: [{ session: 10 }] } })
  const given = { sessions: [100, 77, 102, 103], standings: [open(10, 1)] }
  t.same(
    proxy.answered(given).map(({ child, answer: { sessions } }) => [child, sessions]),
    [
      ['a', [100]],
      ['b', []],
      ['c', [77, 102, 103]],
    ],
  )
  proxy.receive('a', 2, asks)
  t.same(proxy.next(), { asked: 1, aggregate: undefined })
  t.match(proxy.answered(answer()), [{ child: 'a', answer: { sessions: [] } }])
})

t.test('who asks for many sessions takes none from those who ask for few', async t => {
  const proxy = new Combiner<string>()
  const asks = { many: 65_535, one: 1, several: 5, two: 2 }
  const given = (sessions: readonly number[]) => {
    for (const [child, asked] of Object.entries(asks)) {
      proxy.receive(child, 1, { asked, aggregate: undefined })
    }
    while (proxy.next()?.asked === crowdLimits.askedMax) proxy.answered(answer())
    const answers = proxy.answered({ sessions, standings: [] })
    return Object.fromEntries(answers.map(({ child, answer }) => [child, answer.sessions]))
  }
  t.same(given([1, 2, 3, 4, 5, 6]), { one: [1], two: [2, 3], several: [4, 5, 6] })
  t.same(given([1]), { one: [1], two: [], several: [] })
})

t.test('a child that is gone, or has another one by now, is not told', async t => {
  const proxy = new Combiner<string>()
  proxy.receive('a', 1, aggregate(10, 0, 1))
  proxy.receive('b', 1, aggregate(20, 0, 1))
  proxy.next()
  proxy.leave('a')
  proxy.receive('b', 2, aggregate(20, 0, 2))
  t.same(proxy.answered(answer(open(10, 1), open(20, 1))), [])
  t.same(proxy.next()?.aggregate?.ranges, [{ session: 20, after: 0, upTo: 2 }])
})

t.test('an answer that leaves out a session leaves the child with what it has', async t => {
  const proxy = new Combiner<string>()
  proxy.receive('a', 1, aggregate(10, 0, 1))
  proxy.next()
  t.same(proxy.answered(answer()), [])
  t.match(proxy.held, [{ child: 'a', isUnderWay: false }])
})

t.test('sums that cannot be merged stay by themselves, and spoil no others', async t => {
  const own = (shape: string, bytes: number[]): Upward =>
    said({
      ranges: [{ session: bytes[0] ?? 1, after: 0, upTo: 1 }],
      content: encodeContent([{ reducer: 'cheer', shape, bytes: Uint8Array.from(bytes) }]),
    })
  const proxy = new Combiner<string>()
  proxy.receive('own', 1, own('own/x', [1]))
  proxy.receive('too', 1, own('own/x', [2]))
  proxy.receive('bad', 1, own('count', [0xff]))
  proxy.receive('good', 1, own('count', [3]))
  proxy.receive('same', 1, own('count', [4]))
  const sums = decodeContent(proxy.next()?.aggregate?.content ?? new Uint8Array())
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

t.test('who asks for more sessions than are asked for at a time is given so many', async t => {
  const proxy = new Combiner<string>()
  proxy.receive('a', 1, { asked: 65_535, aggregate: undefined })
  t.same(proxy.next(), { asked: crowdLimits.askedMax, aggregate: undefined })
  proxy.answered({ sessions: [1], standings: [] })
  t.ok(proxy.isIdle)
})
