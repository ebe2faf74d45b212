import { sha256 } from '@fanfold/conformance'
import { encodeSnapshot, type WarmDocument, type WarmEffect } from '@fanfold/document'
import { instant, milliseconds, type Sha256 } from '@fanfold/kernel'
import { type DocumentKey, type LinkId, parseDocumentKey } from '@fanfold/protocol'
import {
  defaultTransferLimits,
  type JoinRequest,
  LinkAllowance,
  TurnAllowance,
  WarmCheck,
} from '@fanfold/replication'
import t from 'tap'
import { WarmReads } from '../src/warm-reads.ts'
import { doc, link, log, positionAt, snapshotAt } from './build-proxy.ts'

const at = (ms: number) => instant(ms * 1_000)
const request = (id: LinkId, credit = 1): JoinRequest => ({
  link: id,
  ceiling: 239,
  have: undefined,
  credit,
  take: 'any',
  isMovable: false,
  codecs: 0,
  isCongested: false,
  allowance: new LinkAllowance(new TurnAllowance(1), defaultTransferLimits),
})

const ring = { recordsMax: 100, bytesMax: 100_000, ageMax: milliseconds(60_000) }
const readsBy = (digest: Sha256 = sha256): WarmReads =>
  new WarmReads((doc, document) => new WarmCheck({ doc, document, sha256: digest, ring }))

const small: WarmDocument = { snapshot: snapshotAt(10), records: log.slice(10, 15), ceiling: 239 }
const rows = Object.fromEntries(
  Array.from({ length: 10_000 }, (_, row) => [`r${row}`, 'x'.repeat(990)]),
)
/** Some 10 MB. */
const large: WarmDocument = {
  snapshot: encodeSnapshot({ at: positionAt(10), state: { rows }, definition: undefined, sha256 }),
  records: [],
  ceiling: 239,
}
const other: DocumentKey = parseDocumentKey('acme/match/other')

t.test('a document is looked for once, and of a link only the last join waits', async t => {
  const reads = readsBy()
  const effects: WarmEffect[] = []
  reads.wait(doc, request(link(1)), at(0), effects)
  reads.wait(doc, request(link(2)), at(500), effects)
  reads.wait(doc, request(link(1), 7), at(600), effects)
  t.same(effects, [{ kind: 'warm-read', doc }])
  t.match(reads.take(doc), [
    { link: 1, credit: 7 },
    { link: 2, credit: 1 },
  ])
  t.same(reads.take(doc), [])
  t.equal(reads.wakeAt(), undefined)
})

t.test('it is looked for no longer than a second', async t => {
  const reads = readsBy()
  reads.wait(doc, request(link(1)), at(0), [])
  reads.wait(doc, request(link(2)), at(900), [])
  t.same(reads.tick(at(999)), [])
  t.same(reads.tick(at(1_000)), [{ doc, verified: undefined }])
  t.equal(reads.take(doc).length, 2)
})

t.test('when the last one leaves, nobody waits for it', async t => {
  const reads = readsBy()
  reads.wait(doc, request(link(1)), at(0), [])
  reads.leave(doc, link(2))
  t.equal(reads.count, 1)
  reads.leave(doc, link(1))
  t.equal(reads.count, 0)
  t.equal(reads.wakeAt(), undefined)
})

t.test(
  'what is found is verified at once when it is small, or a turn’s worth at a time',
  async t => {
    let digested = 0
    const reads = readsBy((input, target, offset) => {
      digested += input.length
      sha256(input, target, offset)
    })
    reads.wait(doc, request(link(1)), at(0), [])
    reads.wait(other, request(link(1)), at(0), [])
    const [read] = reads.found(doc, small, at(1))
    t.ok(read?.verified)
    reads.take(doc)
    digested = 0
    t.same(reads.found(other, large, at(2)), [])
    t.ok(digested < 4_300_000, `${digested} bytes`)
    t.equal(reads.wakeAt(), at(2), 'and goes on in the next turn')
    digested = 0
    t.same(reads.tick(at(3)), [])
    t.ok(digested < 4_300_000, `${digested} bytes`)
    t.match(reads.tick(at(4)), [{ doc: other, verified: { ceiling: 239 } }])
    t.equal(reads.count, 1, 'it counts until it is followed')
    t.equal(reads.take(other).length, 1)
    t.equal(reads.count, 0)
    t.equal(reads.wakeAt(), undefined)
  },
)

t.test(
  'documents are verified one after the other, and a turn that has room begins the next',
  async t => {
    const reads = readsBy()
    reads.wait(other, request(link(1)), at(0), [])
    reads.wait(doc, request(link(2)), at(0), [])
    t.same(reads.found(other, large, at(1)), [])
    t.same(reads.found(doc, small, at(1)), [], 'it waits for its turn')
    t.same(reads.tick(at(2)), [])
    t.match(reads.tick(at(3)), [{ doc: other }, { doc, verified: { ceiling: 239 } }])
  },
)

t.test('what does not verify, and what nothing is found of, is followed without', async t => {
  const reads = readsBy()
  const turned = small.snapshot.pieces.map(piece => piece.map(byte => byte ^ 1))
  for (const found of [undefined, { ...small, snapshot: { ...small.snapshot, pieces: turned } }]) {
    reads.wait(doc, request(link(1)), at(0), [])
    t.same(reads.found(doc, found, at(1)), [{ doc, verified: undefined }])
    reads.take(doc)
  }
  t.same(reads.found(doc, small, at(2)), [], 'an answer that is late is nobody’s')
})

t.test('nobody waits longer than a second for what is verified either', async t => {
  const reads = readsBy()
  reads.wait(doc, request(link(1)), at(0), [])
  reads.found(doc, large, at(999))
  t.same(reads.tick(at(1_000)), [{ doc, verified: undefined }])
  t.equal(reads.take(doc).length, 1)
  t.same(reads.tick(at(1_001)), [], 'and it is verified no further')
  t.equal(reads.wakeAt(), undefined)
})

t.test('what nobody wants any more is verified no further', async t => {
  const reads = readsBy()
  reads.wait(doc, request(link(1)), at(0), [])
  reads.found(doc, large, at(1))
  reads.leave(doc, link(1))
  t.equal(reads.wakeAt(), undefined)
  t.same(reads.tick(at(2)), [])
})
