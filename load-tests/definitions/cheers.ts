import { countBy, defineDocument, reducer } from 'fanfold'
import { z } from 'zod'

/** What a crowd cheers for, and how often. */
export default defineDocument({
  type: 'cheers',
  state: () => ({ kinds: {} as Record<string, number>, total: 0 }),
  observe: { allow: () => true },
  messages: {},
  // What the crowd says is measured, and not what its viewers are shown.
  crowd: { aggregatesPerSecond: 1 },
  reducers: {
    cheer: reducer({
      message: z.object({ kind: z.string().max(32) }),
      of: ({ kind }) => kind,
      into: countBy({ top: 256 }),
      apply: (document, counts) => {
        for (const [kind, times] of counts) {
          document.kinds[kind] = (document.kinds[kind] ?? 0) + times
          document.total += times
        }
      },
    }),
  },
})
