/* Options of a world as they come from a file: complete, or with the default of what they do not say. */
import { faultKinds } from './crossing-list.ts'
import type { Fault } from './fault.ts'
import { isFleetFault } from './fleet-fault.ts'
import {
  completeOptions,
  defaultSimulationOptions,
  type SimulationOptions,
} from './simulation-options.ts'
import type { SummaryProfile, WriteProfile } from './write-profile.ts'

/** Options that are lists of indexes. */
const lists: ReadonlySet<string> = new Set<keyof SimulationOptions>(['viewersKept', 'writesKept'])

/**
 * Reads options that were written as JSON.
 *
 * @throws RangeError for what are no options: a name that there is not, a value of another kind
 */
export function readOptions(value: unknown): SimulationOptions {
  if (!isRecord(value)) throw new RangeError(`options are an object, got ${JSON.stringify(value)}`)
  for (const [name, option] of Object.entries(value)) {
    if (option === undefined || isRight(name, option)) continue
    throw new RangeError(`no option is ${name} ${JSON.stringify(option)}`)
  }
  return completeOptions(value as Partial<SimulationOptions>)
}

function isRight(name: string, option: unknown): boolean {
  if (name === 'faults') return Array.isArray(option) && option.every(isFault)
  if (name === 'writeProfile') return isWriteProfile(option)
  if (lists.has(name)) return isNumbers(option)
  const usual = Object.entries(defaultSimulationOptions).find(([known]) => known === name)?.[1]
  if (usual === undefined) return false
  return typeof usual === 'number' ? isNumber(option) : typeof usual === typeof option
}

function isFault(value: unknown): value is Fault {
  if (!isRecord(value) || !isNumber(value['atMs'])) return false
  const { kind } = value
  return typeof kind === 'string' && (faultKinds.has(kind) || isFleetFault({ kind }))
}

function isWriteProfile(value: unknown): value is WriteProfile {
  if (!isRecord(value) || typeof value['name'] !== 'string') return false
  const { kind, sizes, gapsMs } = value
  if (kind === 'replay') {
    return isNumbers(sizes) && isNumbers(gapsMs) && sizes.length === gapsMs.length
  }
  if (kind !== 'summary' || !Array.isArray(sizes)) return false
  const isQuantile = (size: unknown): boolean =>
    isRecord(size) && isNumber(size['share']) && isNumber(size['bytes'])
  return sizes.every(isQuantile) && summaryNumbers.every(name => isNumber(value[name]))
}

const summaryNumbers = [
  'beginBytes',
  'beginMessages',
  'burstMax',
  'burstGapMs',
  'unevenness',
  'silenceShare',
  'silenceTimes',
  'quietShare',
] as const satisfies readonly (keyof SummaryProfile)[]

const isNumbers = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every(isNumber)

const isNumber = (value: unknown): value is number => Number.isFinite(value)

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
