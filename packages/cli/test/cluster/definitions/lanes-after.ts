/* Lanes as in lanes-before.ts, but other viewers see them: what was given to all is taken from all. */
import { defineDocument, message, nobody } from 'fanfold'
import { z } from 'zod'

type Lanes = { lanes: Record<string, number>; taken: number; given: number }

export default defineDocument({
  type: 'lanes',
  state: (): Lanes => ({ lanes: {}, taken: 0, given: 0 }),
  messages: {
    step: message(
      z.strictObject({ lane: z.string(), n: z.int(), isShared: z.boolean() }),
      (state, { lane, n, isShared }) => {
        state.lanes[lane] = n
        if (!isShared) return
        state.taken = n
        state.given = n
      },
    ),
  },
  observe: {
    allow: () => true,
    audience: ({ claims }) => ({ lane: `after-${claims['lane']}` }),
  },
  privacy: {
    '/lanes/*': ({ lane }, { key }) => key === lane,
    '/taken': nobody,
  },
})
