import fc from 'fast-check'
import t, { type Test } from 'tap'
import { OrderCheck, type OrderStep } from '../../src/bench/order-check.ts'

const snapshot = (over: { epoch?: number; seq?: number; isDense?: boolean } = {}) =>
  ({ type: 'snapshot', epoch: 1, seq: 5, position: 'p', isDense: false, ...over }) as const
const delta = (
  from: number,
  seq: number,
  over: { epoch?: number; position?: string | undefined } = {},
) => ({ type: 'delta', epoch: 1, from, seq, time: 0, position: undefined, ...over }) as const
const begin = (over: { seq?: number; pieces?: number } = {}) =>
  ({ type: 'snapshot-begin', epoch: 1, seq: 9, isDense: false, pieces: 2, ...over }) as const
const piece = (index: number) => ({ type: 'snapshot-piece', index }) as const
const end = { type: 'snapshot-end', position: 'q' } as const

/** A check of a viewer that has the view at seq 5. */
function build(): OrderCheck {
  const check = new OrderCheck()
  check.resume()
  check.takeSnapshot(snapshot())
  return check
}

const isFine = (t: Test, steps: readonly OrderStep[]): void => {
  for (const { violation } of steps) t.equal(violation, undefined)
}

await t.test('deltas that adjoin are in order, whatever they span', async t => {
  const check = build()
  isFine(t, [check.takeDelta(delta(5, 6)), check.takeDelta(delta(6, 9))])
  t.same(check.held, { epoch: 1, seq: 9, count: 0 })
})

await t.test('how far a delta leads is told, and the first view leads nowhere', async t => {
  const check = new OrderCheck()
  check.resume()
  t.equal(check.takeSnapshot(snapshot()).advancedFrom, undefined)
  t.equal(check.takeDelta(delta(5, 8)).advancedFrom, 5)
})

await t.test('a gap, a repetition, an overlap and disorder are found, each once', async t => {
  const planted = [
    [delta(6, 7), /^gap: a delta from 6 to 7 for a viewer at 1:5/],
    [delta(4, 5), /^repetition/],
    [delta(3, 4), /^repetition/],
    [delta(4, 7), /^overlap/],
    [delta(5, 5), /^disorder/],
    [delta(5, 6, { epoch: 0 }), /^disorder/],
  ] as const
  for (const [frame, expected] of planted) {
    const check = build()
    t.match(check.takeDelta(frame).violation, expected)
    t.equal(check.takeDelta(delta(frame.seq, frame.seq + 1, { epoch: 1 })).violation, undefined)
  }
})

await t.test('whatever is left out of a stream, sent twice or swapped is found', async t => {
  const faults = fc.constantFrom('left out', 'twice', 'swapped')
  fc.assert(
    fc.property(fc.integer({ min: 3, max: 30 }), fc.nat(), faults, (length, place, fault) => {
      const frames = Array.from({ length }, (_, index) => delta(5 + index, 6 + index))
      // Neither the last nor the one before it: what is missing shows by what comes after it.
      const at = place % (length - 2)
      const [first, second] = [frames[at], frames[at + 1]]
      if (first === undefined || second === undefined) return false
      if (fault === 'left out') frames.splice(at, 1)
      else if (fault === 'twice') frames.splice(at, 0, first)
      else frames.splice(at, 2, second, first)
      const check = build()
      const found = frames.map(frame => check.takeDelta(frame).violation)
      return found.some(violation => violation !== undefined)
    }),
  )
  t.pass()
})

await t.test(
  'a move to another view of the same place is in order where it has a position',
  async t => {
    const check = build()
    isFine(t, [check.takeDelta(delta(5, 5, { position: 'm' })), check.takeDelta(delta(5, 6))])
  },
)

await t.test('a takeover goes on in a higher epoch', async t => {
  const check = build()
  isFine(t, [check.takeDelta(delta(5, 6, { epoch: 2 }))])
  t.match(check.takeDelta(delta(6, 7)).violation, /^disorder/)
})

await t.test(
  'a resume goes on from the last position, and advances beyond what was held only',
  async t => {
    const check = build()
    check.takeDelta(delta(5, 6, { position: 'six' }))
    check.takeDelta(delta(6, 9))
    t.equal(check.resume(), 'six')
    const steps = [check.takeDelta(delta(6, 8)), check.takeDelta(delta(8, 12))]
    isFine(t, steps)
    t.same(
      steps.map(({ advancedFrom }) => advancedFrom),
      [undefined, 9],
    )
    check.resume()
    t.match(check.takeDelta(delta(9, 13)).violation, /^gap/, 'not from where the position is')
  },
)

await t.test(
  'a snapshot in answer to a resume may be behind what was held, and not behind the position',
  async t => {
    const check = build()
    check.takeDelta(delta(5, 7, { position: 'seven' }))
    check.takeDelta(delta(7, 9))
    check.resume()
    isFine(t, [check.takeSnapshot(snapshot({ seq: 8 }))])
    t.equal(check.held?.seq, 9)
    check.resume()
    t.match(
      check.takeSnapshot(snapshot({ seq: 6 })).violation,
      /a snapshot at 1:6 for a viewer at 1:8/,
    )
  },
)

await t.test('an epoch that rose may begin at a lower seq', async t => {
  const check = build()
  isFine(t, [
    check.takeSnapshot(snapshot({ epoch: 2, seq: 3 })),
    check.takeDelta(delta(3, 4, { epoch: 2 })),
  ])
  t.same(check.held, { epoch: 2, seq: 4, count: 0 })
})

await t.test(
  'a snapshot in pieces is the view when it ends, and deltas between lead on the one before',
  async t => {
    const check = build()
    isFine(t, [
      check.beginSnapshot(begin()),
      check.takePiece(piece(0)),
      check.takeDelta(delta(5, 11)),
      check.takePiece(piece(1)),
      check.endSnapshot(end),
      check.takeDelta(delta(9, 12)),
    ])
  },
)

await t.test('pieces that are missing, out of turn or of nothing are found', async t => {
  t.match(build().takePiece(piece(0)).violation, /of no snapshot/)
  t.match(build().endSnapshot(end).violation, /no snapshot/)
  const skipping = build()
  skipping.beginSnapshot(begin())
  t.match(skipping.takePiece(piece(1)).violation, /piece 1 of 2 in the turn of 0/)
  const short = build()
  short.beginSnapshot(begin())
  short.takePiece(piece(0))
  t.match(short.endSnapshot(end).violation, /after 1 of 2/)
  const long = build()
  long.beginSnapshot(begin({ pieces: 1 }))
  long.takePiece(piece(0))
  t.match(long.takePiece(piece(1)).violation, /piece 1 of 1/)
  t.match(build().beginSnapshot(begin({ seq: 4 })).violation, /a snapshot at 1:4/)
})

await t.test(
  'a delta before any view is found, unless it belongs to an earlier request',
  async t => {
    const fresh = new OrderCheck()
    fresh.resume()
    t.match(fresh.takeDelta(delta(1, 2)).violation, /before any view/)
    const restarted = build()
    restarted.restart()
    isFine(t, [
      restarted.takeDelta(delta(5, 6)),
      restarted.takePiece(piece(3)),
      restarted.takeSnapshot(snapshot({ seq: 6 })),
      restarted.takeDelta(delta(6, 7)),
    ])
  },
)

await t.test(
  'a dense count begins anew with each snapshot, and says nothing of the document',
  async t => {
    const check = new OrderCheck()
    check.resume()
    isFine(t, [
      check.takeSnapshot(snapshot({ seq: 0, isDense: true })),
      check.takeDelta(delta(0, 1, { position: 'a' })),
      check.takeSnapshot(snapshot({ seq: 0, isDense: true })),
      check.takeDelta(delta(0, 1, { position: 'b' })),
    ])
    t.equal(check.takeDelta(delta(1, 2, { position: 'c' })).advancedFrom, undefined)
    t.match(check.takeDelta(delta(3, 4, { position: 'd' })).violation, /^gap/)
  },
)
