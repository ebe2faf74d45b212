import { buildLog, sha256 } from '@fanfold/conformance'
import { encodeSnapshot, type Snapshot } from '@fanfold/document'
import type { Sha256 } from '@fanfold/kernel'
import { type LogRecord, type Position, parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { type KeptDocument, LoopSnapshots } from '../src/loop-snapshots.ts'

const doc = parseDocumentKey('acme/match/final')
const other = parseDocumentKey('acme/match/other')
const everything = buildLog({ doc, count: 3_000, recordBytes: 500 }).records

/** After the record with this seq. */
function positionAt(seq: number): Position {
  const { epoch, chainHash: hash } = everything[seq - 1] as LogRecord
  return { epoch, seq, hash }
}

const rows = Object.fromEntries(
  Array.from({ length: 2_000 }, (_, row) => [`r${row}`, 'x'.repeat(990)]),
)
const snapshotAt = (seq: number, state: object = { n: seq, rows }): Snapshot =>
  encodeSnapshot({ at: positionAt(seq), state: { ...state }, definition: undefined, sha256 })

/** A document that has a snapshot of some 2 MB and nearly 3,000 records, and what was made of it. */
class Kept implements KeptDocument {
  kept: KeptDocument['kept'] = { snapshot: snapshotAt(10), records: everything.slice(10) }
  readonly made: Snapshot[] = []

  remade(snapshot: Snapshot): void {
    this.made.push(snapshot)
  }
}

t.test('a snapshot is made in slices, each of which reads, applies and writes little', async t => {
  let digested = 0
  let parsed = 0
  const counting: Sha256 = (input, target, offset) => {
    digested += input.length
    sha256(input, target, offset)
  }
  const { parse } = JSON
  JSON.parse = (text: string, ...more) => {
    parsed += text.length
    return parse(text, ...more)
  }
  t.teardown(() => {
    JSON.parse = parse
  })
  const loop = new LoopSnapshots(counting)
  const kept = new Kept()
  loop.add(doc, kept)
  let slices = 0
  let most = 0
  for (; loop.isDue; slices++) {
    digested = 0
    parsed = 0
    t.equal(loop.tick(), undefined)
    most = Math.max(most, digested, parsed)
  }
  t.ok(most <= 262_144 + 65_536, `${most} bytes`)
  t.ok(slices >= 20, `${slices} slices`)
  t.match(kept.made, { length: 1 })
  t.same(kept.made[0]?.manifest, snapshotAt(3_000).manifest)
})

t.test('one document’s is made after the other’s, and once however often it is due', async t => {
  const loop = new LoopSnapshots(sha256)
  const [first, second] = [new Kept(), new Kept()]
  loop.add(doc, first)
  loop.add(other, second)
  while (first.made.length === 0) {
    loop.add(doc, first)
    loop.tick()
    t.equal(second.made.length, 0)
  }
  while (loop.isDue) loop.tick()
  t.equal(first.made.length, 1)
  t.equal(second.made.length, 1)
})

t.test('what comes while it is made is not in it', async t => {
  const loop = new LoopSnapshots(sha256)
  const kept = new Kept()
  const records = everything.slice(10, 20)
  kept.kept = { snapshot: snapshotAt(10), records }
  loop.add(doc, kept)
  loop.tick()
  records.push(...everything.slice(20))
  while (loop.isDue) loop.tick()
  t.equal(kept.made[0]?.manifest.at.seq, 20)
})

t.test('one that is not wanted any more is not made', async t => {
  const loop = new LoopSnapshots(sha256)
  const [gone, left, next] = [new Kept(), new Kept(), new Kept()]
  gone.kept = undefined
  loop.add(doc, gone)
  loop.tick()
  t.notOk(loop.isDue)
  loop.add(doc, left)
  loop.add(other, next)
  loop.tick()
  loop.delete(doc)
  while (loop.isDue) loop.tick()
  t.equal(left.made.length, 0)
  t.equal(next.made.length, 1, 'and the next one begins by itself')
})

t.test('of what cannot be read there is none, and whose it is is told', async t => {
  const loop = new LoopSnapshots(sha256)
  const kept = new Kept()
  const { manifest, pieces } = snapshotAt(10)
  kept.kept = {
    snapshot: { manifest, pieces: pieces.with(1, new Uint8Array([0x5b])) },
    records: [],
  }
  loop.add(doc, kept)
  const told = []
  while (loop.isDue) told.push(loop.tick())
  t.same(
    told.filter(key => key !== undefined),
    [doc],
  )
  t.same(kept.made, [])
})
