/*
 * A document in which each write leaves its mark: the log has its value, and counts how often its writer
 * was applied. What is whispered only premium viewers see: to others such a record changes nothing. Nor
 * does it cross a link whose ceiling is 0.
 */
import { defineDocument, message } from 'fanfold'
import { z } from 'zod'

type Mark = { value: string; count: number }
type Ledger = { writers: Record<string, Mark>; whispers: Record<string, Mark> }

const mark = z.strictObject({ writer: z.string().max(40), value: z.string().max(40_000) })

const marked = (before: Mark | undefined, value: string): Mark => ({
  value,
  count: (before?.count ?? 0) + 1,
})

export default defineDocument({
  type: 'ledger',
  state: (): Ledger => ({ writers: {}, whispers: {} }),

  messages: {
    put: message(mark, (ledger, { writer, value }) => {
      ledger.writers[writer] = marked(ledger.writers[writer], value)
    }),
    whisper: message(mark, (ledger, { writer, value }) => {
      ledger.whispers[writer] = marked(ledger.whispers[writer], value)
    }),
  },

  observe: {
    allow: () => true,
    audience: viewer => ({ premium: viewer.claims['plan'] === 'premium' }),
    clearance: audience => (audience.premium ? 1 : 0),
  },
  privacy: { '/whispers/*': audience => audience.premium },
  labels: { '/whispers/*': 1 },
})
