import assert from 'node:assert/strict'
import type { Committed } from '@fanfold/client'
import fc from 'fast-check'
import t from 'tap'
import {
  OrderedSender,
  type OutgoingLine,
  type SendVerdict,
} from '../../src/feed/ordered-sender.ts'

const settled = () => new Promise<void>(resolve => setImmediate(resolve))
const line = (number: number, bytes = 10): OutgoingLine => ({ number, value: number, bytes })

/** A refusal of the fake authority: what it is for the line. */
class Refusal extends Error {
  readonly verdict: SendVerdict

  constructor(verdict: SendVerdict) {
    super(verdict)
    this.verdict = verdict
  }
}

/** An authority that answers when it is told to, and commits each line once. */
class FakeAuthority {
  readonly log: number[] = []
  readonly asked: { number: number; answer: (refusal?: SendVerdict) => void }[] = []
  readonly sentNumbers: number[] = []

  send({ number }: OutgoingLine): Promise<Committed> {
    this.sentNumbers.push(number)
    return new Promise((resolve, reject) => {
      const answer = (refusal?: SendVerdict): void => {
        if (refusal !== undefined) {
          reject(new Refusal(refusal))
          return
        }
        if (!this.log.includes(number)) this.log.push(number)
        resolve({ epoch: 1, seq: this.log.indexOf(number) + 1 })
      }
      this.asked.push({ number, answer })
    })
  }

  /** Answers what is under way, oldest first. */
  async answer(...verdicts: (SendVerdict | 'commit')[]): Promise<void> {
    for (const verdict of verdicts) {
      this.asked.shift()?.answer(verdict === 'commit' ? undefined : verdict)
    }
    await settled()
  }
}

function build(windowMax: number, windowBytesMax = 1_000) {
  const authority = new FakeAuthority()
  const committed: number[] = []
  const refused: number[] = []
  const waits: number[] = []
  const sender = new OrderedSender({
    send: one => authority.send(one),
    judge: error => (error instanceof Refusal ? error.verdict : 'fatal'),
    wait: async ms => {
      waits.push(ms)
    },
    windowMax,
    windowBytesMax,
    onCommitted: ({ number }) => committed.push(number),
    onRefused: ({ number }) => refused.push(number),
  })
  return { authority, sender, committed, refused, waits }
}

await t.test('lines are under way up to the window, and one more waits', async t => {
  const { authority, sender, committed } = build(2)
  await sender.add(line(1))
  let isRoom = false
  const second = sender.add(line(2)).then(() => {
    isRoom = true
  })
  await settled()
  t.same(authority.sentNumbers, [1, 2])
  t.equal(isRoom, false)
  await authority.answer('commit')
  t.equal(isRoom, true)
  t.same(committed, [1])
  await second
  await authority.answer('commit')
  await sender.finish()
  t.same(committed, [1, 2])
  t.equal(sender.waitingCount, 0)
})

await t.test('the bytes under way are bounded, and a large line goes alone', async t => {
  const { authority, sender } = build(10, 100)
  const first = sender.add(line(1, 500))
  await settled()
  t.same(authority.sentNumbers, [1])
  await authority.answer('commit')
  await first
  t.same(authority.log, [1])
})

await t.test('behind a line that is put off nothing is sent until all is answered', async t => {
  const { authority, sender, committed, waits } = build(4)
  for (const number of [1, 2, 3]) await sender.add(line(number))
  const fourth = sender.add(line(4))
  await authority.answer('commit', 'later', 'later')
  t.same(waits, [], 'the fourth is not answered yet')
  await authority.answer('later')
  t.same(waits, [100])
  t.same(authority.sentNumbers, [1, 2, 3, 4, 2], 'one at a time at first')
  for (let count = 0; count < 3; count++) await authority.answer('commit', 'commit')
  await fourth
  await sender.finish()
  t.same(committed, [1, 2, 3, 4])
  t.same(authority.log, [1, 2, 3, 4])
})

await t.test('waits grow while a line is put off again and again', async t => {
  const { authority, sender, waits } = build(1)
  const added = sender.add(line(1))
  for (let count = 0; count < 8; count++) await authority.answer('later')
  t.same(waits, [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000])
  await authority.answer('commit')
  await added
  t.same(authority.log, [1])
})

await t.test('a refusal behind a line that is put off is not final', async t => {
  const { authority, sender, committed, refused } = build(3)
  await sender.add(line(1))
  await sender.add(line(2))
  // The second was judged without the first.
  await authority.answer('later', 'refused')
  t.same(refused, [])
  await authority.answer('commit')
  await authority.answer('commit')
  await sender.finish()
  t.same(committed, [1, 2])
  t.same(refused, [])
})

await t.test('a refused line is passed over, in its turn', async t => {
  const { authority, sender, committed, refused } = build(3)
  await sender.add(line(1))
  await sender.add(line(2))
  const [first, second] = authority.asked
  second?.answer('refused')
  await settled()
  t.same(refused, [], 'the first is still open')
  first?.answer()
  await sender.finish()
  t.same([committed, refused], [[1], [2]])
})

await t.test('a line that commits after a later one ends it all', async t => {
  const { authority, sender, committed } = build(3)
  await sender.add(line(1))
  await sender.add(line(2))
  await authority.answer('later', 'commit')
  await authority.answer('commit')
  await t.rejects(sender.finish(), {
    code: 'FANFOLD_DISORDER',
    message: /line 2 .*|line 1 .*/,
  })
  t.same(committed.includes(2), false, 'nothing after the disorder counts as done')
})

await t.test('a line that is refused after a later one was committed ends it all', async t => {
  const { authority, sender, refused } = build(3)
  await sender.add(line(1))
  await sender.add(line(2))
  await authority.answer('later', 'commit')
  await authority.answer('refused')
  await t.rejects(sender.finish(), { code: 'FANFOLD_DISORDER', message: /line 1 / })
  t.same(refused, [])
})

await t.test('a fatal error rejects whoever adds or waits, and sends nothing more', async t => {
  const { authority, sender } = build(1)
  const added = t.rejects(sender.add(line(1)), { message: 'fatal' })
  await authority.answer('fatal')
  await added
  await t.rejects(sender.add(line(2)), { message: 'fatal' })
  await t.rejects(sender.finish(), { message: 'fatal' })
  t.same(authority.sentNumbers, [1])
})

await t.test('whatever is put off and refused, lines commit in order or it ends', async t => {
  const verdict = fc.constantFrom<SendVerdict | 'commit'>('commit', 'commit', 'later', 'refused')
  const property = fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 6 }),
      fc.array(verdict, { maxLength: 60 }),
      async (windowMax, verdicts) => {
        const { authority, sender, committed, refused } = build(windowMax)
        const play = (async () => {
          for (let number = 1; number <= 12; number++) await sender.add(line(number))
          await sender.finish()
        })()
        const outcomes: string[] = []
        const ended = play.then(
          () => outcomes.push('done'),
          () => outcomes.push('disorder'),
        )
        for (let turn = 0; turn < 400 && outcomes.length === 0; turn++) {
          await authority.answer(verdicts[turn] ?? 'commit')
        }
        const [outcome = 'playing'] = outcomes
        assert.notEqual(outcome, 'playing')
        await ended
        if (windowMax === 1) assert.equal(outcome, 'done')
        if (outcome === 'done') {
          assert.deepEqual(
            authority.log,
            [...authority.log].sort((a, b) => a - b),
          )
          assert.deepEqual(committed, authority.log)
          assert.equal(committed.length + refused.length, 12)
        }
      },
    ),
    { numRuns: 200 },
  )
  await t.resolves(property)
})
