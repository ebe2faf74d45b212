import { buildLog, sha256 } from '@fanfold/conformance'
import { decodeSnapshot, encodeSnapshot } from '@fanfold/document'
import { type Position, partTags, zeroHash } from '@fanfold/protocol'
import t from 'tap'
import { after, at, bytesOf, doc, framesOf, headOf, link, seqsOf } from './build-stream.ts'
import { bytesEach, child, kindsOf, log, Rig, settled } from './downstream-rig.ts'

t.test('what a child has decides: tail, snapshot or refused', async t => {
  // The ring holds 4 … 10: its base is 3.
  const later = buildLog({ doc, count: 1, epoch: 2, after: after(log[9]) })
  const cases: [name: string, have: Position | undefined, answer: string, seqs: number[]][] = [
    ['nothing', undefined, 'snapshot', []],
    ['the head', after(log[9]), 'tail', []],
    ['the one before the head', after(log[8]), 'tail', [10]],
    ['the base of the ring', after(log[2]), 'tail', [4, 5, 6, 7, 8, 9, 10]],
    ['the one before the base', after(log[1]), 'snapshot', []],
    ['another history at a seq of the ring', { ...after(log[6]), hash: zeroHash }, 'snapshot', []],
    [
      'another history, of an older epoch',
      { ...after(log[6]), epoch: 0, hash: zeroHash },
      'snapshot',
      [],
    ],
    ['an older epoch that went further', { epoch: 0, seq: 99, hash: zeroHash }, 'snapshot', []],
    ['more than the parent', after(log[10]), 'refused', []],
    ['a later epoch', later.end, 'refused', []],
  ]
  for (const [name, have, answer, seqs] of cases) {
    const rig = new Rig(10, { recordsMax: 7 })
    rig.join({ have })
    rig.flush()
    const frames = rig.sent()
    const [first] = frames
    t.equal(first?.kind === 'welcome' ? first.mode : first?.kind, answer, name)
    t.same(seqsOf(frames), seqs, name)
    if (answer === 'snapshot') t.match(frames[1], { manifest: { at: { seq: 10 } } }, name)
    t.equal(rig.downstream.count, answer === 'refused' ? 0 : 1)
  }
})

t.test('a child that fell off the ring gets a snapshot, never a hole', async t => {
  const rig = settled(10, { recordsMax: 5 })
  rig.downstream.setCongested(child, true)
  rig.push(...log.slice(10, 15))
  rig.downstream.setCongested(child, false)
  rig.flush()
  t.same(seqsOf(rig.sent()), [11, 12, 13, 14, 15], 'at the limit: still there')
  rig.downstream.setCongested(child, true)
  rig.push(...log.slice(15, 21))
  rig.downstream.setCongested(child, false)
  t.ok(rig.flush(), 'there is more to do at once')
  t.same(rig.sent(), [])
  rig.flush()
  t.match(rig.sent(), [{ kind: 'snapshot-begin', manifest: { at: { seq: 21 } } }, {}])
})

t.test('pieces leave half a megabyte at a time, and flush says that there are more', async t => {
  const rig = new Rig(5)
  rig.snapshotBytes = 62_000 * 18
  rig.join()
  t.ok(rig.flush(), 'to make it is as much as a turn does')
  rig.effects()
  const turns: number[] = []
  let isMore = true
  while (isMore && turns.length < 10) {
    isMore = rig.flush()
    turns.push(bytesOf(rig.effects()).reduce((sum, frame) => sum + frame.length, 0))
  }
  t.ok(turns.length > 1)
  const last = turns.pop() ?? 0
  for (const bytes of turns) t.ok(bytes >= 524_288 && bytes < 524_288 + 65_600)
  t.ok(last < 524_288 + 65_600)
})

t.test('records that come during a snapshot follow it', async t => {
  const rig = new Rig(5)
  rig.snapshotBytes = 64_000 * 10
  rig.join()
  rig.flush()
  rig.push(...log.slice(5, 8))
  while (rig.flush());
  const frames = rig.sent()
  t.same(seqsOf(frames), [6, 7, 8])
  t.equal(frames.at(-1)?.kind, 'records')
})

t.test('what follows a snapshot stays until the child has it, however long that takes', async t => {
  const rig = new Rig(10, { recordsMax: 5 })
  rig.snapshotBytes = 1_500_000
  rig.join()
  rig.flush()
  const frames = rig.sent()
  rig.push(...log.slice(10, 30))
  t.equal(rig.ring.get(11)?.seq, 11)
  while (rig.flush()) frames.push(...rig.sent())
  frames.push(...rig.sent())
  t.equal(frames.filter(({ kind }) => kind === 'snapshot-begin').length, 1)
  t.same(
    frames.flatMap(frame => (frame.kind === 'records' ? frame.records : [])).map(({ seq }) => seq),
    log.slice(10, 30).map(({ seq }) => seq),
  )
  rig.push(log[30])
  rig.flush()
  t.equal(rig.ring.base.seq, 26, 'and no longer')
})

t.test('a document that changes faster than a link carries it does not grow the ring', async t => {
  const rig = new Rig(10, { recordsMax: 5 })
  rig.snapshotBytes = 3_000
  rig.join({ credit: 0 })
  rig.flush()
  rig.push(...log.slice(10, 40))
  t.ok(rig.ring.bytes + (40 - rig.ring.base.seq) * 256 <= 4_000)
  rig.flush()
  const kinds = rig.sent().map(({ kind }) => kind)
  t.equal(kinds.filter(kind => kind === 'snapshot-begin').length, 1)
})

t.test('nothing is held for a child that it is of no use to any more', async t => {
  const rig = new Rig(10, { recordsMax: 5 })
  rig.snapshotBytes = 20 * (bytesEach + 256)
  rig.join()
  rig.flush()
  rig.push(log[10])
  rig.join({ link: link(2), credit: 0 })
  rig.flush()
  rig.push(...log.slice(11, 25))
  t.equal(rig.ring.base.seq, 10, 'the child lacks what follows its snapshot')
  rig.push(...log.slice(25, 40))
  t.ok(rig.ring.base.seq > 10, 'and cannot be sent it')
  rig.flush()
  rig.push(log[40])
  t.equal(rig.ring.base.seq, 36)
})

t.test('nothing is held once the last child has left', async t => {
  const rig = new Rig(10, { recordsMax: 5 })
  rig.snapshotBytes = 20 * (bytesEach + 256)
  rig.join()
  rig.flush()
  rig.push(log[10])
  rig.join({ link: link(2), credit: 0 })
  rig.flush()
  rig.push(...log.slice(11, 25))
  t.equal(rig.ring.base.seq, 10)
  for (const id of [child, link(2)]) rig.downstream.leave(id)
  rig.ring.dropOld(at(0))
  t.equal(rig.ring.base.seq, 20)
})

t.test('a snapshot is made once for all that need it', async t => {
  const rig = new Rig(5)
  for (const number of [1, 2, 3]) rig.join({ link: link(number) })
  rig.flush()
  t.equal(rig.made, 1)
  const begun = framesOf(rig.effects()).filter(({ kind }) => kind === 'snapshot-begin')
  t.equal(begun.length, 3)
})

t.test('an older snapshot serves while what follows it is the smaller part', async t => {
  const rig = new Rig(5)
  rig.snapshotBytes = 3 * bytesEach
  rig.join()
  rig.flush()
  rig.effects()
  rig.push(log[5], log[6])
  rig.join({ link: link(2) })
  rig.flush()
  t.equal(rig.made, 1)
  const frames = rig.sent(link(2))
  t.match(frames[1], { manifest: { at: { seq: 5 } } })
  t.same(seqsOf(frames), [6, 7])
  rig.push(...log.slice(7, 40))
  rig.join({ link: link(3) })
  rig.flush()
  t.equal(rig.made, 2)
  t.match(rig.sent(link(3))[1], { manifest: { at: { seq: 40 } } })
})

t.test('a child of another history is not served a snapshot from before what it has', async t => {
  const rig = new Rig(5)
  rig.snapshotBytes = 10_000
  rig.join()
  rig.flush()
  rig.push(log[5], log[6])
  rig.join({ link: link(2), have: { ...after(log[5]), hash: zeroHash } })
  rig.effects()
  rig.flush()
  t.match(rig.sent(link(2))[0], { manifest: { at: { seq: 7 } } })
})

t.test('a child waits for a snapshot that is not to be had yet', async t => {
  const rig = new Rig(5)
  rig.hasSnapshot = false
  rig.join()
  t.equal(rig.flush(), false)
  t.same(kindsOf(rig.sent()), ['welcome'])
  rig.push(log[5])
  rig.flush()
  t.same(rig.sent(), [], 'records without their state are of no use')
  rig.hasSnapshot = true
  rig.flush()
  t.match(rig.sent(), [{ kind: 'snapshot-begin', manifest: { at: { seq: 6 } } }, {}])
})

t.test('pieces above a child’s ceiling do not cross its link', async t => {
  const rig = new Rig(5)
  rig.last = encodeSnapshot({
    at: headOf(rig.ring),
    state: { n: 5 },
    definition: undefined,
    extra: { ids: 'only-authorities' },
    sha256,
  })
  rig.join()
  rig.flush()
  const effects = rig.effects()
  t.match(framesOf(effects)[1], { manifest: { pieces: [{ tag: partTags.public }] } })
  t.notOk(Buffer.concat(bytesOf(effects)).includes('only-authorities'))
})

t.test('after a restart everybody gets the snapshot', async t => {
  const rig = settled()
  rig.join({ link: link(2), have: after(log[9]) })
  rig.restart()
  rig.flush()
  const effects = rig.effects()
  t.ok(framesOf(effects, child).some(({ kind }) => kind === 'snapshot-begin'))
  t.ok(framesOf(effects, link(2)).some(({ kind }) => kind === 'snapshot-begin'))
})

t.test('a snapshot of a deleted document has no pieces', async t => {
  const rig = new Rig(5)
  rig.last = encodeSnapshot({
    at: headOf(rig.ring),
    state: undefined,
    definition: undefined,
    sha256,
  })
  rig.join()
  t.equal(rig.flush(), false)
  t.match(rig.sent(), [{ kind: 'welcome' }, { kind: 'snapshot-begin', manifest: { pieces: [] } }])
  t.equal(decodeSnapshot(rig.last).state, undefined)
})
