/* A definition whose view shows less than its rules, and may throw what they show. */
import { defineDocument, message } from 'fanfold'
import { z } from 'zod'

type State = { mode: string; inner: string; shown: string; hidden: string; End: boolean }

export default defineDocument({
  type: 'canary-view',
  state: (): State => ({ mode: 'whole', inner: '', shown: '', hidden: '', End: false }),
  messages: {
    put: message(
      z.strictObject({ name: z.enum(['mode', 'inner', 'shown', 'hidden']), value: z.string() }),
      (state, { name, value }) => {
        state[name] = value
      },
    ),
    end: message(z.strictObject({}), state => {
      state.End = true
    }),
  },
  observe: { allow: () => true },
  privacy: { '/hidden': () => false },
  view: ({ mode, inner = '', shown, End }) => {
    if (mode === 'broken') throw new Error(`View-error---001 ${inner}`)
    return { shown, innerLength: inner.length, End }
  },
})
