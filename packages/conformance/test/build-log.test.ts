import { Chain, Replica } from '@fanfold/document'
import { parseDocumentKey, partTags, tagOf, zeroHash } from '@fanfold/protocol'
import t from 'tap'
import { buildLog, sha256 } from '../src/build-log.ts'
import { labelledText } from '../src/log-script.ts'

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

const definition = {
  variant: 'ab'.repeat(32),
  viewKey: 'cd'.repeat(16),
  labels: [
    { pattern: '/odds', label: 1 },
    { pattern: '/roles/*', label: 2 },
  ],
}

t.test('a log can begin with its definition, and then has a part for each label', async t => {
  const { records } = buildLog({ doc, count: 4, definition })
  t.same(
    records.map(record => record.kind),
    ['definition', 'create', 'delta', 'delta'],
  )
  for (const [ceiling, state] of [
    { n: 4, roles: {} },
    { n: 4, roles: {}, odds: labelledText(1, 4) },
    { n: 4, roles: { any: labelledText(2, 4) }, odds: labelledText(1, 4) },
  ].entries()) {
    const chain = new Chain(sha256)
    const replica = new Replica(sha256)
    let before = zeroHash
    for (const record of records.map(record => chain.project(record, ceiling))) {
      t.ok(chain.verifies(record, before))
      before = record.chainHash
      replica.append(record)
    }
    t.same(replica.state(), state, `below ceiling ${ceiling}`)
    t.same(replica.definition?.labels, definition.labels.slice(0, ceiling))
    t.equal(replica.definition?.variant, definition.variant)
  }
})

t.test('records can be whole: with what the crowd and the authority add', async t => {
  const { records } = buildLog({ doc, count: 3, definition, isWhole: true })
  const tags = records.map(record => record.parts().map(tagOf))
  t.same(tags, [
    [0, 1, 2, partTags.crowd, partTags.authority],
    [0, 1, 2, partTags.crowd, partTags.authority],
    [0, 1, 2, partTags.crowd, partTags.authority],
  ])
  t.notOk(Buffer.concat(records.map(({ bytes }) => bytes)).includes('undefined'))
})

t.test('a later stretch of a log with a definition goes on as it began', async t => {
  const whole = buildLog({ doc, count: 4, definition })
  const after = { epoch: 1, seq: 2, hash: whole.records[1]?.chainHash ?? zeroHash }
  const later = buildLog({ doc, count: 2, definition, after })
  const replica = new Replica(sha256)
  for (const record of [...whole.records.slice(0, 2), ...later.records]) replica.append(record)
  t.match(replica.state(), { n: 4, odds: labelledText(1, 4) })
})

t.test('labelled places that lie inside one another, and what is no pattern', async t => {
  const nested = [
    { pattern: '/a/b', label: 1 },
    { pattern: '/a/b/c/*', label: 2 },
  ]
  const build = (labels: typeof nested) =>
    buildLog({ doc, count: 3, definition: { ...definition, labels } })
  t.throws(() => build([{ pattern: 'odds', label: 1 }]), /a pattern, got odds/)
  t.throws(() => build(nested), /no labelled place lies inside another/)
})
