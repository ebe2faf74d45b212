import { milliseconds } from '@fanfold/kernel'
import { zeroPosition } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import { RecordRing, type RingLimits } from '../src/record-ring.ts'
import { after, at, recordsOf, ringLimits } from './build-stream.ts'

const log = recordsOf(40)
const bytesEach = log[1]?.bytes.length ?? 0

const filled = (count: number, limits: Partial<RingLimits> = {}, stepMs = 0): RecordRing => {
  const ring = new RecordRing(ringLimits(limits))
  for (const [index, record] of log.slice(0, count).entries()) ring.push(record, at(index * stepMs))
  return ring
}

const heldBy = (ring: RecordRing): number[] =>
  log.filter(({ seq }) => ring.get(seq) !== undefined).map(({ seq }) => seq)

t.test('a new ring stands at its base and holds nothing', async t => {
  const base = after(log[4])
  const ring = new RecordRing(ringLimits(), base)
  t.match(ring, { lastSeq: 5, bytes: 0, base })
  t.equal(ring.get(5), undefined)
  t.same(ring.hashAt(5), base.hash)
  t.same(new RecordRing(ringLimits()).base, zeroPosition)
})

t.test('a ring takes the next record and no other', async t => {
  const ring = filled(3)
  for (const wrong of [log[2], log[4]]) {
    if (wrong !== undefined) t.throws(() => ring.push(wrong, at(0)), { name: 'AssertionError' })
  }
  t.same(heldBy(ring), [1, 2, 3])
})

t.test('a ring takes no record of an earlier epoch', async t => {
  const ring = new RecordRing(ringLimits(), { ...after(log[2]), epoch: 9 })
  const [, , , next] = log
  if (next !== undefined) t.throws(() => ring.push(next, at(0)), { name: 'AssertionError' })
  t.equal(ring.lastSeq, 3)
})

t.test('as many records as the limit stay; one more pushes the oldest out', async t => {
  t.same(heldBy(filled(5, { recordsMax: 5 })), [1, 2, 3, 4, 5])
  const ring = filled(6, { recordsMax: 5 })
  t.same(heldBy(ring), [2, 3, 4, 5, 6])
  t.same(ring.base, after(log[0]))
})

t.test('as many bytes as the limit stay; one more pushes the oldest out', async t => {
  const bytesMax = filled(5).bytes
  t.same(heldBy(filled(5, { bytesMax })), [1, 2, 3, 4, 5])
  t.same(heldBy(filled(5, { bytesMax: bytesMax - 1 })), [2, 3, 4, 5])
})

t.test('a record larger than the limit in bytes is kept alone', async t => {
  t.same(heldBy(filled(3, { bytesMax: 1 })), [3])
})

t.test('records as old as the limit stay; older ones go, the newest too', async t => {
  const ageMax = milliseconds(20)
  const ring = filled(3, { ageMax }, 10)
  t.same(heldBy(ring), [1, 2, 3])
  ring.dropOld(at(21))
  t.same(heldBy(ring), [2, 3])
  ring.dropOld(at(40))
  t.same(heldBy(ring), [3])
  ring.dropOld(at(41))
  t.same(heldBy(ring), [])
  t.match(ring, { lastSeq: 3, bytes: 0, base: after(log[2]) })
})

t.test('a hash is known for the base and for each record held, and for no other', async t => {
  const ring = filled(6, { recordsMax: 3 })
  t.equal(ring.hashAt(2), undefined)
  for (const seq of [3, 4, 5, 6]) t.same(ring.hashAt(seq), log[seq - 1]?.chainHash)
  t.equal(ring.hashAt(7), undefined)
})

t.test('bytes after a seq are those of the records behind it', async t => {
  const ring = filled(6, { recordsMax: 3 })
  t.equal(ring.bytesAfter(3), 3 * bytesEach)
  t.equal(ring.bytesAfter(5), bytesEach)
  t.equal(ring.bytesAfter(6), 0)
})

t.test('a ring that was reset holds nothing and goes on from the new base', async t => {
  const ring = filled(6)
  ring.reset(after(log[9]))
  t.match(ring, { lastSeq: 10, bytes: 0 })
  const next = log[10]
  if (next !== undefined) ring.push(next, at(0))
  t.same(heldBy(ring), [11])
})

t.test('what is held for somebody stays beyond every limit, up to its bytes', async t => {
  const ring = filled(3, { recordsMax: 3, bytesMax: 3 * bytesEach, ageMax: milliseconds(20) })
  const each = bytesEach + 256
  ring.hold({ after: 2, bytesMax: 6 * each })
  const push = (from: number, to: number, ms: number): void => {
    for (const record of log.slice(from - 1, to)) ring.push(record, at(ms))
  }
  push(4, 8, 100)
  t.same(heldBy(ring), [3, 4, 5, 6, 7, 8], 'but not what nobody needs')
  push(9, 9, 100)
  t.same(heldBy(ring), [4, 5, 6, 7, 8, 9])
  ring.hold({ after: 7, bytesMax: 6 * each })
  ring.dropOld(at(100))
  t.same(heldBy(ring), [7, 8, 9], 'the limits want no more')
  ring.dropOld(at(121))
  t.same(heldBy(ring), [8, 9])
  ring.hold(undefined)
  ring.dropOld(at(121))
  t.same(heldBy(ring), [])
})

t.test('whatever the limits, what is held is the newest stretch without a gap', async t => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 20 * bytesEach }),
        fc.integer({ min: 0, max: 100 }),
        fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 40 }),
        (recordsMax, bytesMax, ageMs, steps) => {
          const ageMax = milliseconds(ageMs)
          const ring = new RecordRing(ringLimits({ recordsMax, bytesMax, ageMax }))
          let now = 0
          for (const [index, step] of steps.entries()) {
            now += step
            const record = log[index]
            if (record === undefined) break
            ring.push(record, at(now))
            const held = heldBy(ring)
            const bytes = held.reduce((sum, seq) => sum + (ring.get(seq)?.bytes.length ?? 0), 0)
            const isStretch = held.every((seq, at) => seq === ring.base.seq + 1 + at)
            const isBounded = held.length <= recordsMax && (bytes <= bytesMax || held.length === 1)
            const ends = ring.lastSeq === record.seq && held.at(-1) === record.seq
            const half = held[Math.floor(held.length / 2)] ?? ring.lastSeq
            let after = 0
            for (const seq of held) if (seq > half) after += ring.get(seq)?.bytes.length ?? 0
            if (ring.bytesAfter(half) !== after) return false
            if (!isStretch || !isBounded || !ends || bytes !== ring.bytes) return false
          }
          return true
        },
      ),
    ),
  )
})
