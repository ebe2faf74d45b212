import { defineDocument, message } from 'fanfold'
import { z } from 'zod'

/** Something for everybody, for those who pay, for one viewer, for a moment, and for staff. */
type Market = {
  phase: string
  entries: Record<string, { text: string }>
  odds: { home: number }
  hands: Record<string, { cards: string }>
  lots: Record<string, { bid: number }>
  margin: { home: number }
}

const emptyMarket = (): Market => ({
  phase: 'open',
  entries: Object.fromEntries(
    Array.from({ length: 1_000 }, (_, index) => [`entry-${index}`, { text: '' }]),
  ),
  odds: { home: 1 },
  hands: { 'p-0': { cards: '' } },
  lots: {},
  margin: { home: 1 },
})

/** A document with rules of every kind. */
export default defineDocument({
  type: 'market',
  state: emptyMarket,
  observe: {
    allow: () => true,
    audience: ({ id, claims }) => ({
      id,
      isPaying: claims['isPaying'] === true,
      isStaff: claims['isStaff'] === true,
    }),
    clearance: audience => (audience.isStaff ? 1 : 0),
  },
  privacy: {
    '/odds': audience => audience.isPaying,
    '/hands/*': (audience, { key }) => key === audience.id,
    '/lots/*': { reads: ['/phase'], allow: (_, { reads }) => reads['/phase'] !== 'secret' },
  },
  labels: { '/margin': 1 },
  messages: {
    write: message(z.object({ entry: z.string(), text: z.string() }), (market, { entry, text }) => {
      const found = market.entries[entry]
      if (found === undefined) throw new Error(`no entry ${entry}`)
      found.text = text
    }),
  },
})
