import { after, type Instant, instant, milliseconds, Prng } from '@fanfold/kernel'
import t from 'tap'
import type { AnnouncementId } from '../src/coordinator.ts'
import { Renewal } from '../src/renewal.ts'

const at = (ms: number): Instant => after(instant(0), milliseconds(ms))
const made = (): Renewal =>
  new Renewal({ heartbeatMs: 1_000, renewedForMs: 4_000, firstAt: at(0), prng: new Prng('a') })

await t.test('an announcement holds from when it was sent, once it was taken', async t => {
  const renewal = made()
  t.equal(renewal.nextAt, at(0))
  const first = renewal.send(at(0))
  t.equal(renewal.nextAt, at(1_000))
  t.equal(renewal.until, undefined)
  t.equal(renewal.answered(first), at(0))
  t.equal(renewal.from, at(0))
  t.equal(renewal.until, at(4_000))
})

await t.test('answers out of order, twice or to nothing never make it hold longer', async t => {
  const renewal = made()
  const first = renewal.send(at(0))
  const second = renewal.send(at(1_000))
  t.equal(renewal.answered(second), at(1_000))
  t.equal(renewal.answered(first), undefined)
  t.equal(renewal.answered(second), undefined)
  t.equal(renewal.answered(99 as AnnouncementId), undefined)
  t.equal(renewal.until, at(5_000))
})

await t.test('of many without an answer the latest eight are remembered', async t => {
  const renewal = made()
  const sent = Array.from({ length: 9 }, (_, index) => renewal.send(at(index * 1_000)))
  t.equal(renewal.answered(sent[0] as AnnouncementId), undefined)
  t.equal(renewal.answered(sent[1] as AnnouncementId), at(1_000))
})

await t.test('what was under way when nobody could be reached does not hold', async t => {
  const renewal = made()
  const first = renewal.send(at(0))
  renewal.pause()
  t.equal(renewal.nextAt, undefined)
  renewal.hurry(at(10))
  t.equal(renewal.nextAt, undefined)
  t.equal(renewal.answered(first), undefined)
  renewal.resume(at(5_000))
  const next = renewal.nextAt as Instant
  t.ok(next >= at(5_000) && next < at(6_000))
})

await t.test('what has changed is said at once', async t => {
  const renewal = made()
  renewal.send(at(0))
  renewal.hurry(at(10))
  t.equal(renewal.nextAt, at(10))
})
