/* What the viewers of a stream say: messages are counted, and reactions by kind. Both are exact up to 256 kinds. */
import { count, countBy, defineDocument, reducer } from 'fanfold'
import { z } from 'zod'

type Chat = { messages: number; reactions: Record<string, number> }

export default defineDocument({
  type: 'chat',
  state: (): Chat => ({ messages: 0, reactions: {} }),
  messages: {},
  observe: { allow: () => true },
  reducers: {
    message: reducer({
      message: z.strictObject({}),
      into: count(),
      apply: (chat, messages) => {
        chat.messages += messages
      },
    }),
    reaction: reducer({
      message: z.strictObject({ kind: z.string().max(64) }),
      of: ({ kind }) => kind,
      into: countBy({ top: 256 }),
      apply: ({ reactions }, counts) => {
        for (const [kind, count] of counts) reactions[kind] = (reactions[kind] ?? 0) + count
      },
    }),
  },
})
