import type { PatchOperation } from '@fanfold/document'
import t from 'tap'
import { SeenView } from '../src/seen-view.ts'
import { SeenSight } from '../src/sight.ts'

const replaceA = (value: number): PatchOperation[] => [{ op: 'replace', path: '/a', value }]

await t.test('views with the same text are the same, whoever got them', async t => {
  const view = SeenView.of({ a: 1, b: { c: 2 } })
  t.equal(SeenView.of({ a: 1, b: { c: 2 } }), view)
  t.not(SeenView.of({ a: 2, b: { c: 2 } }), view)
})

await t.test('a step from a view leaves it as it is', async t => {
  const view = SeenView.of({ a: 10, b: 1 })
  t.equal(view.step(replaceA(11))?.json, '{"a":11,"b":1}')
  t.equal(view.json, '{"a":10,"b":1}')
  t.equal(view.step(replaceA(12))?.json, '{"a":12,"b":1}')
  t.equal(view.step(replaceA(11)), SeenView.of({ a: 11, b: 1 }), 'another way to the same')
  t.equal(view.step([{ op: 'remove', path: '/none' }]), undefined)
})

await t.test(
  'a view that came back by steps is the first one, and steps on from there',
  async t => {
    const view = SeenView.of({ a: 20 })
    const back = view.step(replaceA(21))?.step(replaceA(20))
    t.equal(back, view)
    t.equal(back?.step(replaceA(22))?.json, '{"a":22}')
    t.equal(SeenView.of({ a: 21 }).json, '{"a":21}')
  },
)

await t.test('what differs is found however often it is compared', async t => {
  const view = SeenView.of({ a: 30 })
  const [same, other] = [{ a: 30 }, { a: 31 }].map(one => new SeenSight(one, false, false))
  for (const sight of [same, other, same, other]) {
    if (sight === undefined) continue
    t.equal(view.differsFrom(sight) === undefined, sight === same)
  }
})
