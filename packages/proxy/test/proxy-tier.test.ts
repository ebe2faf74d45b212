import { buildLog } from '@fanfold/conformance'
import { type DocumentKey, limits, parseDocumentKey } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import {
  channel,
  child,
  doc,
  factsOf,
  framesOf,
  link,
  live,
  log,
  parent,
  positionAt,
  Rig,
  records,
  seqsOf,
  snapshot,
  welcome,
} from './build-proxy.ts'

t.test('a document is followed when the first child wants it, and once', async t => {
  const rig = new Rig()
  rig.open(parent)
  rig.open(child)
  rig.open(link(2))
  t.equal(rig.proxy.documentCount, 0)
  rig.join()
  rig.join(link(2))
  t.match(rig.sent(parent), [{ kind: 'join', doc, have: undefined }])
  t.match(rig.proxy, { documentCount: 1, childCount: 2, hasParent: true })
})

t.test('children that wait are answered when the parent has', async t => {
  const rig = new Rig()
  rig.open(parent)
  rig.open(child)
  rig.open(link(2))
  rig.join()
  rig.join()
  rig.join(link(2))
  t.same(rig.sent(child), [])
  rig.frame(parent, welcome('snapshot', 10), ...snapshot(10))
  const effects = rig.effects()
  for (const id of [child, link(2)]) {
    t.match(framesOf(effects, id), [
      { kind: 'welcome', mode: 'snapshot', head: { seq: 10 } },
      { kind: 'snapshot-begin', manifest: { at: { seq: 10 } } },
      { kind: 'snapshot-piece' },
      { kind: 'status', stale: false },
    ])
  }
})

t.test('a child that has more than the snapshot is answered when the tail has come', async t => {
  const rig = new Rig()
  rig.open(parent)
  rig.open(child)
  rig.open(link(2))
  rig.join(child, positionAt(12))
  rig.join(link(2))
  rig.frame(parent, welcome('snapshot', 13), ...snapshot(10))
  t.same(rig.sent(child), [])
  rig.pass(500)
  const effects = rig.effects()
  t.same(framesOf(effects, child), [])
  t.match(framesOf(effects, link(2))[0], { kind: 'welcome', mode: 'snapshot' })
  rig.frame(parent, records(11, 13))
  t.match(rig.sent(child), [
    { kind: 'welcome', mode: 'tail', head: { seq: 13 } },
    { kind: 'records' },
  ])
})

t.test('a child that comes first is told of all that the parent has', async t => {
  const rig = new Rig()
  rig.open(parent)
  rig.open(child)
  rig.join()
  rig.frame(parent, welcome('snapshot', 13), ...snapshot(10), records(11, 12))
  t.same(rig.sent(child), [], 'one is missing')
  rig.frame(parent, records(13, 13))
  t.match(rig.sent(child), [
    { kind: 'welcome', mode: 'snapshot', head: { seq: 13 } },
    { kind: 'snapshot-begin', manifest: { at: { seq: 13 } } },
    { kind: 'snapshot-piece' },
    { kind: 'status', stale: false },
  ])
})

t.test('so many documents are followed; one more is refused, until one goes', async t => {
  const rig = new Rig({ documentsMax: 2 })
  rig.open(parent)
  rig.open(child)
  const keys = [0, 1, 2].map(index => parseDocumentKey(`acme/match/m${index}`))
  const ask = (key: DocumentKey | undefined): void => {
    if (key === undefined) return
    rig.frame(child, {
      kind: 'join',
      doc: key,
      have: undefined,
      credit: 1,
      take: 'any',
      codecs: 0,
    })
  }
  for (const key of keys) ask(key)
  t.equal(rig.proxy.documentCount, 2)
  t.match(rig.sent(child), [
    { kind: 'refused', doc: keys[2], code: 'FANFOLD_OVERLOADED', retryAfterMs: 1_000 },
  ])
  rig.frame(child, { kind: 'signal', signal: 'presence', doc: keys[2], value: 2 ** 53 - 1 })
  rig.frame(child, { kind: 'leave', doc: keys[0] ?? doc })
  rig.pass(60_000)
  rig.sent(child)
  ask(keys[2])
  t.same(rig.sent(child), [])
})

t.test('children that wait are refused when the parent refuses', async t => {
  for (const [code, isFinal] of [
    ['FANFOLD_DELETED', true],
    ['FANFOLD_NO_DOCUMENT', false],
    ['FANFOLD_NO_PARENT', false],
  ] as const) {
    const rig = new Rig()
    rig.open(parent)
    rig.open(child)
    rig.join()
    rig.frame(parent, { kind: 'refused', doc, code, message: 'no', retryAfterMs: 0 })
    const effects = rig.effects()
    t.match(framesOf(effects, child), [{ kind: 'refused', code, retryAfterMs: isFinal ? 0 : 250 }])
    t.ok(factsOf(effects).includes('upstream-refused'))
    t.equal(rig.proxy.documentCount, isFinal ? 0 : 1)
  }
})

t.test(
  'records go to every child with their bytes as they came, and nothing is parsed',
  async t => {
    const rig = live()
    rig.open(link(2))
    rig.join(link(2), positionAt(10))
    rig.effects()
    const { parse } = JSON
    JSON.parse = () => {
      throw new Error('parsed on the way')
    }
    try {
      rig.frame(parent, records(11, 40))
      rig.pass(0)
    } finally {
      JSON.parse = parse
    }
    const effects = rig.effects()
    for (const id of [child, link(2)]) {
      const taken = framesOf(effects, id).flatMap(frame =>
        frame.kind === 'records' ? frame.records : [],
      )
      t.equal(taken.length, 30)
      t.ok(
        taken.every(
          (record, index) =>
            Buffer.compare(record.bytes, log[index + 10]?.bytes ?? record.rest) === 0,
        ),
      )
    }
    const frames = effects.flatMap(effect => (effect.kind === 'link-send' ? [effect.frame] : []))
    t.equal(frames[0], frames[1], 'one frame for both')
  },
)

t.test('a forward is a fact with its records', async t => {
  const rig = live()
  rig.frame(parent, records(11, 12))
  const [fact] = rig.effects().flatMap(effect => (effect.kind === 'fact' ? [effect.fact] : []))
  t.match(fact, { event: 'records-forwarded', doc, records: [{ seq: 11 }, { seq: 12 }] })
})

t.test('a child that comes later is served from here', async t => {
  const rig = live()
  rig.frame(parent, records(11, 20))
  rig.effects()
  rig.open(link(2))
  rig.join(link(2), positionAt(15))
  const effects = rig.effects()
  t.same(seqsOf(framesOf(effects, link(2))), [16, 17, 18, 19, 20])
  t.same(framesOf(effects, parent), [])
})

t.test('without a parent a child is refused at once', async t => {
  const rig = new Rig()
  rig.open(child)
  rig.join()
  t.match(rig.sent(child), [{ kind: 'refused', code: 'FANFOLD_NO_PARENT', retryAfterMs: 250 }])
})

t.test('when the parent goes, who waited for it is refused', async t => {
  const rig = new Rig()
  rig.open(parent)
  rig.open(child)
  rig.join()
  rig.close(parent)
  t.match(rig.sent(child), [{ kind: 'refused', code: 'FANFOLD_NO_PARENT' }])
  rig.open(link(101))
  rig.frame(link(101), welcome('snapshot', 10), ...snapshot(10))
  t.same(rig.sent(child), [], 'and not answered a second time')
})

t.test('with another parent at hand, who waited goes on waiting', async t => {
  const rig = new Rig()
  rig.open(parent)
  rig.open(link(101))
  rig.open(child)
  rig.join()
  rig.effects()
  rig.close(parent)
  const effects = rig.effects()
  t.match(framesOf(effects, link(101)), [{ kind: 'join', doc }])
  t.same(framesOf(effects, child), [])
  rig.frame(link(101), welcome('snapshot', 10), ...snapshot(10))
  t.match(rig.sent(child)[0], { kind: 'welcome' })
})

t.test(
  'children hear when the parent is lost and found, and a newcomer hears it alone',
  async t => {
    const rig = live()
    rig.nowMs = 1_000
    rig.close(parent)
    t.match(rig.sent(child), [{ kind: 'status', stale: true, ageMs: 0 }])
    rig.nowMs = 1_400
    rig.open(link(2))
    rig.join(link(2))
    const effects = rig.effects()
    t.match(framesOf(effects, link(2))[1], { kind: 'status', stale: true, ageMs: 400 })
    t.same(framesOf(effects, child), [])
    rig.open(link(101))
    rig.frame(link(101), welcome('tail', 10), records(11, 12))
    const found = framesOf(rig.effects(), child)
    t.match(found[0], { kind: 'status', stale: false })
    t.same(seqsOf(found), [11, 12])
  },
)

t.test('a document lingers after its last child, then it is left', async t => {
  const rig = live({ lingerMs: 500 })
  rig.frame(child, { kind: 'leave', doc })
  rig.pass(499)
  t.same(rig.sent(parent), [])
  rig.pass(1)
  t.match(rig.sent(parent), [{ kind: 'leave', doc }])
  t.equal(rig.proxy.documentCount, 0)
  t.equal(rig.proxy.wakeAt(), undefined)
})

t.test('a child that comes back while the document lingers keeps it', async t => {
  const rig = live({ lingerMs: 500 })
  rig.close(child)
  rig.pass(400)
  rig.open(link(2))
  rig.join(link(2))
  rig.effects()
  rig.pass(5_000)
  t.same(rig.sent(parent), [])
  t.equal(rig.proxy.documentCount, 1)
})

t.test(
  'a child that is refused because it is ahead does not keep the document for ever',
  async t => {
    const rig = live({ lingerMs: 500 })
    rig.close(child)
    rig.open(link(2))
    rig.join(link(2), positionAt(20))
    t.match(rig.sent(link(2)), [{ kind: 'refused', code: 'FANFOLD_NO_PARENT' }])
    rig.pass(1_999)
    t.equal(rig.proxy.documentCount, 1, 'it was told to ask again')
    rig.pass(1)
    t.equal(rig.proxy.documentCount, 0)
  },
)

t.test('an end from above ends it below', async t => {
  const rig = live()
  rig.frame(parent, { kind: 'ended', channel, code: 'FANFOLD_LOG_DAMAGED', message: 'over' })
  t.match(rig.sent(child), [{ kind: 'ended', code: 'FANFOLD_LOG_DAMAGED' }])
  t.equal(rig.proxy.documentCount, 0)
  rig.join()
  t.match(rig.sent(parent), [{ kind: 'join' }], 'asked again, it asks again')
})

t.test('a document that is deleted above goes down as the record that says so', async t => {
  const rig = live()
  rig.frame(parent, {
    kind: 'snapshot-begin',
    channel,
    manifest: { at: positionAt(12), pieces: [] },
  })
  const frames = rig.sent(child)
  t.match(frames[0], { kind: 'snapshot-begin', manifest: { at: { seq: 12 }, pieces: [] } })
})

t.test('a snapshot from above replaces what every child has', async t => {
  const rig = live()
  rig.frame(parent, ...snapshot(30), records(31, 31))
  const frames = rig.sent(child)
  t.match(frames[0], { kind: 'snapshot-begin', manifest: { at: { seq: 30 } } })
  t.same(seqsOf(frames), [31])
})

t.test('a child that drains goes on where it was', async t => {
  const rig = live()
  rig.congest(child, true)
  rig.frame(parent, records(11, 15))
  t.same(rig.sent(child), [])
  rig.congest(child, false)
  rig.pass(0)
  t.same(seqsOf(rig.sent(child)), [11, 12, 13, 14, 15])
})

t.test(
  'a record that does not apply is found out when a snapshot is wanted, and all is fetched again',
  async t => {
    const rig = live()
    // A delta to a document that was deleted.
    rig.frame(parent, {
      kind: 'snapshot-begin',
      channel,
      manifest: { at: positionAt(12), pieces: [] },
    })
    rig.frame(parent, records(13, 13))
    rig.effects()
    rig.open(link(2))
    rig.join(link(2))
    const effects = rig.effects()
    t.match(framesOf(effects, parent), [{ kind: 'join', have: undefined }])
    t.ok(factsOf(effects).includes('resync'))
    rig.frame(parent, welcome('snapshot', 14), ...snapshot(14))
    t.match(rig.sent(link(2)), [{ kind: 'snapshot-begin', manifest: { at: { seq: 14 } } }, {}, {}])
  },
)

t.test('a bad frame closes the link it came over, above and below', async t => {
  const rig = live()
  for (const id of [child, parent]) {
    rig.bytes(id, new Uint8Array([77]))
    t.match(rig.effects(), [{ kind: 'link-close', link: id, code: 'FANFOLD_BAD_FRAME' }])
  }
})

t.test('a record of the largest size fits through', async t => {
  const recordBytes = limits.recordBytesMax.value
  const large = buildLog({ doc, count: 1, after: positionAt(10), recordBytes })
  const rig = live()
  rig.frame(parent, { kind: 'records', channel, records: large.records })
  t.same(seqsOf(rig.sent(child)), [11])
})

t.test('wherever links close, the proxy comes to rest and serves again', async t => {
  const steps: ((rig: Rig) => void)[] = [
    rig => rig.open(parent),
    rig => rig.open(child),
    rig => rig.join(),
    rig => rig.frame(parent, welcome('snapshot', 10)),
    ...snapshot(10).map(frame => (rig: Rig) => rig.frame(parent, frame)),
    rig => rig.frame(parent, records(11, 13)),
    rig => rig.congest(child, true),
    rig => rig.frame(parent, records(14, 15)),
    rig => rig.frame(child, { kind: 'credit', channel: 1, bytes: 100 }),
    rig => rig.congest(child, false),
    rig => rig.frame(child, { kind: 'leave', doc }),
  ]
  const closes = fc.array(fc.tuple(fc.nat(steps.length), fc.constantFrom(parent, child)), {
    maxLength: 4,
  })
  const holds = fc.property(closes, closes => {
    const rig = new Rig()
    for (const [index, step] of steps.entries()) {
      step(rig)
      for (const [at, id] of closes) if (at === index) rig.close(id)
    }
    rig.close(child)
    rig.close(parent)
    rig.pass(10_000)
    if (rig.proxy.documentCount !== 0 || rig.proxy.wakeAt() !== undefined) return false
    rig.open(link(101))
    rig.open(link(2))
    rig.effects()
    rig.join(link(2))
    rig.frame(link(101), welcome('snapshot', 20), ...snapshot(20), records(21, 22))
    const frames = rig.sent(link(2))
    return frames[0]?.kind === 'welcome' && seqsOf(frames).join() === '21,22'
  })
  t.doesNotThrow(() => fc.assert(holds))
})

t.test('a document that goes on is left, too, when nobody wants it for long', async t => {
  const rig = live({ lingerMs: 10_000 })
  rig.close(child)
  for (let seq = 11; seq <= 30; seq++) {
    rig.frame(parent, records(seq, seq))
    rig.pass(1_000)
  }
  t.equal(rig.proxy.documentCount, 0)
})
