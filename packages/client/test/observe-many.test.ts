import t from 'tap'
import { connect } from '../src/index.ts'
import { Hole, type ManyViews, type Missing, observeMany } from '../src/many.ts'
import { delta, snapshot } from './frames.ts'
import { openedFrames } from './pieces.ts'
import { VirtualNetwork, VirtualTime } from './virtual-world.ts'

const [a, b, c] = ['acme/match/a', 'acme/match/b', 'acme/match/c'] as const
type Views = ManyViews<unknown, 'hole'>

function build<Mode extends Missing>(
  missing: Mode,
  docs: readonly string[] = [a, b],
  timeoutMs?: number,
) {
  const time = new VirtualTime()
  const network = new VirtualNetwork()
  const live = connect('wss://a', { WebSocket: network.WebSocket, environment: time.environment })
  const many = observeMany(live, docs, { missing, timeoutMs, viewState: { page: 1 } })
  const seen: Views[] = []
  const statuses: unknown[] = []
  many.subscribe(views => seen.push(views as Views))
  many.onStatus((status, error) => statuses.push(error === undefined ? status : error.code))
  network.sockets[0]?.accept()
  const receive = (frame: object) => network.last.receive(frame)
  return { time, network, live, many, seen, statuses, receive }
}

const refused = (doc: string, code: string, fields: object = {}) => ({
  type: 'refused',
  doc,
  code,
  message: 'no',
  ...fields,
})

for (const missing of ['fail', 'hole'] as const) {
  t.test(`${missing}: all documents are one value, which begins when all are there`, t => {
    const { many, seen, statuses, receive, network } = build(missing, [a, b, a])
    t.same(many.docs, [a, b])
    t.match(network.last.sent, [
      { type: 'observe', doc: a, viewState: { page: 1 } },
      { type: 'observe', doc: b, viewState: { page: 1 } },
    ])
    receive(snapshot({ doc: a }))
    t.same([many.views, seen.length, many.status], [undefined, 0, 'connecting'])
    t.equal(many.statusOf(a), 'live')
    receive(snapshot({ doc: b, seq: 20 }))
    t.match(seen, [{ [a]: { count: 10 }, [b]: { count: 20 } }])
    t.equal(many.status, 'live')

    receive(delta({ doc: a }))
    t.match(seen[1], { [a]: { count: 11 }, [b]: { count: 20 } })
    t.equal(seen[1]?.[b], seen[0]?.[b], 'an untouched document keeps its view')
    t.not(seen[1], seen[0])
    t.equal(many.views, seen[1])
    const late: unknown[] = []
    const stop = many.subscribe(views => late.push(views))
    stop()
    receive(delta({ doc: b, seq: 21 }))
    t.same(late, [seen[1]])
    t.same(statuses.at(-1), 'live')
    t.end()
  })

  t.test(`${missing}: a document that comes in pieces is there when all are`, t => {
    const { many, seen, receive } = build(missing)
    receive(snapshot({ doc: b, seq: 20 }))
    const { begin, pieces, end } = openedFrames({ count: 10, still: [1] }, 1, { doc: a })
    for (const frame of [begin, ...pieces]) receive(frame)
    receive(delta({ doc: b, seq: 21 }))
    t.same([many.statusOf(a), seen], ['connecting', []])
    receive(end)
    t.match(seen, [{ [a]: { count: 10 }, [b]: { count: 21 } }])
    t.equal(many.status, 'live')
    const again = openedFrames({ count: 12, still: [1] }, 2, { doc: a, seq: 12 })
    for (const frame of again.all) receive(frame)
    t.match(seen[1], { [a]: { count: 12 }, [b]: { count: 21 } })
    const still = (at: number) => (seen[at]?.[a] as { readonly still?: object } | undefined)?.still
    t.ok(still(0))
    t.equal(still(1), still(0))
    t.equal(seen[1]?.[b], seen[0]?.[b])
    t.end()
  })

  t.test(`${missing}: the status tells when one document is behind`, t => {
    const { many, statuses, receive } = build(missing)
    receive(snapshot({ doc: a }))
    receive(snapshot({ doc: b }))
    receive({ type: 'status', doc: a, status: 'stale', since: 1, code: 'FANFOLD_RULE_FAILED' })
    t.same([many.status, many.statusOf(a), many.statusOf(b)], ['stale', 'stale', 'live'])
    receive({ type: 'status', doc: a, status: 'live', since: 2 })
    t.equal(many.status, 'live')
    t.equal(many.statusOf('acme/match/none'), undefined)
    t.same(statuses.slice(-3), ['live', 'stale', 'live'])
    t.end()
  })

  t.test(`${missing}: closing leaves all documents, and nothing follows`, t => {
    const { many, seen, receive, network, time, live } = build(missing)
    receive(snapshot({ doc: a }))
    receive(snapshot({ doc: b }))
    many.close()
    many.close()
    t.match(network.last.sent.slice(2), [
      { type: 'leave', doc: a },
      { type: 'leave', doc: b },
    ])
    receive(delta({ doc: a }))
    t.equal(seen.length, 1)
    t.match(many, { status: 'closed', error: undefined })
    t.equal(many.statusOf(a), 'closed')
    live.close()
    t.equal(time.timerCount, 0)
    t.end()
  })

  t.test(`${missing}: the end of the connection is the end of the whole`, t => {
    const { many, statuses, receive, live, time } = build(missing)
    receive(snapshot({ doc: a }))
    live.close()
    t.match(many, { status: 'closed', error: undefined, views: undefined })
    t.equal(statuses.at(-1), 'closed')
    t.equal(time.timerCount, 0)
    t.end()
  })

  t.test(`${missing}: no documents are there at once`, t => {
    const { many, seen } = build(missing, [])
    t.same([seen, many.status], [[{}], 'live'])
    t.end()
  })
}

t.test('what cannot be observed is said at once, and nothing stays observed', t => {
  const { live, network } = build('fail', [])
  const options = { missing: 'fail' } as const
  t.throws(() => observeMany(live, [a, 'b'], options), { code: 'FANFOLD_BAD_KEY' })
  const docs = Array.from({ length: 1_025 }, (_, index) => `acme/match/${index}`)
  t.throws(() => observeMany(live, docs, options), { message: /1024 documents at once, got 1025/ })
  t.throws(() => observeMany(live, [a], { ...options, timeoutMs: 0 }), /timeoutMs is over 0/)
  network.last.accept()
  t.same(network.last.sent, [])
  t.equal(observeMany(live, docs.slice(1), options).docs.length, 1_024)
  t.end()
})

t.test('fail: the first refusal ends all, and nothing partial is seen', t => {
  const { many, seen, statuses, receive, network } = build('fail', [a, b, c])
  receive(snapshot({ doc: a }))
  receive(refused(b, 'FANFOLD_FORBIDDEN'))
  t.match(many, {
    status: 'closed',
    views: undefined,
    error: { code: 'FANFOLD_FORBIDDEN', doc: b },
  })
  t.same(seen, [])
  t.equal(statuses.at(-1), 'FANFOLD_FORBIDDEN')
  t.match(network.last.sent.filter(frame => String(Object(frame).type) === 'leave').length, 3)
  receive(snapshot({ doc: c }))
  t.same(seen, [])
  t.end()
})

t.test('fail: a document that may be awaited, or is refused later, ends it as well', t => {
  const early = build('fail')
  early.receive(refused(b, 'FANFOLD_NO_DOCUMENT', { retryAfter: 500 }))
  t.match(early.many, { status: 'closed', error: { code: 'FANFOLD_NO_DOCUMENT' } })

  const late = build('fail')
  late.receive(snapshot({ doc: a }))
  late.receive(snapshot({ doc: b }))
  late.receive({ type: 'left', doc: a, reason: 'FANFOLD_DELETED' })
  t.match(late.many, { status: 'closed', error: { code: 'FANFOLD_DELETED', doc: a } })
  t.equal(late.many.views, late.seen[0], 'the last whole value stays')
  t.equal(late.seen.length, 1)
  t.end()
})

t.test('fail: what says "later" is waited for, so long', t => {
  const patient = build('fail')
  patient.receive(snapshot({ doc: a }))
  patient.receive(refused(b, 'FANFOLD_RULE_FAILED', { retryAfter: 500 }))
  patient.receive(snapshot({ doc: b }))
  t.equal(patient.many.status, 'live')
  patient.time.pass(20_000)
  t.equal(patient.many.status, 'live')

  const { many, receive, time } = build('fail', [a, b], 700)
  receive(refused(b, 'FANFOLD_NO_PARENT', { retryAfter: 60_000 }))
  receive(snapshot({ doc: a }))
  time.pass(699)
  t.equal(many.status, 'connecting')
  time.pass(1)
  t.match(many, { status: 'closed', error: { code: 'FANFOLD_NO_PARENT', doc: b } })

  const silent = build('fail')
  silent.receive(snapshot({ doc: b }))
  silent.time.pass(10_000)
  t.match(silent.many, { status: 'closed', error: { code: 'FANFOLD_NO_ANSWER', doc: a } })
  t.end()
})

t.test('hole: what is refused is a hole, with its code, and comes back', t => {
  const { many, seen, receive, network, time } = build('hole', [a, b, c])
  receive(snapshot({ doc: a }))
  receive(refused(b, 'FANFOLD_FORBIDDEN'))
  t.equal(seen.length, 0)
  receive(refused(c, 'FANFOLD_NO_DOCUMENT', { retryAfter: 500 }))
  t.equal(seen.length, 1)
  t.match(seen[0]?.[a], { count: 10 })
  t.match(seen[0]?.[b], new Hole('closed', 'FANFOLD_FORBIDDEN'))
  t.match(seen[0]?.[c], new Hole('connecting', 'FANFOLD_NO_DOCUMENT'))
  t.same([many.status, many.statusOf(b), many.statusOf(c)], ['live', 'closed', 'connecting'])

  receive(snapshot({ doc: c }))
  t.match(seen[1]?.[c], { count: 10 })
  t.equal(seen[1]?.[b], seen[0]?.[b], 'the hole is the same one')
  const asked = network.last.sent.length
  time.pass(999)
  t.equal(network.last.sent.filter(frame => Object(frame).doc === b).length, 2, 'asked, and left')
  time.pass(1)
  t.match(network.last.sent[asked], { type: 'observe', doc: b, viewState: { page: 1 } })
  t.equal(seen.length, 2)
  receive(snapshot({ doc: b, seq: 3 }))
  t.match(seen[2]?.[b], { count: 3 })
  t.equal(seen[2]?.[a], seen[0]?.[a])
  t.end()
})

t.test('hole: what is refused later becomes a hole, and the others go on', t => {
  const { many, seen, receive, time, network } = build('hole')
  receive(snapshot({ doc: a }))
  receive(snapshot({ doc: b }))
  receive({ type: 'left', doc: a, reason: 'FANFOLD_DELETED' })
  t.match(seen[1]?.[a], new Hole('closed', 'FANFOLD_DELETED'))
  t.equal(seen[1]?.[b], seen[0]?.[b])
  t.equal(many.status, 'live')
  receive(delta({ doc: b }))
  t.match(seen[2]?.[b], { count: 11 })
  for (const waitMs of [1_000, 1_000, 1_000]) {
    time.pass(waitMs)
    t.match(network.last.last, { type: 'observe', doc: a })
    receive(refused(a, 'FANFOLD_DELETED'))
  }
  t.equal(seen.length, 3, 'the hole stays the one it was')
  t.end()
})

t.test('hole: a document that does not answer is a hole after a while', t => {
  const { many, seen, receive, time } = build('hole', [a, b], 300)
  receive(snapshot({ doc: a }))
  time.pass(299)
  t.equal(seen.length, 0)
  time.pass(1)
  t.match(seen[0]?.[b], new Hole('connecting', undefined))
  t.equal(many.status, 'stale')
  receive(snapshot({ doc: b }))
  t.match(seen[1]?.[b], { count: 10 })
  t.equal(many.status, 'live')
  t.end()
})

t.test('hole: a document that is gone stays a hole while the connection is lost', t => {
  const { many, seen, receive, time, network } = build('hole')
  receive(snapshot({ doc: a }))
  receive(snapshot({ doc: b }))
  receive(refused(a, 'FANFOLD_NO_DOCUMENT', { retryAfter: 500 }))
  const hole = many.views?.[a]
  t.match(hole, new Hole('connecting', 'FANFOLD_NO_DOCUMENT'))
  network.last.end()
  t.equal(many.views?.[a], hole)
  t.equal(many.status, 'stale')
  time.pass(500)
  network.last.accept()
  receive(snapshot({ doc: a }))
  t.match(many.views?.[a], { count: 10 })
  t.equal(seen.length, 3)
  t.end()
})
