import t from 'tap'
import { isSignalNumber, type SignalKind, signalKindOf, signalKinds } from '../src/signal.ts'

await t.test('a kind of signals is the one of its number', async t => {
  const kinds = Object.entries(signalKinds) as [SignalKind, (typeof signalKinds)[SignalKind]][]
  for (const [kind, number] of kinds) {
    t.ok(isSignalNumber(number))
    t.equal(signalKindOf(number), kind)
  }
  t.equal(new Set(Object.values(signalKinds)).size, kinds.length)
})

await t.test('a number of no kind is none', async t => {
  const most = Math.max(...Object.values(signalKinds))
  for (const number of [0, most + 1, 255, -1]) t.notOk(isSignalNumber(number), `${number}`)
})
