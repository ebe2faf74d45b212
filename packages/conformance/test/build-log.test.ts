import { Chain, Replica } from '@fanfold/document'
import { parseDocumentKey, zeroHash } from '@fanfold/protocol'
import t from 'tap'
import { buildLog, sha256 } from '../src/build-log.ts'

const doc = parseDocumentKey('acme/match/final')

t.test('stretches chain, and replay to the seq of the last record', async t => {
  const first = buildLog({ doc, count: 4 })
  const second = buildLog({ doc, count: 3, epoch: 2, after: first.end })
  const chain = new Chain(sha256)
  const replica = new Replica(sha256)
  let before = zeroHash
  for (const record of [...first.records, ...second.records]) {
    t.ok(chain.verifies(record, before))
    before = record.chainHash
    replica.append(record)
  }
  t.same(replica.state(), { n: 7 })
  t.same(replica.position, second.end)
})

t.test('equal arguments give equal bytes, another seed another history', async t => {
  const build = (seed: string): Uint8Array => buildLog({ doc, count: 2, seed }).end.hash
  t.same(build('a'), build('a'))
  t.notSame(build('a'), build('b'))
})

t.test('records can be of a given size', async t => {
  const { records } = buildLog({ doc, count: 3, recordBytes: 500 })
  t.same(
    records.map(record => record.bytes.length),
    [500, 500, 500],
  )
  t.throws(() => buildLog({ doc, count: 1, recordBytes: 50 }), /a record of at least/)
})
