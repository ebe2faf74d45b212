import { count, countBy, type Voice, vote } from '@fanfold/definition'
import t from 'tap'
import { decodeContent } from '../src/content.ts'
import { crowdLimits } from '../src/crowd-limits.ts'
import { Origin } from '../src/origin.ts'

const voice = (id = 'a'): Voice => ({ id, timeMs: 0, stamp: 0, draw: () => 0 })
const cheers = countBy({ top: 4 })

/** An origin that has a session. */
function origin(session = 7): Origin {
  const begun = new Origin()
  begun.begin(session)
  return begun
}

/** What the sums of an aggregate count. */
const countsOf = (content: Uint8Array | undefined): unknown[] =>
  content === undefined
    ? []
    : decodeContent(content).map(({ reducer, bytes }) => [
        reducer,
        [...cheers.read(cheers.decode(bytes))],
      ])

t.test('what is said goes up in windows, with the numbers of the session', async t => {
  const edge = origin()
  t.same(edge.fold('cheer', cheers, 'red', voice()), { kind: 'folded', window: 1 })
  t.same(edge.fold('cheer', cheers, 'red', voice()), { kind: 'folded', window: 1 })
  t.equal(edge.next(), undefined, 'an open window does not go')
  t.ok(edge.close())
  t.notOk(edge.close(), 'nothing is in the next one')
  t.same(edge.fold('cheer', cheers, 'blue', voice()), { kind: 'folded', window: 2 })
  t.same(edge.next()?.ranges, [{ session: 7, after: 0, upTo: 1 }])
  edge.close()
  t.same(edge.next()?.ranges, [{ session: 7, after: 0, upTo: 2 }])
  t.same(countsOf(edge.next()?.content), [
    [
      'cheer',
      [
        ['red', 2],
        ['blue', 1],
      ],
    ],
  ])
})

t.test('a window is the same bytes each time', async t => {
  const edge = origin()
  edge.fold('cheer', cheers, 'red', voice())
  edge.close()
  const first = edge.next()
  edge.fold('cheer', cheers, 'red', voice())
  t.same(edge.next(), first)
})

t.test('what is counted is told once, and the rest goes on from there', async t => {
  const edge = origin()
  for (const kind of ['red', 'blue', 'green']) {
    edge.fold('cheer', cheers, kind, voice())
    edge.close()
  }
  const open = { session: 7, state: 'open' } as const
  t.same(edge.answered({ ...open, upTo: 2 }), [
    { window: 1, kind: 'counted' },
    { window: 2, kind: 'counted' },
  ])
  t.same(edge.answered({ ...open, upTo: 2 }), [])
  t.same(edge.answered({ ...open, session: 6, upTo: 9 }), [], 'another session')
  t.same(edge.next()?.ranges, [{ session: 7, after: 2, upTo: 3 }])
})

t.test('what a session that is sealed has not counted counts in the next one', async t => {
  const edge = origin()
  for (const kind of ['red', 'blue']) {
    edge.fold('cheer', cheers, kind, voice())
    edge.close()
  }
  edge.fold('cheer', cheers, 'green', voice())
  const sealed = { session: 7, state: 'sealed', upTo: 1 } as const
  t.same(edge.take({ sessions: [], standings: [sealed] }), [{ window: 1, kind: 'counted' }])
  t.equal(edge.session, undefined)
  t.notOk(edge.close(), 'there is no session')
  t.same(edge.say(), { asked: 1, aggregate: undefined })
  t.same(edge.take({ sessions: [9], standings: [] }), [])
  t.match(edge.say(), { asked: 0, aggregate: { ranges: [{ session: 9, after: 0, upTo: 2 }] } })
  const [[, counts] = []] = countsOf(edge.next()?.content) as [string, unknown][]
  t.same(counts, [
    ['blue', 1],
    ['green', 1],
  ])
})

t.test('of a session that nobody knows it is not known what has counted', async t => {
  const edge = origin()
  edge.fold('cheer', cheers, 'red', voice())
  edge.close()
  edge.fold('cheer', cheers, 'green', voice())
  const standings = [{ session: 7, state: 'unknown', upTo: 0 }] as const
  t.same(edge.take({ sessions: [], standings }), [{ window: 1, kind: 'unknown' }])
  t.same(edge.say(), { asked: 1, aggregate: undefined }, 'the open window was of no session')
  edge.take({ sessions: [9], standings: [] })
  t.match(edge.say(), { aggregate: { ranges: [{ session: 9, after: 0, upTo: 1 }] } })
  t.notOk(edge.isIdle)
  const counted = [{ session: 9, state: 'open', upTo: 1 }] as const
  t.same(edge.take({ sessions: [], standings: counted }), [{ window: 2, kind: 'counted' }])
  t.ok(edge.isIdle)
  t.equal(edge.say(), undefined)
})

t.test(
  'however long nothing is counted, a few windows wait, and the open one takes more',
  async t => {
    const edge = origin()
    for (let at = 0; at < 50; at++) {
      t.equal(edge.fold('cheer', cheers, `kind-${at}`, voice()).kind, 'folded')
      edge.close()
    }
    t.equal(edge.closedCount, crowdLimits.closedMax)
  },
)

t.test('a sum that has no room closes its window; where that may not be, it is busy', async t => {
  const edge = origin()
  const votes = vote({ voters: 2 })
  const cast = (id: string): string => edge.fold('poll', votes, 'yes', voice(id)).kind
  for (let voter = 0; voter < 2 + 2 * crowdLimits.closedMax; voter++) {
    t.equal(cast(`voter-${voter}`), 'folded')
  }
  t.equal(cast('one-more'), 'busy')
  t.equal(cast('voter-9'), 'folded', 'who is in the open one may change their mind')
  edge.answered({ session: 7, state: 'open', upTo: 1 })
  t.equal(cast('one-more'), 'folded')
})

t.test('what a reduction refuses is in no window', async t => {
  const edge = origin()
  t.match(edge.fold('cheer', cheers, '', voice()), { kind: 'refused', reason: /well-formed/ })
  t.notOk(edge.isHeard)
  const none = { ...count(), fold: () => undefined }
  edge.fold('cheer', cheers, 'red', voice())
  t.match(edge.fold('none', none, 1, voice()), { kind: 'refused', reason: /empty sum/ })
  t.equal(edge.closedCount, 0, 'and closes no window of others')
})

t.test('windows that are too much for one go one after the other', async t => {
  const edge = origin()
  const many = vote()
  const choice = 'x'.repeat(64)
  for (let at = 0; at < 2_048; at++) {
    const id = `${at}`.padStart(120, '0')
    t.ok(edge.fold('poll', many, choice, voice(id)).kind === 'folded' || at === 0)
  }
  edge.close()
  t.equal(edge.closedCount, 2)
  t.same(edge.next()?.ranges, [{ session: 7, after: 0, upTo: 1 }])
})

t.test(
  'sums that are too much for one aggregate go in several, and are told as one window',
  async t => {
    const edge = origin()
    const poll = vote()
    for (const name of ['one', 'two', 'three']) {
      for (let number = 0; number < 1_000; number++) {
        const id = `${number}`.padStart(128, 'v')
        edge.fold(name, poll, 'c'.repeat(64), voice(id))
      }
    }
    t.ok(edge.close())
    t.equal(edge.closedCount, 3)
    const counted: string[] = []
    for (let number = 1; number <= 3; number++) {
      const { ranges = [], content = new Uint8Array(0) } = edge.next() ?? {}
      t.same(ranges, [{ session: 7, after: number - 1, upTo: number }])
      t.ok(content.length <= crowdLimits.contentBytesMax, `${content.length} bytes`)
      for (const { reducer } of decodeContent(content)) counted.push(reducer)
      const outcomes = edge.answered({ session: 7, state: 'open', upTo: number })
      t.same(outcomes, number < 3 ? [] : [{ window: 1, kind: 'counted' }])
    }
    t.same(counted, ['one', 'two', 'three'])
    t.ok(edge.isIdle)
  },
)

t.test('a window of which not all was counted is unknown, once', async t => {
  const edge = origin()
  const poll = vote()
  for (const name of ['one', 'two', 'three']) {
    for (let number = 0; number < 1_000; number++) {
      edge.fold(name, poll, 'c'.repeat(64), voice(`${number}`.padStart(128, 'v')))
    }
  }
  edge.close()
  t.same(edge.answered({ session: 7, state: 'open', upTo: 1 }), [])
  t.same(edge.answered({ session: 7, state: 'unknown', upTo: 0 }), [{ window: 1, kind: 'unknown' }])
})

t.test('a sum that no aggregate holds is the fault of its reduction', async t => {
  const edge = origin()
  const bloated = { ...cheers, shape: 'own/bloated', encode: () => new Uint8Array(262_144) }
  edge.fold('cheer', bloated, 'red', voice())
  t.throws(() => edge.say(), { message: /a sum of cheer has 262144 bytes, by own\/bloated/ })
})
