import t from 'tap'
import {
  chunkOf,
  defaultIdempotencyLimits,
  IdempotencyWindow,
  idsPerChunk,
} from '../src/idempotency-window.ts'

const limits = { commitsMax: 100, ageMaxMs: 1_000 }
const commit = (seq: number, timeMs = 0) => ({ epoch: 1, seq, timeMs })

t.test('a commit is found by subject and id', async t => {
  const window = new IdempotencyWindow(limits)
  window.add('ada', 'a1', commit(5))
  t.same(window.get('ada', 'a1'), commit(5))
  t.equal(window.get('ada', 'a2'), undefined)
  t.equal(window.get('bob', 'a1'), undefined)
})

t.test('subjects and ids that read the same together do not collide', async t => {
  const window = new IdempotencyWindow(limits)
  window.add('a', 'bc', commit(1))
  window.add('ab', 'c', commit(2))
  window.add('1:a', 'b', commit(3))
  t.match(window.get('a', 'bc'), { seq: 1 })
  t.match(window.get('ab', 'c'), { seq: 2 })
  t.equal(window.get('1', ':ab'), undefined)
})

t.test('an id stays for as many commits as the limit, and not for one more', async t => {
  const window = new IdempotencyWindow(limits)
  window.add('ada', 'a1', commit(1))
  window.advance(commit(100))
  t.ok(window.get('ada', 'a1'))
  window.advance(commit(101))
  t.notOk(window.get('ada', 'a1'))
})

t.test('an id stays for less than the age of the limit', async t => {
  const window = new IdempotencyWindow(limits)
  window.add('ada', 'a1', commit(1, 5_000))
  window.advance(commit(2, 5_999))
  t.ok(window.get('ada', 'a1'))
  window.advance(commit(2, 6_000))
  t.equal(window.count, 0)
})

t.test('the window is the one that the documentation promises', async t => {
  t.same(defaultIdempotencyLimits, { commitsMax: 65_536, ageMaxMs: 600_000 })
  const window = new IdempotencyWindow(defaultIdempotencyLimits)
  window.add('ada', 'a1', commit(1))
  window.advance(commit(65_536, 599_999))
  t.equal(window.count, 1)
  window.advance(commit(65_537, 599_999))
  t.equal(window.count, 0)
})

t.test('as JSON and back it is the same, whatever the ids and however many', async t => {
  const window = new IdempotencyWindow({ commitsMax: 1_000, ageMaxMs: 1_000 })
  for (let seq = 1; seq <= 300; seq++) window.add(`s${seq % 7}`, `${1_000 - seq}`, commit(seq))
  const copy = new IdempotencyWindow({ commitsMax: 1_000, ageMaxMs: 1_000 })
  const captured = window.capture()
  window.add('late', 'one', commit(301))
  for (let from = 0; from < captured.length; from += idsPerChunk) {
    copy.restore(JSON.parse(JSON.stringify(chunkOf(captured, from))))
  }
  t.equal(copy.count, 300, 'as it was when it was captured')
  t.same(copy.capture(), captured)
  copy.advance(commit(1_010))
  t.equal(copy.count, 290, 'in the order of the log')
})

t.test('what is no window is left out', async t => {
  const window = new IdempotencyWindow(limits)
  for (const chunk of [undefined, {}, 3, [1, null, [[2, 1, 1, 1]], ['x', 1, 'y', 1], []]]) {
    window.restore(chunk)
  }
  t.equal(window.count, 0)
})

t.test('an id that comes again after its time stands where its new seq belongs', async t => {
  const window = new IdempotencyWindow(limits)
  window.add('ada', 'a1', commit(1))
  window.add('ada', 'a2', commit(2))
  window.add('ada', 'a1', commit(90))
  window.advance(commit(102))
  t.notOk(window.get('ada', 'a2'), 'the newer one in front does not hold it')
  t.ok(window.get('ada', 'a1'))
})
