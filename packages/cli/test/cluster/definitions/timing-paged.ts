/* A timing feed of which each viewer is shown one page of the table, made of what it may see. */
import { defineDocument, type JsonObject } from 'fanfold'
import { z } from 'zod'
import { merge, start } from './timing-messages.ts'
import { pageOf } from './timing-page.ts'
import { audienceOf, leaderPath, leadingLine, notSecond, ownLine, press } from './timing-rules.ts'

export default defineDocument({
  type: 'timing-paged',
  state: (): JsonObject => ({}),
  messages: { start, merge },
  observe: { allow: () => true, audience: audienceOf },
  privacy: {
    '/RaceControlMessages': press,
    '/TimingAppData/Lines/*': ownLine,
    '/TimingStats/Lines/*': { reads: [leaderPath], allow: leadingLine },
    '/TopThree/Lines/*': notSecond,
  },
  viewState: z.strictObject({ page: z.int().min(0).max(9) }),
  view: (visible, _audience, viewState) => pageOf(visible, viewState?.page ?? 0),
})
