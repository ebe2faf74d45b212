import t from 'tap'
import { z } from 'zod'
import { DefinitionError, defineDocument, message, presence } from '../src/index.ts'

type Match = { viewers: number; viewersAt: number }

const base = {
  type: 'match',
  state: (): Match => ({ viewers: 0, viewersAt: 0 }),
  messages: {},
}

const match = defineDocument({
  ...base,
  presence: presence({
    everyMs: 250,
    apply: (match, viewers, { timeMs }) => {
      match.viewers = viewers
      match.viewersAt = timeMs
      // @ts-expect-error: the state is a Match
      void match.crowd
      // @ts-expect-error: viewers are a number
      void viewers.length
    },
  }),
})

t.test('the number of viewers changes the state', async t => {
  const state = match.state()
  match.presence?.apply(state, 1_200_000, { timeMs: 7 })
  t.same(state, { viewers: 1_200_000, viewersAt: 7 })
  t.equal(match.presence?.everyMs, 250)
  t.ok(Object.isFrozen(match.presence))
})

t.test(
  'who says nothing of it is told nothing, and who does not say when, each second',
  async t => {
    t.equal(defineDocument(base).presence, undefined)
    const { presence: rule } = defineDocument({
      ...base,
      presence: presence({ apply: () => undefined }),
    })
    t.equal(rule?.everyMs, 1_000)
  },
)

t.test('what is none is refused, with what is wrong', async t => {
  const problemsOf = (declaration: unknown): readonly string[] => {
    try {
      Reflect.apply(defineDocument, undefined, [{ ...base, presence: declaration }])
      return []
    } catch (error) {
      if (error instanceof DefinitionError) return error.problems
      throw error
    }
  }
  const apply = (): void => undefined
  const made = 'presence: made by presence({ everyMs, apply })'
  for (const other of [apply, { apply }, 1, null, message(z.null(), apply)]) {
    t.same(problemsOf(other), [made])
  }
  for (const everyMs of [100, 60_000]) t.same(problemsOf(presence({ everyMs, apply })), [])
  for (const everyMs of [99, 60_001, 1_000.5]) {
    t.same(problemsOf(presence({ everyMs, apply })), [
      `presence.everyMs: an integer of 100 to 60000, got ${everyMs}`,
    ])
  }
  t.same(problemsOf(Reflect.apply(presence, undefined, [{}])), [
    'presence.apply: a function of the state and the number of viewers',
  ])
})
