import t from 'tap'
import { parseEndpoints } from '../src/endpoint.ts'
import { FanfoldError } from '../src/fanfold-error.ts'
import { Outbox, type OutboxOptions } from '../src/outbox.ts'
import { doc } from './frames.ts'
import { VirtualTime } from './virtual-world.ts'

const [there, elsewhere] = parseEndpoints(['wss://there', 'wss://elsewhere']) as [
  ReturnType<typeof parseEndpoints>[number],
  ReturnType<typeof parseEndpoints>[number],
]

function build(options: Partial<OutboxOptions> = {}) {
  const time = new VirtualTime()
  const sent: string[] = []
  const world = { isOpen: true }
  const outbox = new Outbox({
    sendTimeoutMs: 30_000,
    inFlightMax: 3,
    inFlightBytesMax: 1_000,
    reconnect: { minMs: 500, maxMs: 20_000 },
    environment: time.environment,
    transmit: (to, text) => {
      if (world.isOpen) sent.push(`${JSON.parse(text).id} ${to ?? 'home'}`)
      return world.isOpen
    },
    ...options,
  })
  const add = (id: string, value: unknown = 1) => outbox.add({ doc, message: 'goal', value, id })
  const commit = (id: string, seq = 7) =>
    outbox.receive({ type: 'committed', doc, id, epoch: 2, seq })
  const reject = (id: string, code: 'FANFOLD_BUSY' | 'FANFOLD_HANDLER_FAILED') =>
    outbox.receive({ type: 'rejected', doc, id, code, message: 'no' })
  return { outbox, time, sent, world, add, commit, reject }
}

t.test('a message is done when it is committed', async t => {
  const { outbox, sent, time, add, commit } = build()
  const promise = add('a')
  t.same(sent, ['a home'])
  t.equal(outbox.isEmpty, false)
  commit('b')
  commit('a')
  t.same(await promise, { epoch: 2, seq: 7 })
  t.equal(outbox.isEmpty, true)
  t.equal(time.timerCount, 0)
  commit('a')
})

t.test('a rejection ends it, with the code of the server', async t => {
  const { add, reject } = build()
  const promise = add('a')
  reject('a', 'FANFOLD_HANDLER_FAILED')
  await t.rejects(promise, { code: 'FANFOLD_HANDLER_FAILED', doc })
})

t.test('what was not answered is sent again, in order and with the same id', async t => {
  const { outbox, sent, world, add, commit } = build()
  const first = add('a')
  world.isOpen = false
  outbox.lost(undefined)
  const second = add('b')
  t.same(sent, ['a home'])
  world.isOpen = true
  outbox.opened(undefined)
  t.same(sent, ['a home', 'a home', 'b home'])
  commit('b', 8)
  commit('a', 7)
  t.same(await first, { epoch: 2, seq: 7 })
  t.same(await second, { epoch: 2, seq: 8 })
})

t.test('an answer that says "later" is followed by another attempt', async t => {
  const { sent, time, add, commit, reject } = build()
  const promise = add('a')
  reject('a', 'FANFOLD_BUSY')
  time.pass(499)
  t.equal(sent.length, 1)
  time.pass(1)
  t.equal(sent.length, 2)
  commit('a')
  t.same(await promise, { epoch: 2, seq: 7 })
})

t.test('a caller that keeps its own order gets the answer that says "later"', async t => {
  const { outbox, time, sent, reject } = build()
  const promise = outbox.add({ doc, message: 'goal', value: 1, id: 'a', retry: false })
  outbox.lost(undefined)
  outbox.opened(undefined)
  t.same(sent, ['a home', 'a home'])
  reject('a', 'FANFOLD_BUSY')
  await t.rejects(promise, { code: 'FANFOLD_BUSY' })
  t.equal(time.timerCount, 0)
})

t.test('the deadline says what is known: sent, never sent, or refused', async t => {
  const unanswered = build()
  const sent = unanswered.add('a')
  unanswered.time.pass(30_000)
  await t.rejects(sent, { code: 'FANFOLD_UNKNOWN_OUTCOME', doc })

  const lost = build()
  const twice = lost.add('a')
  lost.world.isOpen = false
  lost.outbox.lost(undefined)
  lost.time.pass(30_000)
  await t.rejects(twice, { code: 'FANFOLD_UNKNOWN_OUTCOME' })

  const closed = build()
  closed.world.isOpen = false
  const never = closed.add('a')
  closed.time.pass(29_999)
  t.equal(closed.outbox.isEmpty, false)
  closed.time.pass(1)
  await t.rejects(never, { code: 'FANFOLD_NOT_SENT', message: /30000 ms/ })

  const busy = build({ reconnect: { minMs: 20_000, maxMs: 20_000 } })
  const refused = busy.add('a')
  busy.reject('a', 'FANFOLD_BUSY')
  busy.time.pass(20_000)
  busy.reject('a', 'FANFOLD_BUSY')
  busy.time.pass(10_000)
  await t.rejects(refused, { code: 'FANFOLD_BUSY' })
})

t.test('one message more than may be in flight is refused at once', async t => {
  const { sent, add, commit } = build({ inFlightMax: 2 })
  const first = add('a')
  const second = add('b')
  await t.rejects(add('c'), { code: 'FANFOLD_TOO_MANY_IN_FLIGHT', message: /2 messages/ })
  commit('a')
  const fourth = add('d')
  commit('b')
  commit('d')
  t.same(await Promise.all([first, second, fourth]).then(all => all.length), 3)
  t.same(sent, ['a home', 'b home', 'd home'])
})

t.test('bytes in flight are bounded, and those of one message', async t => {
  const { add, commit } = build({ inFlightBytesMax: 300 })
  const first = add('a', 'x'.repeat(150))
  await t.rejects(add('b', 'x'.repeat(100)), { code: 'FANFOLD_TOO_MANY_IN_FLIGHT' })
  commit('a')
  await first
  const second = add('c', 'x'.repeat(100))
  commit('c')
  t.match(await second, { seq: 7 })
  await t.rejects(add('d', 'ä'.repeat(600_000)), { code: 'FANFOLD_FRAME_TOO_LARGE' })
  await t.rejects(add('e', 1n), { code: 'FANFOLD_NOT_JSON' })
})

t.test('the same id twice is one message', async t => {
  const { sent, add, commit } = build()
  const [first, second] = [add('a'), add('a')]
  commit('a')
  t.same(await Promise.all([first, second]), [
    { epoch: 2, seq: 7 },
    { epoch: 2, seq: 7 },
  ])
  t.equal(sent.length, 1)
})

t.test('a document that has moved takes its messages along, those to come too', async t => {
  const { outbox, sent, add, commit } = build()
  const promises = [add('a'), add('b')]
  outbox.move(doc, undefined, there)
  outbox.move(doc, undefined, there)
  promises.push(add('c'))
  t.same(sent, ['a home', 'b home', 'a wss://there', 'b wss://there', 'c wss://there'])
  for (const id of ['a', 'b', 'c']) commit(id)
  t.equal((await Promise.all(promises)).length, 3)
})

t.test('a document that two nodes send to each other waits before it follows again', async t => {
  const { outbox, sent, time, add, commit } = build()
  const promise = add('a')
  outbox.move(doc, undefined, there)
  for (let hop = 0; hop < 10; hop++) {
    outbox.move(doc, there, elsewhere)
    outbox.move(doc, elsewhere, there)
  }
  t.equal(sent.length, 5)
  time.pass(500)
  t.equal(sent.length, 6)
  commit('a')
  await promise
})

t.test('a document whose new address does not answer is asked for at home', async t => {
  const { outbox, sent, add, commit } = build()
  const promise = add('a')
  outbox.move(doc, undefined, there)
  outbox.forget(there)
  t.same(sent, ['a home', 'a wss://there', 'a home'])
  commit('a')
  await promise
})

t.test('a line that failed for good, and a close, end what waits', async t => {
  const { outbox, world, add } = build()
  const sent = add('a')
  world.isOpen = false
  const unsent = add('b')
  outbox.fail(undefined, new FanfoldError('FANFOLD_FORBIDDEN', 'no'))
  await t.rejects(sent, { code: 'FANFOLD_UNKNOWN_OUTCOME' })
  await t.rejects(unsent, { code: 'FANFOLD_FORBIDDEN' })
  const last = add('c')
  outbox.close(new FanfoldError('FANFOLD_CLOSED', 'closed'))
  await t.rejects(last, { code: 'FANFOLD_CLOSED' })
  t.equal(outbox.isEmpty, true)
})
