import t from 'tap'
import { parseDuration } from '../src/duration.ts'

await t.test('a duration is a number with its unit', async t => {
  t.equal(parseDuration('500ms'), 500)
  t.equal(parseDuration('1.5s'), 1_500)
  t.equal(parseDuration('2m'), 120_000)
  t.equal(parseDuration('1h'), 3_600_000)
  t.equal(parseDuration('90d'), 7_776_000_000)
})

await t.test('anything else is none', async t => {
  for (const text of ['', '5', 's', '-1s', '1 s', '1w', '1e3s', 'Infinityms']) {
    t.equal(parseDuration(text), undefined, text)
  }
})
