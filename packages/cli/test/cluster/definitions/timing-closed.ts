/* A timing feed of which only what has a rule is shown, and whose viewers cannot count the rest. */
import { defineDocument, everybody, type JsonObject, nobody } from 'fanfold'
import { merge, start } from './timing-messages.ts'
import { audienceOf, leaderPath, leadingLine, notSecond, ownLine, press } from './timing-rules.ts'

export default defineDocument({
  type: 'timing-closed',
  state: (): JsonObject => ({}),
  messages: { start, merge },
  observe: { allow: () => true, audience: audienceOf, numbering: 'dense' },
  privacy: {
    '/**': nobody,
    '/End': everybody,
    '/WeatherData': everybody,
    '/RaceControlMessages': press,
    '/TimingData/Lines/*': ownLine,
    '/TimingData/Lines/*/Sectors': press,
    '/TimingAppData/Lines/*': ownLine,
    '/TimingStats/Lines/*': { reads: [leaderPath], allow: leadingLine },
    '/TopThree': everybody,
    '/TopThree/Lines/*': notSecond,
  },
})
