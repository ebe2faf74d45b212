import { encodeUtf8 } from '@fanfold/kernel'
import { badFrame } from '@fanfold/protocol'
import t from 'tap'
import { z } from 'zod'
import {
  applySum,
  cast,
  countBy,
  defineDocument,
  type Reduction,
  reducer,
  sum,
  vote,
  watched,
} from '../src/index.ts'

const voice = { id: 'ann', timeMs: 1, stamp: 1, draw: () => 1 }

/** The text that was said last, as an author might write it. */
const last: Reduction<string, string, string> = {
  shape: 'own/last/1',
  accuracy: 'exact',
  bytesMax: 10,
  empty: () => '',
  fold: (_, said) => said,
  merge: (one, other) => (one > other ? one : other),
  encode: encodeUtf8,
  decode: bytes => {
    if (bytes[0] === 0) badFrame('no text')
    if (bytes[0] === 1) throw new TypeError('a mistake of the author')
    return 'said'
  },
  read: text => text,
}

const definition = defineDocument({
  type: 'race',
  state: () => ({ cheers: 0, tally: {} as Record<string, number>, ballots: {}, looks: '', at: 0 }),
  messages: {},
  reducers: {
    cheer: reducer({
      message: z.int(),
      into: sum(),
      apply: (race, cheers, { timeMs }) => {
        race.cheers += cheers
        race.at = timeMs
      },
    }),
    poll: reducer({
      message: z.string(),
      into: vote(),
      apply: (race, votes) => {
        for (const { choice } of cast(race.ballots, votes)) race.tally[choice] = 1
      },
    }),
    own: reducer({
      message: z.string(),
      into: last,
      apply: () => {
        throw new Error('an apply that throws')
      },
    }),
  },
  viewState: z.strictObject({ page: z.string() }),
  watched: {
    heat: watched({
      of: viewState => viewState?.page,
      into: countBy({ top: 4 }),
      apply: (race, counts) => {
        race.looks = [...counts].join()
      },
    }),
  },
})

/** What was said, as it comes up. */
function encoded<Operand, Sum>(
  into: Reduction<Operand, Sum, unknown>,
  operand: Operand,
): Uint8Array {
  const folded = into.fold(into.empty(), operand, voice)
  if (folded === undefined) throw new Error('an empty sum has room')
  return into.encode(folded)
}

t.test('a sum changes the state as its reducer says', async t => {
  const state = definition.state()
  for (const [name, into, operand] of [
    ['cheer', sum(), 7],
    ['poll', vote(), 'yes'],
    ['heat', countBy({ top: 4 }), 'standings'],
  ] as const) {
    const reduction: Reduction<never, unknown, unknown> = into
    const bytes = encoded(reduction, operand as never)
    const found = applySum(definition, name, reduction.shape, bytes)
    if (!found.ok) throw new Error(found.message)
    found.apply(state, { timeMs: 9 })
  }
  t.same(state, {
    cheers: 7,
    tally: { yes: 1 },
    ballots: { ann: [1, 'yes'] },
    looks: 'standings,1',
    at: 9,
  })
})

t.test('a name without a reducer is refused, inherited names too', async t => {
  for (const name of ['boo', 'toString', '__proto__', '']) {
    t.match(applySum(definition, name, 'count', new Uint8Array([1])), {
      ok: false,
      code: 'FANFOLD_NO_REDUCER',
      message: `race has no reducer ${name}`,
    })
  }
})

t.test('a sum of another shape is none of the reducer', async t => {
  t.same(applySum(definition, 'cheer', 'sum/2', encoded(sum(), 7)), {
    ok: false,
    code: 'FANFOLD_NO_REDUCER',
    message: 'race.cheer: its sums have the shape sum/0, got sum/2',
  })
})

t.test('bytes that are no sum are refused', async t => {
  for (const bytes of [[], [2, 1], [0, 1, 1]]) {
    t.match(applySum(definition, 'cheer', 'sum/0', new Uint8Array(bytes)), {
      ok: false,
      code: 'FANFOLD_BAD_FRAME',
      message: /^race.cheer: /,
    })
  }
  t.match(applySum(definition, 'own', last.shape, new Uint8Array([0])), {
    code: 'FANFOLD_BAD_FRAME',
  })
  t.same(applySum(definition, 'own', last.shape, new Uint8Array(11)), {
    ok: false,
    code: 'FANFOLD_BAD_FRAME',
    message: 'race.own: a sum of at most 10 bytes, got 11',
  })
})

t.test('a mistake in a reduction of one’s own is told, and not thrown', async t => {
  t.same(applySum(definition, 'own', last.shape, new Uint8Array([1])), {
    ok: false,
    code: 'FANFOLD_HANDLER_FAILED',
    message: 'race.own: a mistake of the author',
  })
})

t.test('what an apply throws is for who runs it on the state', async t => {
  const found = applySum(definition, 'own', last.shape, new Uint8Array([2]))
  t.ok(found.ok)
  t.throws(() => found.ok && found.apply({}, { timeMs: 1 }), { message: 'an apply that throws' })
})
