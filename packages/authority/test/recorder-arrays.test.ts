import t from 'tap'
import { long, patchOf } from './run-handler.ts'

t.test('an insertion into a long array is one operation', async t => {
  const patch = patchOf(long(200), draft => draft.list.splice(3, 0, { id: -1 }))
  t.same(patch, [{ op: 'add', path: '/list/3', value: { id: -1 } }])
  t.same(
    patchOf(long(200), draft => draft.list.shift()),
    [{ op: 'remove', path: '/list/0' }],
  )
  t.equal(patchOf(long(200), draft => draft.list.unshift({ id: -1 })).length, 1)
  t.equal(patchOf(long(200), draft => draft.list.push({ id: -1 })).length, 1)
})

t.test('an edit of a text in chunks says only the chunks it touches', async t => {
  t.same(
    patchOf(long(800), draft => draft.chunks.splice(17, 1, 'new')),
    [{ op: 'replace', path: '/chunks/17', value: 'new' }],
  )
  t.same(
    patchOf(long(800), draft => draft.chunks.splice(17, 1, 'left', 'right')),
    [
      { op: 'replace', path: '/chunks/17', value: 'left' },
      { op: 'add', path: '/chunks/18', value: 'right' },
    ],
  )
})

t.test('an array assigned over an array is what differs', async t => {
  t.same(
    patchOf(long(200), draft => {
      draft.list = draft.list.filter(row => row.id !== 50 && row.id !== 150)
    }),
    [
      { op: 'remove', path: '/list/50' },
      { op: 'remove', path: '/list/149' },
    ],
  )
  t.same(
    patchOf(long(200), draft => {
      draft.list = draft.list.map(row => (row.id === 7 ? { ...row, at: 1 } : row))
    }),
    [{ op: 'add', path: '/list/7/at', value: 1 }],
  )
})

t.test('an array that is new all over is replaced', async t => {
  const patch = patchOf(long(200), draft => draft.list.reverse())
  t.match(patch, [{ op: 'replace', path: '/list' }])
  t.match(
    patchOf(long(200), draft => draft.list.splice(0)),
    [{ op: 'replace', path: '/list', value: [] }],
  )
  const turned = patchOf(long(2_000), draft => {
    for (let turn = 0; turn < 21; turn++) draft.list.reverse()
    for (const row of draft.list) row.at = 1
  })
  t.equal(turned.length, 1)
})

t.test('a change inside an element that moved follows it', async t => {
  const state = long(50)
  const patch = patchOf(state, draft => {
    const row = draft.list[10]
    draft.list.splice(2, 1)
    draft.list.unshift({ id: -1 }, { id: -2 })
    if (row !== undefined) row.at = 5
  })
  t.same(patch.at(-1), { op: 'add', path: '/list/11/at', value: 5 })
  t.equal(patch.length, 4)
})
