import t from 'tap'
import { type Draft, patchOf, runOn, sample } from './run-handler.ts'

t.test('several changes of a member are one operation', async t => {
  const patch = patchOf(sample(), draft => {
    draft.map['a'] = 2
    draft.map['c'] = 1
    draft.map['c'] = 2
    draft.map['d'] = 1
    delete draft.map['d']
    delete draft.map['b']
  })
  t.same(patch, [
    { op: 'replace', path: '/map/a', value: 2 },
    { op: 'add', path: '/map/c', value: 2 },
    { op: 'remove', path: '/map/b' },
  ])
})

t.test('what ends equal to what it was is no operation', async t => {
  t.same(
    patchOf(sample(), draft => {
      draft.map['a'] = 1
      draft.map['b'] = null
      draft.chunks[0] = 'zz'
      draft.chunks[0] = 'aa'
      draft.list.push({ id: 9 })
      draft.list.pop()
      draft.list.reverse()
      draft.list.reverse()
      draft.team = JSON.parse(JSON.stringify(draft.team))
      draft.list = [...draft.list]
      delete draft.map['none']
    }),
    [],
  )
})

t.test('an object spread over itself is the members that differ', async t => {
  t.same(
    patchOf(sample(), draft => {
      draft.team = {
        ...draft.team,
        players: { ...draft.team.players, p2: { hp: 1, items: ['s'] } },
      }
    }),
    [{ op: 'add', path: '/team/players/p2', value: { hp: 1, items: ['s'] } }],
  )
})

t.test('what is assigned is copied: later changes of it do not reach the state', async t => {
  const state = sample()
  const own = { hp: 1, items: ['a'] }
  patchOf(state, draft => {
    draft.team.players['p2'] = own
    own.hp = 99
    own.items.push('b')
    const inside = draft.team.players['p2']
    if (inside !== undefined) inside.hp = 2
  })
  own.items.push('c')
  t.match(state, { team: { players: { p2: { hp: 2, items: ['a'] } } } })
})

t.test('assigning a part of the state elsewhere copies it', async t => {
  const state = sample()
  patchOf(state, draft => {
    const p1 = draft.team.players['p1']
    if (p1 === undefined) return
    draft.team.players['p2'] = p1
    draft.extra = [p1, { deep: draft.team }]
    p1.hp = 50
  })
  t.match(state, {
    team: { players: { p1: { hp: 50 }, p2: { hp: 3 } } },
    extra: [{ hp: 3 }, { deep: { name: 'home', players: { p1: { hp: 3 }, p2: { hp: 3 } } } }],
  })
})

t.test('a part that was taken out can be changed, and changes nothing', async t => {
  const state = sample()
  const result = runOn(state, draft => {
    const removed = draft.list.pop()
    const team = draft.team
    draft.team = { name: 'away', players: {} }
    team.name = 'gone'
    removed?.tags?.push('y')
    return draft.list.push({ id: removed?.id ?? -1, tags: removed?.tags ?? [] })
  })
  t.match(state, { list: [{}, {}, { id: 2, tags: ['x', 'y'] }], team: { name: 'away' } })
  if (result.ok) result.undo()
  t.same(state, sample())
})

t.test('a part that was kept after its message throws and changes nothing', async t => {
  const state = sample()
  const kept: Draft[] = []
  runOn(state, draft => kept.push(draft))
  const [draft] = kept
  t.throws(() => draft?.map, /kept after its message/)
  t.throws(() => draft && 'map' in draft, /kept after its message/)
  t.throws(() => draft && Object.keys(draft), /kept after its message/)
  t.match(
    runOn(state, fresh => {
      fresh.extra = 1
      if (draft !== undefined) draft.map = {}
    }),
    { ok: false, problem: { code: 'FANFOLD_HANDLER_FAILED', message: /kept after its message/ } },
  )
  t.match(
    runOn(state, fresh => Object.assign(fresh, { extra: draft })),
    { ok: false },
  )
  t.same(state, sample())
})

t.test('arrays and objects of the state read as any others', async t => {
  const state = sample()
  runOn(state, draft => {
    t.ok(Array.isArray(draft.list))
    t.same(
      draft.list.map(row => row.id),
      [0, 1, 2],
    )
    t.equal(
      draft.list.find(row => row.id === 1),
      draft.list[1],
      'the same part each time',
    )
    t.equal(draft.list.indexOf(draft.list[2] ?? { id: 0 }), 2)
    const [first, ...rest] = draft.chunks
    t.same([first, rest.length, draft.chunks.join('')], ['aa', 3, 'aabbccdd'])
    t.same(draft.chunks.concat(['ee']).slice(-2), ['dd', 'ee'])
    t.same(Object.entries(draft.map), [
      ['a', 1],
      ['b', null],
    ])
    t.same({ ...draft.map }, { a: 1, b: null })
    t.same(JSON.parse(JSON.stringify(draft)), sample())
    t.equal('a' in draft.map, true)
    for (const row of draft.list) row.at = row.id * 2
    t.equal(draft.list.at(-1)?.at, 4)
  })
  t.match(state, { list: [{ at: 0 }, { at: 2 }, { at: 4 }] })
})

t.test("an object's members are its own: a key that a sender made up finds nothing", async t => {
  const state = sample()
  runOn(state, draft => {
    for (const name of ['toString', 'constructor', '__proto__', 'hasOwnProperty']) {
      t.equal(draft.map[name], undefined)
      t.equal(name in draft.map, false)
    }
    draft.map['toString'] = (draft.map['toString'] ?? 0) + 1
  })
  t.same(Object.entries(state['map'] ?? {}).at(-1), ['toString', 1])
})

t.test('a handler that throws is undone, whatever it throws', async t => {
  const hostile = {
    get message(): string {
      throw new Error('again')
    },
    toString: null,
  }
  for (const thrown of [new Error('no'), 'text', undefined, hostile, Object.create(null)]) {
    const state = sample()
    const result = runOn(state, draft => {
      draft.list.sort((a, b) => b.id - a.id)
      draft.list[0] = { id: 7 }
      delete draft.map['a']
      throw thrown
    })
    t.match(result, { ok: false, problem: { code: 'FANFOLD_HANDLER_FAILED' } })
    t.same(state, sample())
  }
  t.match(
    runOn(sample(), () => {
      throw new Error('x'.repeat(9_999))
    }),
    { problem: { message: 'x'.repeat(500) } },
  )
})

t.test('a handler that returns a promise is undone', async t => {
  const state = sample()
  const result = runOn(state, async draft => {
    draft.map['a'] = 2
    await undefined
    draft.map['a'] = 3
  })
  t.match(result, { ok: false, problem: { message: /synchronous/ } })
  await new Promise(resolve => setImmediate(resolve))
  t.same(state, sample())
})
