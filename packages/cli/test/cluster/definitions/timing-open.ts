/* A timing feed of which some is hidden. */
import { defineDocument, type JsonObject } from 'fanfold'
import { merge, start } from './timing-messages.ts'
import { audienceOf, leaderPath, leadingLine, notSecond, ownLine, press } from './timing-rules.ts'

export default defineDocument({
  type: 'timing-open',
  state: (): JsonObject => ({}),
  messages: { start, merge },
  observe: { allow: () => true, audience: audienceOf },
  privacy: {
    '/RaceControlMessages': press,
    '/TimingAppData/Lines/*': ownLine,
    '/TimingStats/Lines/*': { reads: [leaderPath], allow: leadingLine },
    '/TopThree/Lines/*': notSecond,
  },
})
