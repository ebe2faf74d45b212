import t from 'tap'
import { z } from 'zod'
import {
  count,
  countBy,
  DefinitionError,
  defineDocument,
  partBytesMax,
  type Reduction,
  reducer,
  vote,
  watched,
} from '../src/index.ts'

const base = { type: 'poll', state: () => ({}), messages: {} }
const ignore = (): void => undefined

/** A reducer of texts. */
const heard = (into: Reduction<string, unknown, unknown>) =>
  reducer({ message: z.string(), into, apply: ignore })

/** What `defineDocument` says about a literal that the compiler would not let through. */
function problemsOf(members: object): readonly string[] {
  try {
    Reflect.apply(defineDocument, undefined, [{ ...base, ...members }])
    return []
  } catch (error) {
    if (error instanceof DefinitionError) return error.problems
    throw error
  }
}

t.test('a definition has a budget, said or not', async t => {
  const byDefault = {
    aggregatesPerSecond: 10,
    aggregateBytes: 262_144,
    manifestBytesPerSecond: 65_536,
  }
  t.same(defineDocument(base).crowd, byDefault)
  const { crowd } = defineDocument({ ...base, crowd: { aggregatesPerSecond: 3 } })
  t.same(crowd, { ...byDefault, aggregatesPerSecond: 3 })
  t.ok(Object.isFrozen(crowd))
})

t.test('each number has its bounds', async t => {
  const bounds = [
    ['aggregatesPerSecond', 1, 100],
    ['aggregateBytes', 1, 262_144],
    ['manifestBytesPerSecond', 1_024, 1_048_576],
  ] as const
  for (const [name, min, max] of bounds) {
    for (const value of [min, max]) t.same(problemsOf({ crowd: { [name]: value } }), [])
    for (const value of [min - 1, max + 1, min + 0.5, Number.NaN, '10', null]) {
      t.same(problemsOf({ crowd: { [name]: value } }), [
        `crowd.${name}: an integer of ${min} to ${max}, got ${value}`,
      ])
    }
  }
  t.match(problemsOf({ crowd: 10 }), [/^crowd: an object with aggregatesPerSecond, /])
  t.same(problemsOf({ crowd: { bytes: 1 } }), ['crowd.bytes: this version knows no such member'])
})

t.test('a sum of each reducer fits in an aggregate, and the largest are named', async t => {
  const reducers = { cheer: heard(countBy({ top: 10 })), poll: heard(vote()), all: heard(count()) }
  t.same(problemsOf({ reducers }), [])
  const bytes = 2 + partBytesMax('cheer', countBy({ top: 10 })) + partBytesMax('all', count())
  const pollBytes = partBytesMax('poll', vote())
  t.same(problemsOf({ reducers, crowd: { aggregateBytes: bytes + pollBytes } }), [])
  t.same(problemsOf({ reducers, crowd: { aggregateBytes: bytes + pollBytes - 1 } }), [
    `crowd.aggregateBytes: ${bytes + pollBytes - 1}, and a sum of each reducer takes up to ${bytes + pollBytes}: poll ${pollBytes}, cheer 778, all 23`,
  ])
  const more = { ...reducers, next: heard(vote()) }
  t.match(problemsOf({ reducers: more }), [
    /^crowd.aggregateBytes: 262144, .*: poll \d+, next \d+, cheer 778, …$/,
  ])
})

t.test('what is watched is of the crowd too', async t => {
  const poll = watched({ of: () => 'x', into: vote(), apply: ignore })
  const viewState = z.strictObject({})
  t.same(problemsOf({ viewState, watched: { poll } }), [])
  t.match(problemsOf({ viewState, watched: { poll }, reducers: { vote: heard(vote()) } }), [
    /^crowd.aggregateBytes: .*: vote \d+, poll \d+$/,
  ])
})

t.test('there are as many reducers as an aggregate has sums', async t => {
  const many = (size: number) =>
    Object.fromEntries(Array.from({ length: size }, (_, at) => [`r${at}`, heard(count())]))
  t.same(problemsOf({ reducers: many(256) }), [])
  t.same(problemsOf({ reducers: many(257) }), [
    'reducers: at most 256 with those that are watched, got 257',
  ])
})
