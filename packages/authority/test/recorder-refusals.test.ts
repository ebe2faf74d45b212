import { documentLimits } from '@fanfold/document'
import t from 'tap'
import type { Recorded } from '../src/recorder.ts'
import { type Draft, patchOf, runOn, sample } from './run-handler.ts'

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
