import t from 'tap'
import { ValueTemplate } from '../../src/bench/value-template.ts'

await t.test('the number and the time of a write stand wherever JSON may have them', async t => {
  const template = new ValueTemplate('{"n":{{n}},"id":"car-{{n}}","at":{{now}},"list":[{{n}}]}')
  t.same(template.valueOf({ number: 7, nowMs: 1_700 }), { n: 7, id: 'car-7', at: 1_700, list: [7] })
})

await t.test('a message may have no value', async t => {
  t.equal(new ValueTemplate(undefined).valueOf({ number: 1, nowMs: 2 }), undefined)
})

await t.test('what makes no JSON is a usage error, and so is an unknown mark', async t => {
  for (const text of ['{', '{"a":{{n}}', '{"a":"{{number}}"}', '']) {
    t.throws(() => new ValueTemplate(text), { code: 'FANFOLD_USAGE' }, text)
  }
})
