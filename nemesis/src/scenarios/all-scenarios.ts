import { crashScenarios } from './crashes.ts'
import { linkScenarios } from './links.ts'
import type { Scenario } from './scenario.ts'

/** Every scenario, in the order in which they are run and listed. */
export const allScenarios: readonly Scenario[] = [...crashScenarios, ...linkScenarios]
