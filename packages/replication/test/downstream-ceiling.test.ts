import { aboveLabels, labelledText, sha256 } from '@fanfold/conformance'
import { Chain } from '@fanfold/document'
import { encodeRecord, type LinkFrame, type LogRecord } from '@fanfold/protocol'
import t from 'tap'
import { after, bytesOf, doc, framesOf, link, seqsOf } from './build-stream.ts'
import { bytesEach, child, kindsOf, log, Rig, settled } from './downstream-rig.ts'
import { labelled } from './labelled-log.ts'

const welcomes = (frames: readonly LinkFrame[]): number[] =>
  frames.flatMap(frame => (frame.kind === 'welcome' ? [frame.ceiling] : []))

t.test('a welcome states the lesser ceiling: of what is held and of the link', async t => {
  for (const [held, token] of [
    [255, 1],
    [1, 255],
    [0, 239],
    [2, 2],
  ] as const) {
    const rig = new Rig(5)
    rig.ceiling = held
    rig.join({ ceiling: token })
    t.same(welcomes(rig.sent()), [Math.min(held, token)])
  }
})

t.test('when the ceiling changes, those are welcomed anew for whom it does', async t => {
  const rig = new Rig(10)
  for (const [index, ceiling] of [0, 1, 239].entries()) {
    rig.join({ link: link(index), ceiling, have: after(log[9]) })
  }
  rig.flush()
  rig.effects()
  rig.ceiling = 1
  rig.restart()
  const effects = rig.effects()
  t.same(welcomes(framesOf(effects, link(0))), [])
  t.same(welcomes(framesOf(effects, link(1))), [])
  t.match(framesOf(effects, link(2)), [{ kind: 'welcome', mode: 'snapshot', ceiling: 1 }])
  rig.restart()
  t.same(rig.effects(), [], 'and once')
})

t.test('nothing is sent to anybody while nothing is held', async t => {
  const rig = settled()
  rig.ceiling = 0
  rig.hasSnapshot = false
  rig.ring.reset(after(undefined))
  rig.restart()
  t.notOk(rig.flush())
  t.same(kindsOf(rig.sent()), ['welcome'])
})

t.test('a child that is welcomed anew has the credit of its join again', async t => {
  const rig = new Rig(20)
  rig.join({ have: after(log[9]), credit: 3 * bytesEach })
  rig.flush()
  t.ok(rig.ring.lastSeq > 13, 'more than the credit was for')
  rig.effects()
  rig.ceiling = 1
  rig.restart()
  rig.flush()
  rig.push(...log.slice(20, 24))
  rig.flush()
  const sent = rig.sent().flatMap(frame => (frame.kind === 'records' ? frame.records : []))
  t.ok(sent.length >= 3)
})

t.test('children under one ceiling share a frame, whatever their tokens say', async t => {
  const rig = new Rig(0, {}, labelled.records)
  rig.push(...labelled.records.slice(0, 6))
  rig.ceiling = 1
  const have = after(labelled.records[1])
  for (const [index, ceiling] of [1, 239, 0, 1].entries()) {
    rig.join({ link: link(index), ceiling, have })
  }
  rig.effects()
  rig.flush()
  const effects = rig.effects()
  const [a, b, c, d] = [0, 1, 2, 3].map(index => bytesOf(effects, link(index)))
  t.equal(a?.[0], b?.[0])
  t.not(a?.[0], c?.[0])
  t.same(a, d)
  t.ok(Buffer.concat(a ?? []).includes(labelledText(1, 5)))
  t.notOk(Buffer.concat(c ?? []).includes(labelledText(1, 5)))
})

t.test('pieces that are sent again are those of the projected snapshot', async t => {
  const rig = new Rig(0, {}, labelled.records)
  rig.push(...labelled.records)
  rig.last = labelled.snapshot
  rig.join({ ceiling: 1 })
  rig.flush()
  const sent = rig.effects()
  const begin = framesOf(sent, child).find(({ kind }) => kind === 'snapshot-begin')
  const count = begin?.kind === 'snapshot-begin' ? begin.manifest.pieces.length : 0
  t.ok(count > 0 && count < labelled.snapshot.pieces.length)
  rig.resend(...labelled.snapshot.pieces.keys())
  rig.flush()
  const again = rig.effects()
  t.equal(framesOf(again).length, count)
  for (const bytes of [...bytesOf(sent), ...bytesOf(again)]) {
    t.notOk(Buffer.from(bytes).includes('label-2'))
    t.notOk(Buffer.from(bytes).includes(aboveLabels.authority))
  }
})

/** Records with a byte for everybody and so many bytes of label 2. */
function withHidden(bytes: number): LogRecord[] {
  const chain = new Chain(sha256)
  const salt = new Uint8Array(16)
  const records: LogRecord[] = []
  for (let seq = 1; seq <= 6; seq++) {
    const parts = [
      { tag: 0, salt, payload: Uint8Array.of(seq) },
      { tag: 2, salt, payload: new Uint8Array(bytes) },
    ]
    const fields = { key: doc, epoch: 1, seq, timeMs: seq, trace: undefined, parts }
    const record = encodeRecord({ ...fields, kind: seq === 1 ? 'create' : 'delta' })
    records.push(chain.seal(record, after(records.at(-1)).hash))
  }
  return records
}

t.test('how records are put into frames does not tell how long what is left out is', async t => {
  const groups = (hidden: number, credit: number): number[][] => {
    const records = withHidden(hidden)
    const rig = new Rig(6, {}, records)
    rig.join({ ceiling: 0, have: after(records[0]), credit })
    rig.flush()
    return rig
      .sent()
      .filter(({ kind }) => kind === 'records')
      .map(frame => seqsOf([frame]))
  }
  for (let credit = 100; credit < 2_000; credit += 100) {
    t.same(groups(1_000, credit), groups(1, credit), `with ${credit} bytes of credit`)
  }
  t.same(groups(100_000, 1_000_000), groups(1, 1_000_000), 'nor up to the target of a frame')
})

t.test(
  'who takes the tail alone asks anew under another ceiling, and is told of no end',
  async t => {
    const rig = new Rig(0, {}, labelled.records)
    rig.push(...labelled.records)
    rig.join({ have: after(labelled.records[3]), take: 'tail' })
    rig.effects()
    rig.ceiling = 1
    rig.restart()
    t.match(rig.sent(), [{ kind: 'welcome', mode: 'tail', ceiling: 1 }])
    t.equal(rig.downstream.count, 0)
  },
)
