import { sha256 } from '@fanfold/conformance'
import { Replica, type WarmDocument } from '@fanfold/document'
import type { Sha256 } from '@fanfold/kernel'
import { zeroPosition } from '@fanfold/protocol'
import t from 'tap'
import { RecordRing } from '../src/record-ring.ts'
import { WarmCheck } from '../src/warm-check.ts'
import { after, at, damaged, doc, recordsOf, ringLimits, snapshotAt } from './build-stream.ts'

const log = recordsOf(1_000)
const ring = ringLimits()
/** A snapshot of some 600 kB, and nearly a thousand records. */
const kept: WarmDocument = {
  snapshot: snapshotAt(after(log[9]), 600_000),
  records: log.slice(10),
  ceiling: 3,
}

const checkOf = (document: WarmDocument, digest: Sha256 = sha256): WarmCheck =>
  new WarmCheck({ doc, document, sha256: digest, ring })

t.test('what was kept is verified by turns, each of which digests little', async t => {
  let digested = 0
  const check = checkOf(kept, (input, target, offset) => {
    digested += input.length
    sha256(input, target, offset)
  })
  let turns = 0
  for (; !check.isOver; turns++) {
    digested = 0
    t.equal(check.verified, undefined, 'nobody gets what has not verified')
    const left = check.step(300_000, at(0))
    t.equal(left > 0, check.isOver)
    t.ok(digested <= 300_000 + 65_536, `${digested} bytes`)
  }
  // Records count for more than their bytes: each is digested by itself.
  t.ok(turns >= 600_000 / 300_000 + (990 * 4_096) / 600_000, `${turns} turns`)
  const { staged, ceiling } = check.verified ?? never()
  t.equal(ceiling, 3)
  const [replica, shown] = [new Replica(sha256), new RecordRing(ring, zeroPosition)]
  staged.moveTo(replica, shown, at(0))
  t.match(replica.position, after(log[999]))
  t.match(replica.state(), { n: 1_000 })
  t.equal(shown.lastSeq, 1_000)
})

t.test('what is left of a turn is for the next document', async t => {
  const check = checkOf({ ...kept, records: [] })
  const bytes = kept.snapshot.manifest.pieces.reduce((sum, piece) => sum + piece.bytes, 0)
  t.equal(check.step(1_000_000, at(0)), 1_000_000 - bytes)
  t.ok(check.verified)
})

t.test('wherever it is damaged, it is no good and nothing more is looked at', async t => {
  const { snapshot, records } = kept
  const turned = snapshot.pieces.map(piece => piece.slice())
  turned.at(-1)?.fill(0)
  const bad: WarmDocument[] = [
    { ...kept, snapshot: { ...snapshot, pieces: turned } },
    { ...kept, snapshot: { ...snapshot, pieces: snapshot.pieces.slice(1) } },
    { ...kept, snapshot: { ...snapshot, pieces: snapshot.pieces.map(() => new Uint8Array(1)) } },
    { ...kept, records: records.with(500, damaged(records[500] ?? never(), 8)) },
    { ...kept, records: records.toSpliced(500, 1) },
    { ...kept, records: records.slice(1) },
    { ...kept, records: recordsOf(1_000, 'another').slice(10) },
  ]
  for (const document of bad) {
    const check = checkOf(document)
    for (let turn = 0; turn < 1_000 && !check.isOver; turn++) check.step(100_000, at(0))
    t.ok(check.isOver)
    t.equal(check.verified, undefined)
    t.equal(check.step(100, at(0)), 100)
  }
})

function never(): never {
  throw new Error('there are records, and all is well')
}
