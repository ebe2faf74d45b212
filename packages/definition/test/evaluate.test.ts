import { documentLimits } from '@fanfold/document'
import t from 'tap'
import { z } from 'zod'
import { defineDocument, initialState, message, validateMessage } from '../src/index.ts'

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
