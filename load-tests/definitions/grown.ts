import { defineDocument, message } from 'fanfold'
import { z } from 'zod'

type Grown = { entries: Record<string, { text: string }>; fill: Record<string, string> }

/** A document of any size with small changes: everybody sees all of it. */
export default defineDocument({
  type: 'grown',
  state: (): Grown => ({ entries: {}, fill: {} }),
  observe: { allow: () => true },
  messages: {
    write: message(z.object({ entry: z.string(), text: z.string() }), (grown, { entry, text }) => {
      grown.entries[entry] = { text }
    }),
  },
})
