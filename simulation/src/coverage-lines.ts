/* Tables of what happened in the worlds of a campaign. */
import { apart, crossingName, effectKinds, faultKinds } from '@fanfold/simulator'
import type { KindResult } from './campaign-result.ts'
import { grouped } from './grouped.ts'

/** What happened in worlds of a kind: in how many of them, and how often. */
export function coverageLines(kind: KindResult): string[] {
  const { world, nodes, happenings, eventsMin } = kind
  const { seeds, seedsMin } = happenings
  if (seeds === 0) return []
  const held = seeds < seedsMin ? `, from ${seedsMin} seeds on` : ''
  const size = nodes === undefined ? '' : ` of ${nodes} nodes`
  return [
    '',
    `worlds '${world}'${size}, ${grouped(seeds)} seeds of ${grouped(eventsMin)} events or more (* must happen in some${held}):`,
    `${'seeds'.padStart(8)} ${'times'.padStart(12)}`,
    ...happenings.rows().map(({ name, seeds, count, isExpected }) => {
      const numbers = `${grouped(seeds).padStart(8)} ${grouped(count).padStart(12)}`
      return `${numbers} ${isExpected ? '*' : ' '} ${name}`
    }),
  ]
}

const columnWidth = 7

/**
 * In how many worlds of a kind each effect met each fault: a row per effect, a column per fault; `.` for
 * what never met, `-` for what is not to meet.
 */
export function crossingLines({ world, crossings }: KindResult): string[] {
  const rows = new Map(crossings.rows().map(row => [row.name, row]))
  if (rows.size === 0) return []
  const faults = [...faultKinds].sort()
  const letter = (index: number): string => String.fromCharCode(97 + index)
  const cellOf = (effect: string, fault: string): string => {
    const seeds = rows.get(crossingName(effect, fault))?.seeds ?? 0
    if (seeds > 0) return `${seeds}`
    return apart.some(one => one.effect === effect && ['*', fault].includes(one.fault)) ? '-' : '.'
  }
  const line = (first: string, cells: readonly string[]): string =>
    `  ${first.padEnd(18)}${cells.map(cell => cell.padStart(columnWidth)).join('')}`
  const { seeds, seedsMin } = crossings
  const held = seeds < seedsMin ? `, all must meet from ${seedsMin} seeds on` : ''
  return [
    '',
    `effects amid faults in worlds '${world}': the seeds in which they met${held}`,
    `  ${faults.map((fault, index) => `${letter(index)} ${fault}`).join(', ')}`,
    line(
      '',
      faults.map((_, index) => letter(index)),
    ),
    ...Object.keys(effectKinds)
      .sort()
      .map(effect =>
        line(
          effect,
          faults.map(fault => cellOf(effect, fault)),
        ),
      ),
  ]
}
