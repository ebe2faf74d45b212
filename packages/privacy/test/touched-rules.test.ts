import type { JsonObject } from '@fanfold/document'
import t from 'tap'
import { touchedPlaces, touchedRules } from '../src/touched-rules.ts'
import { define, everybody } from './build-view.ts'

/** The places whose answers may turn when `paths` are touched. */
function turned(pattern: string, reads: readonly string[], state: JsonObject, paths: string[][]) {
  const { rules } = define({ [pattern]: { reads, allow: everybody } })
  return touchedRules(rules, paths).flatMap(rule => touchedPlaces(rule, state))
}

const state = { roles: { anna: 1, bob: 2 }, list: [{ x: 1 }], deep: { anna: { k: 1, l: 2 } } }

t.test('a path at, above or below a read turns every place of the rule', async t => {
  const all = [
    ['roles', 'anna'],
    ['roles', 'bob'],
  ]
  for (const path of [['game', 'phase'], ['game'], ['game', 'phase', 'day']]) {
    t.same(turned('/roles/*', ['/game/phase'], state, [path]), all)
  }
  t.same(turned('/roles/*', ['/game/phase'], state, [['game', 'other']]), [])
})

t.test('what a * of a read stands for says which places', async t => {
  t.same(turned('/roles/*', ['/teams/*'], state, [['teams', 'bob', 'x']]), [['roles', 'bob']])
  t.same(turned('/roles/*', ['/teams/*'], state, [['teams', 'carl']]), [])
  t.same(turned('/deep/*/*', ['/teams/*'], state, [['teams', 'anna']]), [
    ['deep', 'anna', 'k'],
    ['deep', 'anna', 'l'],
  ])
})

t.test('an array stands for the places in it', async t => {
  t.same(turned('/list/*/x', ['/phase'], state, [['phase']]), [['list']])
})
