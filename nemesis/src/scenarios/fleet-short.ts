import { doubtIsTold, meetingAway } from './fleet-meetings.ts'
import { killRounds } from './fleet-regions.ts'
import { serversOf } from './fleet-stage.ts'
import { smallFleet } from './fleets.ts'
import type { Scenario } from './scenario.ts'

const rounds = 3

/** What every change is tried with on a fleet that forms itself. */
export const shortFleetScenario: Scenario = {
  name: 'fleet-short',
  does: `of a small fleet one node or two die, ${rounds} times, and the Redis where members meet is killed and emptied`,
  needs: ['redis'],
  seconds: 50,
  stage: smallFleet,
  run: async stage => {
    await killRounds(stage, rounds)
    await meetingAway(
      stage,
      server => server.kill(),
      server => server.restart(),
    )
    await serversOf(stage).meeting.client.flushall()
  },
  expects: doubtIsTold,
  convergeMsMax: 8_000,
}
