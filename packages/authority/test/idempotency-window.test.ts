import { instant } from '@fanfold/kernel'
import t from 'tap'
import {
  type CapturedWindow,
  chunkOf,
  defaultIdempotencyLimits,
  type IdempotencyLimits,
  IdempotencyWindow,
  idsPerChunk,
} from '../src/idempotency-window.ts'

const limits = { commitsMax: 100, ageMaxMs: 1_000 }

/** A window in which everything was put long before it is looked at. */
function makeWindow(limits: IdempotencyLimits): IdempotencyWindow {
  let hours = 0
  return new IdempotencyWindow(limits, () => instant(3_600_000_000 * hours++))
}

const commit = (seq: number, timeMs = 0) => ({ epoch: 1, seq, timeMs })

const withoutSince = (window: CapturedWindow) => window.map(([key, at]) => [key, at])

t.test('a commit is found by subject and id', async t => {
  const window = makeWindow(limits)
  window.add('ada', 'a1', commit(5))
  t.same(window.get('ada', 'a1'), commit(5))
  t.equal(window.get('ada', 'a2'), undefined)
  t.equal(window.get('bob', 'a1'), undefined)
})

t.test('subjects and ids that read the same together do not collide', async t => {
  const window = makeWindow(limits)
  window.add('a', 'bc', commit(1))
  window.add('ab', 'c', commit(2))
  window.add('1:a', 'b', commit(3))
  t.match(window.get('a', 'bc'), { seq: 1 })
  t.match(window.get('ab', 'c'), { seq: 2 })
  t.equal(window.get('1', ':ab'), undefined)
})

t.test('an id stays for as many commits as the limit, and not for one more', async t => {
  const window = makeWindow(limits)
  window.add('ada', 'a1', commit(1))
  window.advance(commit(100))
  t.ok(window.get('ada', 'a1'))
  window.advance(commit(101))
  t.notOk(window.get('ada', 'a1'))
})

t.test('an id stays for less than the age of the limit', async t => {
  const window = makeWindow(limits)
  window.add('ada', 'a1', commit(1, 5_000))
  window.advance(commit(2, 5_999))
  t.ok(window.get('ada', 'a1'))
  window.advance(commit(2, 6_000))
  t.equal(window.count, 0)
})

t.test('the window is the one that the documentation promises', async t => {
  t.same(defaultIdempotencyLimits, { commitsMax: 65_536, ageMaxMs: 600_000 })
  const window = makeWindow(defaultIdempotencyLimits)
  window.add('ada', 'a1', commit(1))
  window.advance(commit(65_536, 599_999))
  t.equal(window.count, 1)
  window.advance(commit(65_537, 599_999))
  t.equal(window.count, 0)
})

t.test('as JSON and back it is the same, whatever the ids and however many', async t => {
  const window = makeWindow({ commitsMax: 1_000, ageMaxMs: 1_000 })
  for (let seq = 1; seq <= 300; seq++) window.add(`s${seq % 7}`, `${1_000 - seq}`, commit(seq))
  const copy = makeWindow({ commitsMax: 1_000, ageMaxMs: 1_000 })
  const captured = window.capture()
  window.add('late', 'one', commit(301))
  for (let from = 0; from < captured.length; from += idsPerChunk) {
    copy.restore(JSON.parse(JSON.stringify(chunkOf(captured, from))))
  }
  t.equal(copy.count, 300, 'as it was when it was captured')
  t.same(withoutSince(copy.capture()), withoutSince(captured))
  copy.advance(commit(1_010))
  t.equal(copy.count, 290, 'in the order of the log')
})

t.test('what is no window is left out', async t => {
  const window = makeWindow(limits)
  for (const chunk of [undefined, {}, 3, [1, null, [[2, 1, 1, 1]], ['x', 1, 'y', 1], []]]) {
    window.restore(chunk)
  }
  t.equal(window.count, 0)
})

t.test('an id that comes again after its time stands where its new seq belongs', async t => {
  const window = makeWindow(limits)
  window.add('ada', 'a1', commit(1))
  window.add('ada', 'a2', commit(2))
  window.add('ada', 'a1', commit(90))
  window.advance(commit(102))
  t.notOk(window.get('ada', 'a2'), 'the newer one in front does not hold it')
  t.ok(window.get('ada', 'a1'))
})

t.test('a clock that jumps makes nothing older than it is', async t => {
  let now = instant(0)
  const window = new IdempotencyWindow(limits, () => now)
  window.add('ada', 'a1', commit(1, 5_000))
  now = instant(400_000)
  window.advance(commit(2, 3_600_000))
  t.ok(window.get('ada', 'a1'), 'an hour later by the wall, 0.4 s by another clock')
  now = instant(1_000_000)
  window.advance(commit(3, 3_600_000))
  t.equal(window.count, 0)
})

t.test('what was restored is as old as that, whatever the log says', async t => {
  let now = instant(0)
  const window = new IdempotencyWindow(limits, () => now)
  window.restore(chunkOf([['3:adaa1', commit(1, 5_000), 0]], 0))
  window.advance(commit(2, 3_600_000))
  t.ok(window.get('ada', 'a1'), 'the clock may have jumped while there was no process')
  now = instant(1_000_000)
  window.advance(commit(2, 3_600_000))
  t.equal(window.count, 0)
})
