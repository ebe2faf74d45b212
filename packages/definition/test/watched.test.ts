import t from 'tap'
import { z } from 'zod'
import {
  count,
  countBy,
  DefinitionError,
  defineDocument,
  type ReducerName,
  reducer,
  watched,
  watchedBy,
} from '../src/index.ts'

type Race = { looks: Record<string, number> }

const base = { type: 'race', state: (): Race => ({ looks: {} }), messages: {} }
const viewState = z.strictObject({ page: z.int(), marked: z.array(z.string()).optional() })

const race = defineDocument({
  ...base,
  reducers: {
    cheer: reducer({ message: z.string(), into: countBy(), apply: () => undefined }),
  },
  watched: {
    heat: watched({
      of: viewState => {
        // @ts-expect-error: the view state may not be there
        void (() => viewState.page)
        // @ts-expect-error: the view state is what the schema says
        void viewState?.pages
        // @ts-expect-error: nor is it to be changed
        void (() => viewState?.marked?.push('x'))
        const page = viewState?.page ?? 0
        return page < 0 ? undefined : `page ${page}`
      },
      into: countBy({ top: 8 }),
      apply: (race, counts, { timeMs }) => {
        for (const [page, looks] of counts) race.looks[page] = looks + timeMs
        // @ts-expect-error: the state is a Race
        void race.cheers
        // @ts-expect-error: the result is what `into` reads
        void counts.push
      },
    }),
    marks: watched({ everyMs: 60_000, of: () => true, into: count(), apply: () => undefined }),
    broken: watched({
      of: () => {
        throw new Error('oh')
      },
      into: count(),
      apply: () => undefined,
    }),
    late: watched({ of: async () => 'x', into: count(), apply: () => undefined }),
    rejected: watched({
      of: () => Promise.reject(new Error('never waited for')),
      into: count(),
      apply: () => undefined,
    }),
  },
  viewState,
})

const asked = (name: string, state: unknown) => watchedBy(race, name, state)

t.test('what is said of a viewer is what the definition makes of its view state', async t => {
  t.same(asked('heat', { page: 3 }), { ok: true, operand: 'page 3' })
  t.same(asked('heat', undefined), { ok: true, operand: 'page 0' }, 'one that shares no view state')
  t.same(asked('heat', { page: -1 }), { ok: true, operand: undefined }, 'nothing is said')
  t.same(asked('marks', { page: 3 }), { ok: true, operand: true })
})

t.test('what fails counts as nothing, and tells where it failed', async t => {
  t.match(asked('broken', { page: 3 }), {
    ok: false,
    code: 'FANFOLD_RULE_FAILED',
    place: 'watched.broken',
    error: { message: 'oh' },
  })
  for (const name of ['late', 'rejected']) {
    t.match(asked(name, { page: 3 }), { ok: false, error: { message: /returned a promise/ } })
  }
})

t.test('a name that nobody declared says nothing, inherited names too', async t => {
  for (const name of ['cheer', 'toString', '__proto__', '']) {
    t.same(asked(name, { page: 3 }), { ok: true, operand: undefined })
  }
})

t.test('a definition keeps apart what is watched and what may be said', async t => {
  // @ts-expect-error: nobody says what is watched
  const name: ReducerName<typeof race> = 'heat'
  t.notOk(name in race.reducers)
  t.same(Object.keys(race.watched), ['heat', 'marks', 'broken', 'late', 'rejected'])
  t.equal(race.watched['heat']?.everyMs, 1_000)
  t.equal(race.watched['marks']?.everyMs, 60_000)
  t.ok(Object.isFrozen(race.watched))
  t.ok(Object.isFrozen(race.watched['heat']))
  t.same(defineDocument(base).watched, {})
  const state = race.state()
  race.watched['heat']?.apply(state, new Map([['page 3', 2]]), { timeMs: 5 })
  t.same(state, { looks: { 'page 3': 7 } })
})

t.test('what cannot be watched is refused, with what is wrong', async t => {
  const problemsOf = (members: object): readonly string[] => {
    try {
      Reflect.apply(defineDocument, undefined, [{ ...base, viewState, ...members }])
      return []
    } catch (error) {
      if (error instanceof DefinitionError) return error.problems
      throw error
    }
  }
  const rule = { of: () => 'x', into: countBy(), apply: () => undefined }
  const heat = watched(rule)
  const made = (more: object) => Reflect.apply(watched, undefined, [{ ...rule, ...more }])
  t.same(problemsOf({ watched: { heat } }), [])
  t.same(problemsOf({ watched: { heat }, viewState: undefined }), [
    'watched: it is view states that are watched, and there is no viewState',
  ])
  t.match(problemsOf({ viewState }), [/^viewState: there is no view .*, and nothing is watched$/])
  t.same(problemsOf({ watched: 1 }), ['watched: an object of watched({ … })'])
  t.match(problemsOf({ watched: { heat: rule, 'a b': heat } }), [
    /^watched.heat: made by watched\(/,
    /^watched.a b: a name is/,
  ])
  t.match(problemsOf({ watched: { heat: made({ of: 'page' }) } }), [
    /^watched.heat: of: a function/,
  ])
  t.match(problemsOf({ watched: { heat: made({ into: {} }) } }), [/^watched.heat: into: /])
  t.match(problemsOf({ watched: { heat: made({ apply: 1 }) } }), [/^watched.heat: apply: /])
  const own = made({ into: { ...countBy(), shape: 'mine/1' } })
  t.match(problemsOf({ watched: { heat: own } }), [/^watched.heat: into: .* begins with own\//])
  for (const everyMs of [250, 60_000]) t.same(problemsOf({ watched: { h: made({ everyMs }) } }), [])
  for (const everyMs of [249, 60_001, 300.5]) {
    t.same(problemsOf({ watched: { h: made({ everyMs }) } }), [
      `watched.h: everyMs: an integer of 250 to 60000, got ${everyMs}`,
    ])
  }
  const cheer = reducer({ message: z.string(), into: countBy(), apply: () => undefined })
  t.same(problemsOf({ watched: { cheer: heat }, reducers: { cheer } }), [
    'watched.cheer: a reducer has this name',
  ])
  t.match(problemsOf({ watched: { heat: cheer }, reducers: { cheer: heat } }), [
    /^reducers.cheer: made by reducer/,
    /^watched.heat: made by watched/,
  ])
})
