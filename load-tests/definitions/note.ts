import { defineDocument, message } from 'fanfold'
import { z } from 'zod'

/** The smallest document. */
export default defineDocument({
  type: 'note',
  state: () => ({ text: '' }),
  observe: { allow: () => true },
  messages: {
    write: message(z.object({ text: z.string() }), (note, { text }) => {
      note.text = text
    }),
  },
})
