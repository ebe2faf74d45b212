import { sha256 } from '@fanfold/conformance'
import { Chain, canonicalJson, type JsonObject, Labels } from '@fanfold/document'
import { partTags } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import {
  answersOf,
  framesOf,
  link,
  match,
  opened,
  type Rig,
  replicaOf,
  send,
  startMs,
} from './build-document.ts'
import {
  below,
  create,
  deal,
  definitionIn,
  hashOf,
  kindsOf,
  odds,
  openedTable,
  score,
  tableLabels,
  tableOf,
  textsOf,
  variantsFrom,
} from './build-labelled.ts'

t.test('a definition comes before the create that is made by it', async t => {
  const rig = openedTable()
  rig.write({ ...score, timeMs: startMs + 7 })
  t.same(kindsOf(rig.underWay?.records), ['definition', 'create', 'delta'])
  rig.durable()
  t.same(definitionIn(rig.records[0]), {
    variant: hashOf(3),
    variants: [0, 1, 2].map(ceiling => ({ ceiling, hash: hashOf(ceiling + 1) })),
    viewKey: definitionIn(rig.records[0]).viewKey,
    labels: tableLabels,
  })
  t.same(rig.records[0]?.timeMs, startMs + 7)
  t.match(answersOf(rig.effects()), [{ answer: { kind: 'committed', seq: 3 } }])
})

t.test('a definition without variants and labels leaves no record', async t => {
  const rig = opened()
  rig.commit()
  rig.load({ ...match })
  t.equal(rig.underWay, undefined)
  t.same(kindsOf(rig.records), ['create', 'delta'])
})

t.test('a label without a variant is served by no edge', async t => {
  const rig = opened()
  rig.load(tableOf(), variantsFrom(1).slice(0, 2))
  rig.commit(create)
  const definition = definitionIn(rig.records[0])
  t.equal(definition.variant, undefined)
  t.same(definition.variants.at(-1), { ceiling: 2, hash: undefined })
})

t.test('a record has a part per label, and every projection verifies', async t => {
  const rig = openedTable()
  rig.commit(create)
  rig.commit(odds({ away: 7 }))
  rig.commit(deal('ada', ['queen']))
  rig.commit(score)
  const [, created, changed, dealt, scored] = rig.records
  t.same(textsOf(created), {
    0: '{"score":0,"players":{},"rows":[]}',
    1: '[{"op":"add","path":"/odds","value":{"home":1}}]',
  })
  t.same(Object.keys(textsOf(changed)), ['1'], 'an empty part is left out')
  t.same(textsOf(dealt), {
    0: '[{"op":"add","path":"/players/ada","value":{"at":0}}]',
    2: '[{"op":"add","path":"/players/ada/hand","value":["queen"]}]',
  })
  t.same(Object.keys(textsOf(scored)), ['0'])
  t.ok(rig.records.every(record => record.payload(partTags.authority) !== undefined))
  t.same(below(rig.records, 0), { score: 1, players: { ada: { at: 0 } }, rows: [] })
  t.match(below(rig.records, 1), { odds: { away: 7 }, players: { ada: { hand: undefined } } })
  t.match(below(rig.records, 2), { players: { ada: { hand: ['queen'] } } })
  const chain = new Chain(sha256)
  const bytes = rig.records.map(record => chain.project(record, 0).bytes)
  for (const secret of ['odds', 'away', 'hand', 'queen']) {
    t.notOk(Buffer.concat(bytes).includes(secret), `${secret} does not leave`)
  }
  const salts = rig.records.flatMap(record =>
    record.parts().map(part => String(part.subarray(0, 16))),
  )
  t.equal(new Set(salts).size, salts.length, 'each part has a salt of its own')
})

t.test('a definition that is loaded is told of without a write', async t => {
  const rig = openedTable()
  rig.commit(create)
  rig.join()
  rig.effects()
  const viewKey = definitionIn(rig.records[0]).viewKey
  rig.load(tableOf(), variantsFrom(4))
  t.same(kindsOf(rig.underWay?.records), ['definition'])
  rig.durable()
  t.match(definitionIn(rig.records.at(-1)), { variant: hashOf(6), viewKey })
  t.match(framesOf(rig.effects(), link(1)), [
    { kind: 'records', records: [{ kind: 'definition' }] },
  ])
  rig.load(tableOf(), variantsFrom(4))
  t.equal(rig.underWay, undefined, 'the same again is nothing new')
})

t.test('joins wait until the definition is durable', async t => {
  const rig = openedTable()
  rig.commit(create)
  rig.effects()
  rig.load(tableOf(), variantsFrom(4))
  rig.join()
  rig.join({ link: link(2) })
  rig.document.forgetJoin(link(2))
  t.same(framesOf(rig.effects()), [])
  rig.durable()
  t.match(framesOf(rig.effects())[0], { kind: 'welcome', head: { seq: 3 } })
})

t.test('what an append under way does not know, the next batch begins with', async t => {
  const rig = openedTable()
  rig.commit(create)
  rig.write(score)
  rig.load(tableOf(), variantsFrom(4))
  rig.write(score)
  rig.effects()
  rig.join()
  t.same(framesOf(rig.effects()), [])
  rig.durable()
  t.same(kindsOf(rig.underWay?.records), ['definition', 'delta'])
  t.same(framesOf(rig.effects()), [])
  rig.durable()
  t.match(framesOf(rig.effects())[0], { kind: 'welcome', head: { seq: 5 } })
})

t.test('a log that is opened is told of the definition before anybody joins', async t => {
  const source = openedTable()
  source.commit(create)
  const rig = source.closed()
  rig.context.variants = variantsFrom(4)
  rig.join()
  rig.open()
  t.same(kindsOf(rig.underWay?.records), ['claim', 'definition'])
  t.same(framesOf(rig.effects()), [])
  rig.durable()
  t.match(framesOf(rig.effects())[0], { kind: 'welcome', head: { epoch: 2, seq: 4 } })
  t.equal(definitionIn(rig.records[3]).viewKey, definitionIn(rig.records[0]).viewKey)
  t.ok((rig.records[3]?.timeMs ?? 0) >= startMs)
})

t.test('a log that says what is loaded is opened without a word', async t => {
  const source = openedTable({ snapshotEveryRecords: 2, snapshotEveryBytes: 1 })
  source.commit(create)
  const [kept] = source
    .effects()
    .flatMap(effect => (effect.kind === 'log-keep-snapshot' ? [effect.snapshot] : []))
  t.ok(kept)
  for (const snapshot of [undefined, kept]) {
    const rig = source.restarted(snapshot)
    t.equal(rig.underWay, undefined)
    rig.commit(odds('now'))
    t.same(Object.keys(textsOf(rig.records.at(-1))), ['1'])
  }
})

t.test('a document of before becomes one with labels', async t => {
  const rig = opened()
  rig.context.definition = tableOf([])
  rig.commit(create)
  rig.commit(deal('ada', 1))
  rig.load(tableOf(), variantsFrom(1))
  rig.durable()
  t.match(textsOf(rig.records.at(-1)), {
    0: /"patch":\[\{"op":"remove","path":"\/odds"\},\{"op":"remove","path":"\/players\/ada\/hand"\}\]/,
    1: /"patch":\[\{"op":"add","path":"\/odds","value":\{"home":1\}\}\]/,
    2: /"patch":\[\{"op":"add","path":"\/players\/ada\/hand","value":1\}\]/,
  })
  t.same(below(rig.records, 0), { score: 0, players: { ada: { at: 0 } }, rows: [] })
  t.same(below(rig.records, 2), rig.state())
  rig.load(tableOf([]))
  rig.durable()
  t.same(definitionIn(rig.records.at(-1)).labels, [])
  t.same(below(rig.records, 0), rig.state(), 'and becomes open again')
})

t.test('the state is the same to the byte after a restart, whatever the labels were', async t => {
  const rig = openedTable()
  rig.commit(deal('ada', 1))
  rig.load(tableOf([{ pattern: '/score', label: 1 }]), variantsFrom(4))
  rig.durable()
  rig.commit(deal('bob', 2))
  const state = canonicalJson((rig.state() ?? null) as JsonObject)
  t.equal(canonicalJson((rig.restarted().state() ?? null) as JsonObject), state)
})

t.test('a log that ends after the definition is of a document that is not there yet', async t => {
  const source = openedTable()
  source.commit(create)
  source.records.splice(1)
  const rig = source.restarted()
  t.equal(rig.underWay, undefined)
  t.ok(rig.document.isVacant)
  rig.join()
  t.match(framesOf(rig.effects()), [{ kind: 'refused', code: 'FANFOLD_NO_DOCUMENT' }])
  t.match(rig.commit({ action: send('fail') }), { code: 'FANFOLD_HANDLER_FAILED' })
  t.match(rig.commit({ mayCreate: false }), { code: 'FANFOLD_NO_MESSAGE' })
  t.match(rig.commit(create), { kind: 'committed', epoch: 2, seq: 3 })
  t.same(kindsOf(rig.records), ['definition', 'claim', 'create'])
  t.same(below(rig.records, 0), { score: 0, players: {}, rows: [] })
})

t.test('a first message that is not accepted leaves no definition', async t => {
  const rig = openedTable()
  t.match(rig.commit({ action: send('fail') }), { code: 'FANFOLD_HANDLER_FAILED' })
  t.same(rig.records, [])
  rig.write({ action: send('fail') })
  rig.write(score)
  rig.durable()
  t.same(kindsOf(rig.records), ['definition', 'create', 'delta'])
  t.match(below(rig.records, 0), { score: 1 })
})

t.test('a write that puts a label into an array is refused and undone', async t => {
  const rig = opened()
  rig.load(tableOf([{ pattern: '/odds/*', label: 1 }]))
  rig.commit(create)
  const before = JSON.stringify(rig.state())
  t.match(rig.commit(odds([1])), { code: 'FANFOLD_LABEL_IN_ARRAY', message: /\/odds\/\*/ })
  t.equal(JSON.stringify(rig.state()), before)
  t.match(rig.commit(odds({ away: 1 })), { kind: 'committed', seq: 3 })
})

t.test('a create whose state puts a label into an array is refused', async t => {
  const rig = opened()
  const bad = { ...tableOf([{ pattern: '/rows/*', label: 1 }]), state: () => ({ rows: [1] }) }
  rig.load(bad)
  t.match(rig.commit(create), { code: 'FANFOLD_LABEL_IN_ARRAY' })
  t.same(rig.records, [])
})

t.test('a message without effect leaves no part but that of authorities', async t => {
  const rig = openedTable()
  rig.commit(create)
  rig.commit({ action: send('nothing'), id: 'a1' })
  t.same(textsOf(rig.records.at(-1)), {})
  t.equal(rig.records.at(-1)?.partCount, 1)
})

t.test('a deleted document is told of nothing', async t => {
  const rig = openedTable()
  rig.commit(create)
  rig.commit({ action: { type: 'delete' } })
  rig.load(tableOf([]))
  t.equal(rig.underWay, undefined)
  t.ok(replicaOf(childFrames(rig, 0)).isDeleted)
})

const childFrames = (rig: Rig, ceiling: number) => {
  rig.effects()
  rig.join({ ceiling })
  return framesOf(rig.effects(), link(1))
}

const hand = fc.oneof(fc.nat(), fc.string(), fc.array(fc.nat(), { maxLength: 2 }))
const step = fc.oneof(
  fc.constant(send('score')),
  hand.map(value => send('odds', { odds: value })),
  fc
    .tuple(fc.constantFrom('ada', 'bob', '1', '2'), hand)
    .map(([id, hand]) => send('deal', { id, hand })),
  fc.tuple(fc.nat({ max: 3 }), hand).map(([at, s]) => send('row', { at, s })),
  fc.constant(send('shift')),
  fc.constantFrom(tableLabels, [], [{ pattern: '/rows', label: 1 }, ...tableLabels]),
)

t.test('whatever is written, each ceiling holds what its labels leave', async t => {
  const property = fc.property(fc.array(step, { maxLength: 12 }), steps => {
    const rig = openedTable()
    rig.commit(create)
    let labels: readonly { pattern: string; label: number }[] = tableLabels
    for (const step of steps) {
      if (!('type' in step)) {
        labels = step
        rig.load(tableOf(step), variantsFrom(1))
        if (rig.underWay !== undefined) rig.durable()
      } else rig.commit({ action: step })
    }
    rig.effects()
    const state = (rig.state() ?? {}) as JsonObject
    return [0, 1, 2, 255].every(ceiling => {
      const split = Labels.compile(labels.filter(({ label }) => label > ceiling)).splitState(state)
      const [root] = (split.ok && split.parts.get(0)) || []
      const expected = root?.op === 'add' ? canonicalJson(root.value) : 'none'
      return canonicalJson(below(rig.records, ceiling) ?? null) === expected
    })
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 300 }))
})
