import t from 'tap'
import { answersOf, at, doc, factsOf, framesOf, replicaOf, send } from './build-document.ts'
import {
  below,
  create,
  deal,
  definitionIn,
  kindsOf,
  odds,
  openedTable,
  score,
  tableLabels,
  tableOf,
  textsOf,
  variantsFrom,
} from './build-labelled.ts'

t.test('a log without room for the definition leaves the one before in force', async t => {
  const rig = openedTable()
  rig.commit(create)
  rig.load(tableOf([]), variantsFrom(4))
  rig.join()
  rig.effects()
  rig.refuse('FANFOLD_LOG_FULL')
  t.match(framesOf(rig.effects()), [
    { kind: 'refused', code: 'FANFOLD_LOG_FULL', retryAfterMs: 1_000 },
  ])
  t.equal(rig.underWay, undefined, 'it is not tried again by itself')
  t.ok(rig.document.isQuiet)
  rig.join()
  t.same(kindsOf(rig.underWay?.records), ['definition'], 'who asks tries again')
  rig.refuse('FANFOLD_LOG_FULL')
  rig.write(odds(9))
  t.same(kindsOf(rig.underWay?.records), ['definition', 'delta'])
  rig.refuse('FANFOLD_LOG_FULL')
  t.match(answersOf(rig.effects()), [{ answer: { code: 'FANFOLD_LOG_FULL' } }])
  t.match(rig.commit(odds(9)), { kind: 'committed', seq: 4 })
  t.same(kindsOf(rig.records), ['definition', 'create', 'definition', 'delta'])
  t.match(below(rig.records, 0), { odds: 9 })
})

t.test('a log that is fenced refuses who waits for the definition', async t => {
  const rig = openedTable()
  rig.commit(create)
  rig.load(tableOf([]), variantsFrom(4))
  rig.join()
  rig.effects()
  rig.refuse('FANFOLD_FENCED')
  t.match(framesOf(rig.effects()), [{ kind: 'refused', code: 'FANFOLD_FENCED' }])
})

t.test('a document that cannot take a definition goes on under the one before', async t => {
  const rig = openedTable()
  rig.commit(create)
  rig.commit({ action: send('row', { at: 0, s: 'secret' }) })
  rig.effects()
  const labels = [{ pattern: '/rows/*', label: 1 }]
  rig.load({ ...tableOf(labels), messages: {} }, variantsFrom(4))
  t.equal(rig.underWay, undefined)
  const effects = rig.effects()
  t.match(effects, [{ fact: { event: 'definition-refused', code: 'FANFOLD_LABEL_IN_ARRAY' } }])
  rig.join()
  t.match(framesOf(rig.effects())[0], { kind: 'welcome' })
  t.match(rig.commit(odds(3)), { kind: 'committed' }, 'by the handlers of before')
  t.same(Object.keys(textsOf(rig.records.at(-1))), ['1'])
  t.notOk(factsOf(rig.effects()).includes('definition-refused'), 'once')
  rig.load(tableOf(), variantsFrom(7))
  t.same(kindsOf(rig.underWay?.records), ['definition'], 'another one is taken')
})

t.test('without the handlers of before, messages are refused and children are served', async t => {
  const source = openedTable()
  source.commit(create)
  source.commit({ action: send('row', { at: 0, s: 'secret' }) })
  const rig = source.closed()
  rig.context.definition = tableOf([{ pattern: '/rows/*', label: 1 }])
  rig.open()
  t.match(rig.effects(), [{ fact: { event: 'definition-refused' } }])
  t.match(rig.commit(score), { code: 'FANFOLD_LABEL_IN_ARRAY' })
  rig.effects()
  rig.join({ ceiling: 0 })
  t.same(replicaOf(framesOf(rig.effects())).state(), { score: 0, players: {}, rows: [{ n: 0 }] })
})

t.test('a change of labels that no record holds is refused', async t => {
  const rig = openedTable()
  rig.commit(create)
  for (let count = 0; count < 30; count++) rig.commit(deal(`${count}`, 'x'.repeat(40_000)))
  rig.effects()
  rig.load(tableOf([]))
  t.match(rig.effects(), [{ fact: { event: 'definition-refused', code: 'FANFOLD_TOO_LARGE' } }])
  const long = Array.from({ length: 100 }, (_, index) => ({
    pattern: `/${String(index).padEnd(1_000, 'x')}`,
    label: 1,
  }))
  rig.load(tableOf([...tableLabels, ...long]))
  t.match(rig.effects(), [{ fact: { event: 'definition-refused', code: 'FANFOLD_TOO_LARGE' } }])
})

t.test('the handlers that go on are those of the definition that the log tells of', async t => {
  const rig = openedTable()
  rig.commit(create)
  rig.commit({ action: send('row', { at: 0, s: 'secret' }) })
  rig.load({ ...tableOf([]), messages: {} })
  // While the log is told of one definition, another comes that the document cannot take.
  rig.load(tableOf([{ pattern: '/rows/*', label: 1 }]))
  rig.durable()
  t.ok(factsOf(rig.effects()).includes('definition-refused'))
  t.match(rig.commit(score), { code: 'FANFOLD_NO_MESSAGE' })
})

t.test('what the log said while it was read is not what it says in the end', async t => {
  const first = openedTable()
  first.commit(create)
  first.load(tableOf([]), variantsFrom(4))
  first.durable()
  t.same(kindsOf(first.records), ['definition', 'create', 'definition'])
  const rig = first.closed()
  rig.context.definition = tableOf()
  rig.context.variants = variantsFrom(1)
  rig.write(score)
  const records = rig.records.splice(0, 2)
  rig.document.receive({ kind: 'log-records', doc, records }, at(0), [])
  t.equal(rig.document.definition, rig.context.definition, 'the log says this one, so far')
  rig.open()
  t.same(kindsOf(rig.underWay?.records), ['claim', 'definition', 'delta'])
  t.same(definitionIn(rig.underWay?.records[1]).labels, tableLabels)
})
