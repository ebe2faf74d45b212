import type { Change } from '@fanfold/client'
import t from 'tap'
import { digestOf } from '../src/digest.ts'
import { TailState } from '../src/tail-state.ts'

const snapshot = (seq: number, value: Record<string, number>, from = 0): Change => ({
  kind: 'snapshot',
  epoch: 1,
  from,
  seq,
  patch: [{ op: 'replace', path: '', value }],
  time: undefined,
})

const delta = (from: number, seq: number, path: string, value: number): Change => ({
  kind: 'delta',
  epoch: 1,
  from,
  seq,
  patch: [{ op: 'add', path, value }],
  time: 1,
})

await t.test('the digest is that of the view that the changes lead to', async t => {
  const state = new TailState()
  state.take(snapshot(3, { b: 1 }))
  state.take(delta(3, 4, '/a', 2))
  t.same(state.summary, {
    epoch: 1,
    seq: 4,
    sha256: digestOf({ a: 2, b: 1 }),
    ranges: 'adjoin',
    changes: 2,
  })
})

await t.test('the values of a change are left as they were', async t => {
  const first = snapshot(1, { a: 1 })
  const state = new TailState()
  state.take(first)
  state.take(delta(1, 2, '/b', 2))
  t.same(first.patch, [{ op: 'replace', path: '', value: { a: 1 } }])
})

await t.test('a snapshot in the middle adjoins, a hole does not', async t => {
  const state = new TailState()
  state.take(snapshot(3, {}))
  state.take(snapshot(9, { a: 1 }, 3))
  t.equal(state.summary.ranges, 'adjoin')
  state.take(delta(10, 11, '/b', 1))
  t.equal(state.summary.ranges, 'broken')
})

await t.test('a move to another view adjoins, and so does a count that begins anew', async t => {
  const state = new TailState()
  state.take(snapshot(3, {}))
  state.take(delta(3, 3, '/b', 1))
  t.equal(state.summary.ranges, 'adjoin')
  state.take({ ...snapshot(1, {}, 3), numbering: 'dense' })
  t.equal(state.summary.ranges, 'adjoin')
  state.take(snapshot(0, {}, 1))
  t.equal(state.summary.ranges, 'broken')
})

await t.test('a patch that does not fit is an error of the check', async t => {
  const state = new TailState()
  state.take(snapshot(3, {}))
  t.throws(() => state.take(delta(3, 4, '/a/b', 1)), { code: 'FANFOLD_PATCH_MISFIT', exitCode: 4 })
})

await t.test('nothing seen is no view', async t => {
  t.match(new TailState().summary, { sha256: null, changes: 0, seq: 0 })
})
