import { documentLimits, type JsonObject, type PatchOperation } from '@fanfold/document'
import t from 'tap'
import { type Recorded, type RecordOptions, record } from '../src/recorder.ts'

/** The patch of a handler, written without types as authors' code is seen from here. */
function patchOf(state: JsonObject, run: (draft: Draft) => unknown): readonly PatchOperation[] {
  const result = runOn(state, run)
  if (!result.ok) throw new Error(result.problem.message)
  return JSON.parse(JSON.stringify(result.patch))
}

// The state as a handler's author types it.
type Draft = {
  map: { [key: string]: number | null | undefined }
  list: { id: number; tags?: string[]; at?: number }[]
  chunks: string[]
  team: { name: string; players: { [id: string]: { hp: number; items: string[] } } }
  extra?: unknown
}

// The one place where a state of JSON gets its author's type, as in the authority.
const runOn = (
  state: JsonObject,
  run: (draft: Draft) => unknown,
  options?: RecordOptions,
): Recorded => record(state, draft => run(draft as unknown as Draft), options)

const sample = (): JsonObject => ({
  map: { a: 1, b: null },
  list: [{ id: 0 }, { id: 1 }, { id: 2, tags: ['x'] }],
  chunks: ['aa', 'bb', 'cc', 'dd'],
  team: { name: 'home', players: { p1: { hp: 3, items: [] } } },
})

const long = (count: number): JsonObject => ({
  list: Array.from({ length: count }, (_, id) => ({ id, tags: ['a', 'b'] })),
  chunks: Array.from({ length: count }, (_, index) => `chunk ${index} `.padEnd(128, '.')),
})

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

t.test('what no document allows is refused with its code and its place', async t => {
  const cyclic: { [key: string]: unknown } = {}
  cyclic['self'] = cyclic
  const cases: [string, string, (draft: Draft) => unknown][] = [
    ['FANFOLD_NOT_JSON', '/map/x', d => Object.assign(d.map, { x: undefined })],
    ['FANFOLD_NOT_JSON', '/map/x', d => Object.assign(d.map, { x: Number.NaN })],
    ['FANFOLD_NOT_JSON', '/extra/0/at', d => Object.assign(d, { extra: [{ at: new Map() }] })],
    ['FANFOLD_NOT_JSON', '/extra', d => Object.assign(d, { extra: () => 1 })],
    ['FANFOLD_TOO_DEEP', `/extra${'/self'.repeat(64)}`, d => Object.assign(d, { extra: cyclic })],
    ['FANFOLD_FORBIDDEN_KEY', '/map/constructor', d => Object.assign(d.map, { constructor: 1 })],
    [
      'FANFOLD_FORBIDDEN_KEY',
      '/extra/__proto__',
      d => Object.assign(d, { extra: JSON.parse('{"__proto__":1}') }),
    ],
    ['FANFOLD_NOT_JSON', '/map/Symbol(s)', d => Object.assign(d.map, { [Symbol('s')]: 1 })],
    ['FANFOLD_NOT_JSON', '/map/x', d => Object.defineProperty(d.map, 'x', { value: 1 })],
    ['FANFOLD_NOT_JSON', '/map/__proto__', d => Object.setPrototypeOf(d.map, null)],
    ['FANFOLD_NOT_JSON', '/map', d => Object.freeze(d.map)],
    ['FANFOLD_NOT_JSON', '/list/4', d => Object.assign(d.list, { 4: { id: 4 } })],
    ['FANFOLD_NOT_JSON', '/list/length', d => Object.assign(d.list, { length: 9 })],
    ['FANFOLD_NOT_JSON', '/list/name', d => Object.assign(d.list, { name: 9 })],
    ['FANFOLD_NOT_JSON', '/list/1', d => Reflect.deleteProperty(d.list, '1')],
    ['FANFOLD_NOT_JSON', '/map/x', d => Object.assign(Object.create(d.map), { x: 1 })],
    ['FANFOLD_TOO_LARGE', '/extra', d => Object.assign(d, { extra: 'é'.repeat(30_000) })],
    [
      'FANFOLD_TOO_LARGE',
      `/map/${'k'.repeat(257)}`,
      d => Object.assign(d.map, { ['k'.repeat(257)]: 1 }),
    ],
  ]
  for (const [code, pointer, run] of cases) {
    const state = sample()
    t.match(
      runOn(state, d => {
        d.chunks.pop()
        run(d)
      }),
      { ok: false, problem: { code, pointer } },
    )
    t.same(state, sample(), `${pointer}: nothing has changed`)
  }
})

t.test('a refusal that the handler catches has changed nothing, and the rest counts', async t => {
  const patch = patchOf(sample(), draft => {
    t.throws(() => Object.assign(draft.map, { a: undefined }), { code: 'FANFOLD_NOT_JSON' })
    t.throws(() => draft.chunks.splice(1, 1, 'ok', JSON.parse('{"prototype":1}')))
    draft.map['a'] = 5
  })
  t.same(patch, [{ op: 'replace', path: '/map/a', value: 5 }])
})

t.test('depth, pointers and written bytes have limits', async t => {
  const tight = {
    ...documentLimits,
    depthMax: { ...documentLimits.depthMax, value: 3 },
    pointerBytesMax: { ...documentLimits.pointerBytesMax, value: 20 },
    writtenBytesMax: { ...documentLimits.writtenBytesMax, value: 1_000 },
    patchBytesMax: { ...documentLimits.patchBytesMax, value: 500 },
  }
  const problem = (run: (draft: Draft) => unknown): unknown => {
    const result = runOn(sample(), run, { limits: tight })
    return result.ok ? undefined : `${result.problem.code} ${result.problem.message}`
  }
  t.equal(
    problem(d => Object.assign(d.team.players, { p2: {} })),
    undefined,
  )
  t.match(
    problem(d => Object.assign(d.team.players, { p2: { hp: 1 } })),
    /TOO_DEEP.*: \/team\/players\/p2\/hp/,
  )
  t.match(
    problem(d => d.team.players['p1']?.items.push('x')),
    /TOO_DEEP/,
  )
  t.match(
    problem(d => Object.assign(d.map, { ['x'.repeat(16)]: 1 })),
    /TOO_LARGE.*at most 20 bytes, got 21/,
  )
  t.match(
    problem(d => {
      for (let turn = 0; ; turn++) d.chunks[0] = `turn ${turn}`
    }),
    /TOO_LARGE one message assigns/,
  )
  t.match(
    problem(d => d.chunks.push('x'.repeat(490))),
    /TOO_LARGE a change has at most 500/,
  )
})

t.test('the state cannot grow by more than is left, and can always shrink', async t => {
  const grow = (bytes: number): Recorded =>
    runOn(sample(), draft => Object.assign(draft.map, { c: 10 }), { stateBytesLeft: bytes })
  t.match(grow(7), { ok: true, bytesDelta: 7 })
  t.match(grow(6), { ok: false, problem: { code: 'FANFOLD_TOO_LARGE' } })
  t.match(
    runOn(sample(), draft => draft.chunks.pop(), { stateBytesLeft: -9 }),
    { bytesDelta: -5 },
  )
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
