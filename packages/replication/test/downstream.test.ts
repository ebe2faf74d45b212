import { buildLog, sha256 } from '@fanfold/conformance'
import { Chain } from '@fanfold/document'
import { encodeUtf8 } from '@fanfold/kernel'
import { encodeRecord, limits, zeroHash } from '@fanfold/protocol'
import t from 'tap'
import { refusal } from '../src/refusal.ts'
import { after, bytesOf, doc, framesOf, link, seqsOf } from './build-stream.ts'
import { bytesEach, child, log, Rig, settled } from './downstream-rig.ts'

t.test('a welcome names the channel and the head', async t => {
  const rig = new Rig(5)
  rig.join()
  t.match(rig.sent(), [{ kind: 'welcome', doc, channel: 7, head: after(log[4]) }])
})

t.test('a refusal of a child that is ahead may pass', async t => {
  const rig = new Rig(5)
  rig.join({ have: after(log[9]) })
  t.match(rig.sent(), [{ kind: 'refused', code: 'FANFOLD_NO_PARENT', retryAfterMs: 50 }])
})

t.test('all records that wait leave in one frame', async t => {
  const rig = settled()
  rig.push(...log.slice(10, 20))
  rig.flush()
  const frames = rig.sent()
  t.equal(frames.length, 1)
  t.same(seqsOf(frames), [11, 12, 13, 14, 15, 16, 17, 18, 19, 20])
  rig.flush()
  t.same(rig.sent(), [])
})

t.test('a frame is filled up to its target, and a larger record goes alone', async t => {
  const target = limits.recordsFrameBytesTarget.value
  const { records } = buildLog({ doc, count: 9, recordBytes: target / 4 - 4 })
  const large = buildLog({ doc, count: 1, after: after(records[8]), recordBytes: target + 1 })
  const rig = new Rig(9, {}, records)
  rig.push(...large.records)
  rig.join({ have: after(records[0]) })
  rig.flush()
  const frames = rig.sent().slice(1)
  t.same(
    frames.map(frame => seqsOf([frame])),
    [[2, 3, 4, 5], [6, 7, 8, 9], [10]],
  )
})

t.test('children at one cursor share one frame by reference', async t => {
  const rig = new Rig(10)
  for (const number of [1, 2, 3]) rig.join({ link: link(number), have: after(log[9]) })
  rig.join({ link: link(4), have: after(log[8]) })
  rig.flush()
  rig.effects()
  rig.push(log[10])
  rig.flush()
  const [first, ...others] = bytesOf(rig.effects())
  t.equal(others.length, 3)
  t.ok(others.every(frame => frame === first))
})

t.test('without credit nothing goes; with it again, everything that waits', async t => {
  const rig = new Rig(4)
  rig.join({ have: after(log[3]), credit: 2 * bytesEach })
  rig.effects()
  rig.push(...log.slice(4, 9))
  rig.flush()
  t.same(seqsOf(rig.sent()), [5, 6])
  t.equal(rig.flush(), false)
  t.same(rig.sent(), [])
  rig.downstream.credit(child, 1)
  rig.flush()
  t.same(seqsOf(rig.sent()), [7], 'a record leaves while any credit is left')
  rig.downstream.credit(child, 100_000)
  rig.flush()
  t.same(seqsOf(rig.sent()), [8, 9])
})

t.test('a congested child gets nothing until its link has drained', async t => {
  const rig = settled()
  rig.downstream.setCongested(child, true)
  rig.push(...log.slice(10, 13))
  t.equal(rig.flush(), false)
  t.same(rig.sent(), [])
  rig.downstream.setCongested(child, false)
  rig.flush()
  t.same(seqsOf(rig.sent()), [11, 12, 13])
})

t.test('parts above a child’s ceiling do not cross its link, and the chain holds', async t => {
  const chain = new Chain(sha256)
  let position = after(undefined)
  const labelled = [1, 2, 3].map(seq => {
    const part = (tag: number, text: string) => ({
      tag,
      salt: new Uint8Array(16).fill(seq),
      payload: encodeUtf8(text),
    })
    const bytes = encodeRecord({
      kind: seq === 1 ? 'create' : 'delta',
      key: doc,
      epoch: 1,
      seq,
      timeMs: seq,
      trace: undefined,
      parts: [part(0, '{}'), part(3, '"label three"'), part(255, '"only-authorities"')],
    })
    const record = chain.seal(bytes, position.hash)
    position = after(record)
    return record
  })
  for (const [ceiling, tags] of [
    [0, [0]],
    [3, [0, 3]],
    [239, [0, 3]],
    [255, [0, 3, 255]],
  ] as const) {
    const rig = new Rig(3, {}, labelled)
    rig.join({ ceiling, have: after(labelled[0]) })
    rig.flush()
    const effects = rig.effects()
    const records = framesOf(effects).flatMap(frame =>
      frame.kind === 'records' ? frame.records : [],
    )
    let before = labelled[0]?.chainHash ?? zeroHash
    for (const record of records) {
      t.same(
        record.parts().map(part => part[16]),
        tags,
        `ceiling ${ceiling}`,
      )
      t.ok(chain.verifies(record, before))
      before = record.chainHash
    }
    t.equal(records.length, 2)
    const text = Buffer.concat(bytesOf(effects)).toString('latin1')
    t.equal(text.includes('only-authorities'), ceiling === 255)
  }
})

t.test('at the end children are told and forgotten', async t => {
  const rig = settled()
  rig.end()
  t.match(rig.sent(), [{ kind: 'ended', channel: 7, code: 'FANFOLD_DELETED' }])
  t.equal(rig.downstream.count, 0)
  rig.push(log[10])
  rig.flush()
  t.same(rig.sent(), [])
})

t.test('a child that joins again begins again, with its new credit', async t => {
  const rig = settled()
  rig.downstream.setCongested(child, true)
  rig.join({ have: after(log[7]), credit: 1 })
  rig.flush()
  t.same(seqsOf(rig.sent()), [9])
  t.equal(rig.downstream.count, 1)
})

t.test('a refusal says for which document, why and for how long', async t => {
  t.same(refusal(doc, 'FANFOLD_BUSY', 'later', 5), {
    kind: 'refused',
    doc,
    code: 'FANFOLD_BUSY',
    message: 'later',
    retryAfterMs: 5,
  })
})
