import { ceilingScenarios } from './ceilings.ts'
import { chatScenarios, shortChatScenario } from './chats.ts'
import { crashScenarios } from './crashes.ts'
import { crowdScenarios } from './crowds.ts'
import { damageScenarios } from './damage.ts'
import { diskScenarios } from './disks.ts'
import { fleetEgressScenarios } from './fleet-egress.ts'
import { fleetHotDocumentScenarios } from './fleet-hot-document.ts'
import { fleetMeetingScenarios } from './fleet-meetings.ts'
import { fleetRegionScenarios } from './fleet-regions.ts'
import { shortFleetScenario } from './fleet-short.ts'
import { fleetScenarios } from './fleets.ts'
import { linkScenarios } from './links.ts'
import { redisScenarios } from './redis.ts'
import { restoreScenarios } from './restores.ts'
import type { Scenario } from './scenario.ts'
import { shortScenario } from './short.ts'
import { slowLinkScenarios } from './slow-links.ts'

/** Every scenario, in the order in which they are run and listed. */
export const allScenarios: readonly Scenario[] = [
  ...crashScenarios,
  ...linkScenarios,
  ...slowLinkScenarios,
  ...diskScenarios,
  ...damageScenarios,
  ...restoreScenarios,
  ...redisScenarios,
  ...fleetScenarios,
  ...fleetMeetingScenarios,
  ...fleetRegionScenarios,
  ...fleetEgressScenarios,
  ...fleetHotDocumentScenarios,
  ...ceilingScenarios,
  ...crowdScenarios,
  ...chatScenarios,
  shortScenario,
  shortFleetScenario,
  shortChatScenario,
]
