import t from 'tap'
import { z } from 'zod'
import {
  countBy,
  DefinitionError,
  type DocumentDefinition,
  defineDocument,
  type MessageName,
  type MessageValue,
  message,
  type ReducerName,
  type ReducerValue,
  reducer,
  type StateOf,
  type ViewOf,
} from '../src/index.ts'

type Match = { score: Record<string, number>; cheers: Record<string, number>; startedAt: number }

// The literal of docs/architecture.md: nothing in it is annotated but the state.
const match = defineDocument({
  type: 'match',
  state: (): Match => ({ score: {}, cheers: {}, startedAt: 0 }),

  messages: {
    goal: message(z.object({ team: z.string() }), (match, { team }, by) => {
      match.score[team] = (match.score[team] ?? 0) + 1
      // @ts-expect-error: the state is a Match
      void match.scores
      // @ts-expect-error: the time is a number
      void by.timeMs.trim
    }),
    start: message(z.object({ at: z.string().transform(Number) }), (match, value) => {
      match.startedAt = value.at
      // @ts-expect-error: the handler gets what the schema makes, a number
      void value.at.trim
    }),
  },

  reducers: {
    cheer: reducer({
      message: z.object({ team: z.string() }),
      of: cheer => cheer.team,
      into: countBy({ top: 32 }),
      apply: (match, counts) => {
        for (const [team, n] of counts) match.cheers[team] = (match.cheers[team] ?? 0) + n
        // @ts-expect-error: the result is what `into` reads
        void counts.push
      },
    }),
  },
})

/** Compiles only when both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(_: Same<A, B>): void => undefined

t.test('types flow from the literal', async t => {
  same<StateOf<typeof match>, Match>(true)
  same<ViewOf<typeof match>, Match>(true)
  same<MessageName<typeof match>, 'goal' | 'start'>(true)
  same<MessageValue<typeof match, 'goal'>, { team: string }>(true)
  // A sender gives what the schema takes, not what it makes.
  same<MessageValue<typeof match, 'start'>, { at: string }>(true)
  same<ReducerName<typeof match>, 'cheer'>(true)
  same<ReducerValue<typeof match, 'cheer'>, { team: string }>(true)
  // @ts-expect-error: there is no such message
  same<MessageValue<typeof match, 'foul'>, never>(true)
  const ofAnyDocument: DocumentDefinition = match
  t.equal(ofAnyDocument.type, 'match')
})

t.test('a handler written apart, for the same state, fits', async t => {
  const addGoal = (match: Match, { team }: { team: string }): void => {
    match.score[team] = 1
  }
  const emptyMatch = (): Match => ({ score: {}, cheers: {}, startedAt: 0 })
  const definition = defineDocument({
    type: 'match',
    state: emptyMatch,
    messages: {
      goal: message(z.object({ team: z.string() }), addGoal),
      own: message(z.object({ team: z.string() }), (match, { team }) => addGoal(match, { team })),
    },
  })
  same<StateOf<typeof definition>, Match>(true)
  same<MessageName<typeof definition>, 'goal' | 'own'>(true)
  defineDocument({
    type: 'other',
    state: () => ({ count: 0 }),
    // @ts-expect-error: the handler is for another state
    messages: { goal: message(z.object({ team: z.string() }), addGoal) },
  })
  t.same(Object.keys(definition.messages), ['goal', 'own'])
})

t.test('a definition is frozen, and its handlers run as they were written', async t => {
  const state = match.state()
  match.messages.goal.handler(state, { team: 'home' }, { subject: 's', claims: {}, timeMs: 1 })
  match.reducers.cheer.apply(state, new Map([['away', 3]]), { timeMs: 1 })
  t.same(state, { score: { home: 1 }, cheers: { away: 3 }, startedAt: 0 })
  t.ok(Object.isFrozen(match))
  t.ok(Object.isFrozen(match.messages))
  t.ok(Object.isFrozen(match.messages.goal))
  t.equal(Reflect.get(match.messages, 'toString'), undefined, 'names are own names only')
})

/** What `defineDocument` says about a literal that the compiler would not let through. */
function problemsOf(spec: object): readonly string[] {
  try {
    Reflect.apply(defineDocument, undefined, [spec])
    return []
  } catch (error) {
    if (error instanceof DefinitionError) return error.problems
    throw error
  }
}

const good = { type: 'match', state: () => ({}), messages: {} }

t.test('a member that this version does not know is refused by its name', async t => {
  t.same(problemsOf(good), [])
  t.same(problemsOf({ ...good, secrets: { '/notes': () => false } }), [
    'secrets: this version knows no such member',
  ])
  t.same(problemsOf({ ...good, watch: {}, views: () => 1, [Symbol('x')]: 1 }).length, 3)
  // @ts-expect-error: nor does it compile
  t.throws(() => defineDocument({ ...good, secrets: {} }), {
    code: 'FANFOLD_DEFINITION_INVALID',
    message: /definition match: secrets/,
  })
})

t.test('everything that is wrong is named at once, with its place', async t => {
  const schema = z.object({})
  const handler = (): void => undefined
  const bad = Reflect.apply(message, undefined, [{ validate: 1 }, handler])
  const none = Reflect.apply(message, undefined, [schema, undefined])
  t.match(
    problemsOf({
      type: 'a/b',
      state: {},
      messages: {
        'a b': message(schema, handler),
        constructor: message(schema, handler),
        bad,
        none,
        handler,
      },
      reducers: {
        r: { message: schema },
        s: message(schema, handler),
        t: Reflect.apply(reducer, undefined, [{ message: schema, into: countBy() }]),
      },
    }),
    [
      /^type: 1 to 80/,
      /^state: a function/,
      /^messages.a b: a name is/,
      /^messages.constructor: a name is/,
      /^messages.bad: the schema/,
      /^messages.none: the handler/,
      /^messages.handler: made by message/,
      /^reducers.r: made by reducer/,
      /^reducers.s: made by reducer/,
      /^reducers.t: apply: a function/,
    ],
  )
  t.match(problemsOf({ type: 'a', state: handler }), [/^messages: an object/])
  t.match(problemsOf({ ...good, reducers: 3 }), [/^reducers: an object/])
})

t.test('a type or name of 80 characters is the longest', async t => {
  const name = 'n'.repeat(80)
  const one = message(z.null(), () => undefined)
  t.same(problemsOf({ ...good, type: name, messages: { [name]: one } }), [])
  t.equal(problemsOf({ ...good, type: `${name}n`, messages: { [`${name}n`]: one } }).length, 2)
})

t.test('a reduction of one’s own says so by its shape', async t => {
  const withShape = (shape: string) =>
    defineDocument({
      type: 'a',
      state: () => ({}),
      messages: {},
      reducers: {
        cheer: reducer({
          message: z.string(),
          into: { ...countBy(), shape },
          apply: () => undefined,
        }),
      },
    })
  t.throws(() => withShape('mine/1'), { message: /reducers.cheer: into: .*begins with own/ })
  for (const shape of ['own/mine', 'top/32']) t.doesNotThrow(() => withShape(shape), shape)
})
