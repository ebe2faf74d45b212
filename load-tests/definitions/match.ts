import { defineDocument, message } from 'fanfold'
import { z } from 'zod'

/** The last thing that happened in a match, with two rules that make a cohort of each tier of viewers. */
type Match = {
  live: { seq: number; t: number; patch: unknown[] }
  staff: { note: string }
  hands: Record<string, { cards: string }>
}

const live = z.looseObject({ seq: z.number(), t: z.number(), patch: z.array(z.unknown()) })

export default defineDocument({
  type: 'match',
  state: (): Match => ({
    live: { seq: -1, t: 0, patch: [] },
    staff: { note: '' },
    hands: Object.fromEntries(
      Array.from({ length: 10 }, (_, index) => [`tier-${index}`, { cards: '' }]),
    ),
  }),
  observe: {
    allow: () => true,
    audience: ({ claims }) => ({ tier: String(claims['tier'] ?? 'tier-0') }),
  },
  privacy: {
    '/staff': audience => audience.tier === 'tier-0',
    '/hands/*': (audience, { key }) => key === audience.tier,
  },
  messages: {
    publish: message(live, (match, value) => {
      match.live = value
    }),
  },
})
