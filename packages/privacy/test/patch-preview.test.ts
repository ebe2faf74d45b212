import type { JsonObject, PatchOperation } from '@fanfold/document'
import t from 'tap'
import { PatchPreview } from '../src/patch-preview.ts'

const preview = (state: JsonObject, ...patch: PatchOperation[]): PatchPreview =>
  new PatchPreview(state, patch)

t.test('a preview leaves state and patch as they are', async t => {
  const state = { a: { b: [1, { c: 2 }] } }
  const patch: PatchOperation[] = [
    { op: 'add', path: '/x', value: { y: [1] } },
    { op: 'add', path: '/x/y/0', value: 0 },
    { op: 'replace', path: '/a/b/1/c', value: 3 },
    { op: 'remove', path: '/a/b/0' },
    { op: 'move', from: '/a', path: '/x/a' },
  ]
  const before = structuredClone({ state, patch })
  t.ok(preview(state, ...patch).isFitting)
  t.same({ state, patch }, before)
})

t.test('a move is what it removes and adds, with the value as it is then', async t => {
  const { touches } = preview(
    { a: { b: 1 }, z: {} },
    { op: 'replace', path: '/a/b', value: 2 },
    { op: 'move', from: '/a', path: '/z/a' },
    { op: 'replace', path: '/z/a/b', value: 3 },
  )
  t.same(
    touches.map(({ operation }) => operation),
    [
      { op: 'replace', path: '/a/b', value: 2 },
      { op: 'remove', path: '/a' },
      { op: 'add', path: '/z/a', value: { b: 2 } },
      { op: 'replace', path: '/z/a/b', value: 3 },
    ],
  )
})

t.test('it says which writes are lost on the way', async t => {
  const lossy = (state: JsonObject, ...patch: PatchOperation[]): boolean[] =>
    preview(state, ...patch).touches.map(({ isLossy }) => isLossy)
  t.same(
    lossy({}, { op: 'add', path: '/a', value: { b: 1 } }, { op: 'add', path: '/a/c', value: 1 }),
    [false, false],
  )
  t.same(lossy({}, { op: 'add', path: '/a', value: { b: 1 } }, { op: 'remove', path: '/a/b' }), [
    false,
    true,
  ])
  t.same(
    lossy({}, { op: 'add', path: '/a', value: [1] }, { op: 'replace', path: '/a/0', value: 2 }),
    [false, true],
  )
  t.same(
    lossy({ a: [1, 2] }, { op: 'remove', path: '/a/0' }, { op: 'add', path: '/a/-', value: 3 }),
    [false, false],
  )
  t.same(
    lossy({ a: [1, 2] }, { op: 'add', path: '/a/0', value: 0 }, { op: 'remove', path: '/a/0' }),
    [false, true],
  )
})

t.test('a patch that comes to nothing is unchanged, at the root and where it worked', async t => {
  const rotated = preview(
    { log: [1, 1, 1] },
    { op: 'remove', path: '/log/0' },
    { op: 'add', path: '/log/-', value: 1 },
  )
  t.ok(rotated.isUnchangedAt([]))
  t.ok(rotated.isUnchangedAt(['log']))
  const there = preview(
    { a: { b: 1 } },
    { op: 'move', from: '/a', path: '/c' },
    { op: 'move', from: '/c', path: '/a' },
    { op: 'add', path: '/d', value: 1 },
  )
  t.ok(there.isUnchangedAt(['a']))
  t.ok(there.isUnchangedAt(['c']))
  t.notOk(there.isUnchangedAt(['d']))
  t.same(there.differenceAt([], ''), [{ op: 'add', path: '/d', value: 1 }])
})

t.test('what does not fit is found', async t => {
  const state = { a: 1, list: [1] }
  const unfit: PatchOperation[] = [
    { op: 'remove', path: '/b' },
    { op: 'replace', path: '/b', value: 1 },
    { op: 'add', path: '/a/b', value: 1 },
    { op: 'add', path: '/list/2', value: 1 },
    { op: 'add', path: '/list/x', value: 1 },
    { op: 'remove', path: '/list/-' },
    { op: 'copy', from: '/b', path: '/c' },
    { op: 'move', from: 'no pointer', path: '/c' },
    { op: 'remove', path: '' },
    { op: 'replace', path: '', value: [] },
  ]
  for (const operation of unfit) t.notOk(preview(state, operation).isFitting, operation.op)
})

t.test('it says where the first array on the way is', async t => {
  const { touches } = preview(
    { a: [{ b: [1] }], c: {} },
    { op: 'add', path: '/a/0/b/0', value: 1 },
    { op: 'add', path: '/c/d', value: [] },
    { op: 'add', path: '/c/d/-', value: 1 },
  )
  t.same(
    touches.map(({ arrayDepth }) => arrayDepth),
    [1, undefined, 2],
  )
})
