/* A document that plays the recording of a timing feed: one member for each topic. */
import { defineDocument, type JsonObject, message } from 'fanfold'
import { z } from 'zod'
import { mergeInto } from './merge.ts'

const object = z.record(z.string(), z.json())

export default defineDocument({
  type: 'timing',
  state: (): JsonObject => ({}),
  observe: { allow: () => true },

  messages: {
    /** The state in which a recording begins: all its topics. */
    start: message(z.strictObject({ state: object }), (topics, { state }) => {
      for (const topic of Object.keys(topics)) if (!(topic in state)) delete topics[topic]
      for (const [topic, value] of Object.entries(state)) topics[topic] = value
    }),

    /** One line of a recording. */
    merge: message(
      z.strictObject({ topic: z.string().min(1).max(80), delta: z.json() }),
      (topics, { topic, delta }) => mergeInto(topics, { [topic]: delta }),
    ),
  },
})
