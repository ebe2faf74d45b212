export { whyNot } from './needs.ts'
export { Cleanups } from './processes/cleanups.ts'
export { type Heal, Networks } from './processes/networks.ts'
export { until, within } from './until.ts'
