import { documentLimits } from '@fanfold/document'
import t from 'tap'
import { z } from 'zod'
import {
  countBy,
  defineDocument,
  heardBy,
  initialState,
  message,
  reducer,
  validateMessage,
} from '../src/index.ts'

const ignore = (): void => undefined

const definition = defineDocument({
  type: 'match',
  state: () => ({ score: {} }),
  messages: {
    goal: message(
      z.object({
        team: z.string(),
        minute: z.number().default(0),
        by: z.array(z.int()).optional(),
      }),
      ignore,
    ),
    slow: message(
      z.string().refine(async () => true),
      ignore,
    ),
    broken: message(
      {
        '~standard': {
          version: 1,
          vendor: 'test',
          validate: () => {
            throw new Error('oh')
          },
        },
      },
      ignore,
    ),
  },
  reducers: {
    cheer: reducer({
      message: z.object({ team: z.string() }),
      of: (cheer, voice) => {
        if (cheer.team === 'none') throw new Error('no such team')
        return `${cheer.team} of ${voice.id}`
      },
      into: countBy({ top: 4 }),
      apply: ignore,
    }),
    slow: reducer({
      message: z.string().refine(async () => true),
      into: countBy({ top: 4 }),
      apply: ignore,
    }),
  },
})

const voice = { id: 'ada', timeMs: 0, stamp: 0, draw: () => 0 }

t.test('what a reducer hears is what its of takes out of a valid value', async t => {
  const heard = heardBy(definition, 'cheer', { team: 'home' }, voice)
  t.match(heard, { ok: true, operand: 'home of ada' })
  t.equal(heard.ok && heard.reducer, definition.reducers.cheer)
})

t.test('what no reducer hears is refused and throws nothing', async t => {
  const refusalOf = (name: string, value: unknown) => {
    const heard = heardBy(definition, name, value, voice)
    return heard.ok ? undefined : heard
  }
  for (const name of ['goal', 'toString', '__proto__', 'constructor', '']) {
    t.match(refusalOf(name, {}), { code: 'FANFOLD_NO_REDUCER' })
  }
  t.match(refusalOf('cheer', { team: 7 }), {
    code: 'FANFOLD_INVALID_VALUE',
    message: /^match\.cheer: team: /,
  })
  t.match(refusalOf('slow', 'x'), { code: 'FANFOLD_ASYNC_SCHEMA' })
  t.match(refusalOf('cheer', { team: 'none' }), {
    code: 'FANFOLD_INVALID_VALUE',
    message: 'match.cheer: its of threw: no such team',
  })
})

t.test('a valid value comes back as its schema makes it', async t => {
  t.same(validateMessage(definition, 'goal', { team: 'home', more: 1 }), {
    ok: true,
    value: { team: 'home', minute: 0 },
  })
})

t.test('an unknown message is refused by name, inherited names too', async t => {
  for (const name of ['foul', 'toString', '__proto__', 'constructor', '']) {
    t.match(validateMessage(definition, name, {}), { ok: false, code: 'FANFOLD_NO_MESSAGE' })
  }
})

t.test('an invalid value is refused with the paths of its issues', async t => {
  t.match(validateMessage(definition, 'goal', { team: 7, by: [1, 'x'] }), {
    ok: false,
    code: 'FANFOLD_INVALID_VALUE',
    message: /^match\.goal: team: .*; by\.1: /,
  })
  const many = validateMessage(definition, 'goal', { team: 't', by: Array(9).fill('x') })
  t.match(many, { ok: false, message: /and 4 more$/ })
})

t.test('a schema that is asynchronous or throws is refused', async t => {
  t.match(validateMessage(definition, 'slow', 'x'), { ok: false, code: 'FANFOLD_ASYNC_SCHEMA' })
  t.match(validateMessage(definition, 'broken', 'x'), {
    ok: false,
    code: 'FANFOLD_INVALID_VALUE',
    message: 'match.broken: its schema threw: oh',
  })
})

t.test('an initial state is fresh, checked and measured', async t => {
  const first = initialState(definition)
  t.match(first, { ok: true, state: { score: {} }, bytes: 13 })
  const second = initialState(definition)
  t.ok(first.ok && second.ok && first.state !== second.state)
})

t.test('an initial state that no document may have is refused', async t => {
  const withState = (state: () => object) => defineDocument({ type: 'match', state, messages: {} })
  t.match(initialState(withState(() => ({ a: { b: undefined } }))), {
    ok: false,
    code: 'FANFOLD_NOT_JSON',
    message: 'the state of match: undefined is not JSON: /a/b',
  })
  t.match(initialState(withState(() => [])), { ok: false, code: 'FANFOLD_NOT_JSON' })
  t.match(
    initialState(
      withState(() => {
        throw new Error('oh')
      }),
    ),
    { ok: false, code: 'FANFOLD_HANDLER_FAILED', message: 'the state of match: oh' },
  )
  const tight = { ...documentLimits, patchBytesMax: { ...documentLimits.patchBytesMax, value: 5 } }
  t.match(
    initialState(
      withState(() => ({ a: 1 })),
      tight,
    ),
    {
      ok: false,
      code: 'FANFOLD_TOO_LARGE',
    },
  )
})
