/* A document in which a crowd is all that says anything: cheers by kind, and how many claps there were. */
import { count, countBy, defineDocument, reducer } from 'fanfold'
import { z } from 'zod'

type State = { cheers: Record<string, number>; claps: number }

export default defineDocument({
  type: 'cheers',
  state: (): State => ({ cheers: {}, claps: 0 }),
  messages: {},
  observe: { allow: () => true },
  reducers: {
    cheer: reducer({
      message: z.strictObject({ kind: z.string().max(64) }),
      of: ({ kind }) => kind,
      into: countBy({ top: 256 }),
      apply: (state, counts) => {
        for (const [kind, count] of counts) state.cheers[kind] = (state.cheers[kind] ?? 0) + count
      },
    }),
    clap: reducer({
      message: z.strictObject({}),
      into: count(),
      apply: (state, claps) => {
        state.claps += claps
      },
    }),
  },
})
