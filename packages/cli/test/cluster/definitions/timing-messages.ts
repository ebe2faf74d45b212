/* How a recording changes a timing feed: as in the example, whose merge it is. */
import { mergeInto } from '@fanfold/example-timing/dist/merge.js'
import { type JsonObject, message } from 'fanfold'
import { z } from 'zod'

const object = z.record(z.string(), z.json())

/** The state in which a recording begins. */
export const start = message(z.strictObject({ state: object }), (topics: JsonObject, { state }) => {
  for (const [topic, value] of Object.entries(state)) topics[topic] = value
})

/** One line of a recording. */
export const merge = message(
  z.strictObject({ topic: z.string().min(1).max(80), delta: z.json() }),
  (topics: JsonObject, { topic, delta }) => mergeInto(topics, { [topic]: delta }),
)
