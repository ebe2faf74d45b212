import { aboveLabels, buildLog, sha256 } from '@fanfold/conformance'
import { Chain } from '@fanfold/document'
import { limits, parseDocumentKey, zeroHash } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import { after, bytesOf, doc, framesOf, link } from './build-stream.ts'
import { labelled } from './labelled-log.ts'
import { bytesEach, log, replayedIn, ServingRig, seqs } from './replay-rig.ts'

const semis = parseDocumentKey('acme/match/semis')
const second = link(2)

t.test('a replay is the whole log, and ends where the log does', async t => {
  const rig = new ServingRig()
  rig.ask()
  const frames = framesOf(rig.all())
  t.same(replayedIn(frames), seqs(1, 200))
  t.same(frames.at(-1), {
    kind: 'replay-ended',
    replay: 1,
    code: undefined,
    message: '',
    retryAfterMs: 0,
  })
  t.equal(rig.replays.count, 0)
  t.equal(rig.closed.length, 1)
})

t.test('it begins after what the child has', async t => {
  const rig = new ServingRig()
  rig.ask({ have: after(log[149]) })
  t.match(rig.reads, [{ key: doc, after: 150, bytesMax: limits.recordsFrameBytesTarget.value }])
  t.same(replayedIn(framesOf(rig.all())), seqs(151, 200))
})

t.test('a child that has all, or a log without records, has an end at once', async t => {
  const rig = new ServingRig()
  rig.ask({ have: after(log[199]) })
  t.match(framesOf(rig.all()), [{ kind: 'replay-ended', code: undefined }])
  rig.records = []
  rig.ask()
  t.match(framesOf(rig.all()), [{ kind: 'replay-ended', code: undefined }])
})

t.test('what is sent stays within the credit, and the log is read no further', async t => {
  const rig = new ServingRig()
  rig.ask({ credit: 3 * bytesEach })
  t.same(replayedIn(framesOf(rig.all(100))), seqs(1, 3))
  rig.replays.credit(link(1), 1, 2 * bytesEach)
  t.same(replayedIn(framesOf(rig.all(100))), seqs(4, 5))
  rig.replays.credit(link(1), 1, 1_000_000)
  t.same(replayedIn(framesOf(rig.all(100))), seqs(6, 200))
})

t.test('a replay that is not taken reads two batches and no more', async t => {
  const { records } = buildLog({ doc, count: 60, recordBytes: 40_000 })
  const rig = new ServingRig()
  rig.records = records
  rig.ask({ credit: 1 })
  rig.all(7)
  t.equal(rig.reads.length, 0)
  rig.replays.credit(link(1), 1, 300_000)
  rig.turns()
  t.equal(rig.reads.length, 1, 'and on as it leaves')
})

t.test('one reading of a replay is under way at a time', async t => {
  const rig = new ServingRig()
  rig.ask()
  for (let round = 0; round < 5; round++) {
    t.equal(rig.reads.length, 1)
    rig.answer()
    rig.turns()
  }
})

t.test('on a congested link it waits until the link has drained', async t => {
  let isCongested = true
  const rig = new ServingRig()
  rig.ask({ isCongested: () => isCongested })
  rig.answer()
  t.notOk(rig.replays.hasMore)
  isCongested = false
  rig.replays.drained(link(1))
  t.same(replayedIn(framesOf(rig.turns())), seqs(1, 10))
})

t.test('replays have their turns one frame at a time', async t => {
  const rig = new ServingRig()
  rig.ask()
  rig.ask({ link: second }, semis)
  rig.answer(2, 5)
  rig.answer(2, 5)
  const order: (number | undefined)[] = []
  while (rig.replays.hasMore) {
    const [effect] = rig.turns(1)
    order.push(effect?.kind === 'link-send' ? effect.link : undefined)
  }
  t.same(order, [1, 2, 1, 2])
})

t.test('there are so many replays at a time, and who is refused comes back later', async t => {
  const rig = new ServingRig(2)
  rig.ask()
  rig.ask({ link: second })
  rig.ask({ link: link(3) })
  const [refused] = framesOf(rig.turns(), link(3))
  t.match(refused, { kind: 'replay-ended', code: 'FANFOLD_OVERLOADED' })
  const wait = refused?.kind === 'replay-ended' ? refused.retryAfterMs : 0
  t.ok(wait >= 1_000 && wait < 2_000, `${wait} ms`)
  t.equal(rig.replays.count, 2)
  rig.replays.close(second)
  rig.ask({ link: link(3) })
  t.same(rig.turns(), [])
})

t.test('a second request of a child takes the place of its first', async t => {
  const rig = new ServingRig(1)
  rig.ask({ credit: 1 })
  rig.ask({ have: after(log[99]) })
  t.equal(rig.replays.count, 1)
  t.equal(rig.closed.length, 1)
  t.same(replayedIn(framesOf(rig.all())), seqs(101, 200))
})

t.test('who leaves, or whose link closes, is read for no more', async t => {
  const rig = new ServingRig()
  rig.ask()
  rig.ask({ link: second })
  t.ok(rig.replays.isReplaying(doc))
  rig.replays.leave(link(1), 1)
  rig.replays.close(second)
  t.equal(rig.closed.length, 2)
  t.notOk(rig.replays.isReplaying(doc))
  t.same(rig.all(), [], 'what was under way is nobody’s')
})

t.test('damage ends a replay after the records before it', async t => {
  const rig = new ServingRig()
  rig.ask({ credit: 15 * bytesEach })
  rig.answer()
  rig.answer()
  const [reading] = rig.reads.splice(0)
  if (reading === undefined) throw new Error('the log is read on')
  rig.replays.readRefused(reading.read, { code: 'FANFOLD_LOG_DAMAGED', message: 'at 21' })
  t.same(replayedIn(framesOf(rig.turns())), seqs(1, 15))
  rig.replays.credit(link(1), 1, 1_000_000)
  const frames = framesOf(rig.turns())
  t.same(replayedIn(frames), seqs(16, 20))
  t.match(frames.at(-1), { kind: 'replay-ended', code: 'FANFOLD_LOG_DAMAGED', message: 'at 21' })
})

t.test('a document that is served no more ends its replays', async t => {
  const rig = new ServingRig()
  rig.ask()
  rig.ask({ link: second }, semis)
  rig.replays.end(doc, { code: 'FANFOLD_QUARANTINED', message: 'it is' })
  t.match(framesOf(rig.turns()), [{ replay: 1, code: 'FANFOLD_QUARANTINED' }])
  t.equal(rig.replays.count, 1)
})

t.test('how each replay ended is noted', async t => {
  const rig = new ServingRig(1)
  rig.ask({ have: after(log[198]) })
  rig.ask({ link: second })
  rig.all()
  rig.ask()
  rig.replays.end(doc, { code: 'FANFOLD_QUARANTINED', message: 'it is' })
  rig.turns()
  rig.ask()
  rig.replays.close(link(1))
  t.same(rig.noted, ['refused', 'complete', 'failed', 'left'])
})

t.test('a replay that nobody takes for half a minute is let go', async t => {
  const rig = new ServingRig()
  rig.ask({ credit: 1 })
  rig.all()
  for (let look = 0; look < 6; look++) t.same(rig.letGo(), [])
  rig.replays.credit(link(1), 1, 50 * bytesEach)
  rig.all()
  for (let look = 0; look < 6; look++) t.same(rig.letGo(), [])
  t.match(framesOf(rig.letGo()), [{ kind: 'replay-ended', code: 'FANFOLD_OVERLOADED' }])
  t.equal(rig.replays.count, 0)
})

t.test('a child that takes a record now and then does not keep its place for ever', async t => {
  const rig = new ServingRig()
  rig.ask({ credit: 1 })
  rig.all()
  for (let look = 0; look < 6; look++) {
    t.same(rig.letGo(), [])
    rig.replays.credit(link(1), 1, bytesEach)
    t.equal(replayedIn(framesOf(rig.all())).length, 1)
  }
  t.match(framesOf(rig.letGo()), [{ kind: 'replay-ended', code: 'FANFOLD_OVERLOADED' }])
})

t.test('one child has half of the replays at most, and the others get theirs', async t => {
  const rig = new ServingRig(4)
  const keys = [0, 1, 2].map(index => parseDocumentKey(`acme/match/m${index}`))
  for (const [at, key] of keys.entries()) rig.ask({ replay: at, credit: 0 }, key)
  t.match(framesOf(rig.turns()), [{ kind: 'replay-ended', code: 'FANFOLD_OVERLOADED' }])
  rig.ask({ link: second })
  t.same(replayedIn(framesOf(rig.all(), second)), seqs(1, 200))
})

t.test('what is above a child’s ceiling does not cross its link, and the chain holds', async t => {
  const chain = new Chain(sha256)
  for (const ceiling of [0, 1, 239]) {
    const rig = new ServingRig()
    rig.records = labelled.records
    rig.ask({ ceiling })
    const effects = rig.all(5)
    let before = zeroHash
    for (const frame of framesOf(effects)) {
      if (frame.kind !== 'replay') continue
      t.equal(frame.ceiling, ceiling)
      for (const record of frame.records) {
        t.ok(chain.verifies(record, before))
        before = record.chainHash
      }
    }
    const bytes = Buffer.concat(bytesOf(effects))
    t.notOk(bytes.includes(aboveLabels.authority))
    t.equal(bytes.includes('label-2'), ceiling === 239)
  }
})

t.test('however it is read, granted and interrupted, a replay is the log', async t => {
  const step = fc.record({
    batch: fc.integer({ min: 1, max: 30 }),
    credit: fc.integer({ min: 1, max: 20 * bytesEach }),
    turns: fc.nat(5),
    isCut: fc.boolean(),
  })
  const holds = fc.property(fc.array(step, { maxLength: 60 }), steps => {
    const rig = new ServingRig()
    const taken: number[] = []
    const keep = (effects: ReturnType<ServingRig['turns']>): void => {
      taken.push(...replayedIn(framesOf(effects)))
    }
    rig.ask({ credit: 1 })
    for (const { batch, credit, turns, isCut } of steps) {
      if (isCut && rig.replays.count > 0) {
        rig.replays.close(link(1))
        rig.reads.splice(0)
        const [last] = taken.slice(-1)
        rig.ask({ credit: 1, have: last === undefined ? undefined : after(log[last - 1]) })
      }
      rig.answer(1, batch)
      keep(rig.turns(turns))
      rig.replays.credit(link(1), 1, credit)
    }
    rig.replays.credit(link(1), 1, 10_000_000)
    keep(rig.all())
    return taken.join() === seqs(1, 200).join()
  })
  t.doesNotThrow(() => fc.assert(holds, { numRuns: 200 }))
})
