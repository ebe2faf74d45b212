import definition from '../definition.ts'
import type { RaceMessage } from '../messages.ts'
import type { Race } from '../race.ts'

/** Does what the definition does with a message. */
export function play(race: Race, { message, value }: RaceMessage): void {
  const rule: { handler(race: Race, value: unknown, by: object): void } =
    definition.messages[message]
  rule.handler(race, value, { subject: 'test', claims: {}, timeMs: 0 })
}
