import { defineDocument, message } from 'fanfold'
import { z } from 'zod'

/** A map of 1,000 entries of which each message changes one. */
export default defineDocument({
  type: 'board',
  state: () => ({
    entries: Object.fromEntries(
      Array.from({ length: 1_000 }, (_, index) => [`entry-${index}`, { count: 0, by: 'nobody' }]),
    ) as Record<string, { count: number; by: string }>,
  }),
  observe: { allow: () => true },
  messages: {
    set: message(
      z.object({ entry: z.string(), count: z.number(), by: z.string() }),
      (board, { entry, count, by }) => {
        const found = board.entries[entry]
        if (found === undefined) throw new Error(`no entry ${entry}`)
        found.count = count
        found.by = by
      },
    ),
  },
})
