import { after, type Instant, instant, milliseconds } from '@fanfold/kernel'
import { parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { SentBytes } from '../src/sent-bytes.ts'

const at = (ms: number): Instant => after(instant(0), milliseconds(ms))
const [one, two] = [parseDocumentKey('acme/match/one'), parseDocumentKey('acme/match/two')]

t.test('bytes are added up for a second, from the first one on', async t => {
  const sent = new SentBytes()
  t.equal(sent.measure(at(0)), undefined)
  sent.sent(one, 100, at(500))
  sent.sent(two, 300, at(900))
  sent.sent(one, 100, at(1_000))
  t.equal(sent.wakeAt(), at(1_500))
  t.equal(sent.measure(at(1_499)), undefined)
  t.equal(sent.measure(at(1_500)), 500)
  t.equal(sent.rateOf(one), 200)
  t.same(sent.most(5), [two, one])
  t.same(sent.most(1), [two])
})

t.test('a look that is late counts for the time that it took', async t => {
  const sent = new SentBytes()
  sent.sent(one, 400, at(0))
  t.equal(sent.measure(at(4_000)), 100)
})

t.test('that nothing is sent any more is said once', async t => {
  const sent = new SentBytes()
  sent.sent(one, 400, at(0))
  sent.measure(at(1_000))
  t.equal(sent.measure(at(2_000)), 0)
  t.equal(sent.rateOf(one), 0)
  t.same(sent.most(5), [])
  t.equal(sent.wakeAt(), undefined)
  sent.sent(one, 0, at(3_000))
  t.equal(sent.wakeAt(), undefined, 'no bytes are nothing')
})
