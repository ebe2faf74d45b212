/* A text that is being written: the document holds it in chunks, so that an edit costs a chunk. */
import { defineDocument, message } from 'fanfold'
import { z } from 'zod'
import { emptyText, splice } from './chunked-text.ts'

const count = z.int().min(0).max(10_000_000)
const inserted = z
  .string()
  .max(500_000)
  .refine(text => !/\p{Surrogate}/u.test(text), 'half of a surrogate pair is no text')

export default defineDocument({
  type: 'text',
  state: emptyText,
  observe: { allow: () => true },

  messages: {
    /** Edits, in order: where, in code points; how many to delete; what to insert. */
    splice: message(
      z.strictObject({ patches: z.array(z.tuple([count, count, inserted])).max(10_000) }),
      (text, { patches }) => {
        for (const [position, deleteCount, insert] of patches) {
          splice(text, { position, deleteCount, insert })
        }
      },
    ),
  },
})
