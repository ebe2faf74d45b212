/* What is inside is for those who are cleared, and for regions that may have it. */
import { defineDocument, type JsonValue, message } from 'fanfold'
import { z } from 'zod'

type Inside = { open: JsonValue; inside: JsonValue }

export default defineDocument({
  type: 'inside',
  state: (): Inside => ({ open: 0, inside: 0 }),
  messages: {
    set: message(
      z.strictObject({ open: z.json(), inside: z.json() }),
      (state, { open, inside }) => {
        state.open = open
        state.inside = inside
      },
    ),
  },
  observe: {
    allow: () => true,
    audience: ({ claims }) => ({ level: claims['level'] === 1 ? 1 : 0 }),
    clearance: ({ level }) => level,
  },
  labels: { '/inside': 1 },
})
