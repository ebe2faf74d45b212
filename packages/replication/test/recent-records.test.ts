import t from 'tap'
import { RecentRecords } from '../src/recent-records.ts'
import { at } from './build-stream.ts'

const records = (count: number) =>
  Array.from({ length: count }, () => ({ bytes: new Uint8Array(100) }))

await t.test('what came in the last ten seconds counts', async t => {
  const recent = new RecentRecords()
  recent.took(records(5), at(60_000))
  recent.took(records(1), at(61_000))
  t.same(recent.at(at(62_000)), { recentRecords: 6, recentBytes: 600 })
})

await t.test('of a steady stream as much counts as comes in that time', async t => {
  const recent = new RecentRecords()
  for (let ms = 60_000; ms < 95_000; ms += 100) recent.took(records(2), at(ms))
  t.same(recent.at(at(95_000)), { recentRecords: 200, recentBytes: 20_000 })
})

await t.test('what is older counts less and less, and then nothing', async t => {
  const recent = new RecentRecords()
  recent.took(records(100), at(60_000))
  t.equal(recent.at(at(70_000)).recentRecords, 100)
  t.equal(recent.at(at(75_000)).recentRecords, 50)
  t.equal(recent.at(at(80_000)).recentRecords, 0)
  t.same(recent.at(at(1_000_000)), { recentRecords: 0, recentBytes: 0 })
})
