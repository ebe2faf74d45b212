/*
 * `crowd`: how much of what a crowd says reaches the authority of a document, whatever the number of viewers.
 *
 * An aggregate has room for one sum of each reducer, at its largest: so whatever the crowd says, one is enough
 * for all of it, but for what does not fit into one sum.
 */
import { definitionLimits } from './definition-limits.ts'
import { isObject, read, strangers } from './members.ts'
import type { AnyReduction } from './message.ts'
import { sumBytesMax } from './reductions/reduction.ts'

/** What reaches an authority of one document. */
export type CrowdBudget = {
  /** Aggregates per second, 1 … 100; 10 when it is not said. */
  readonly aggregatesPerSecond: number
  /** Bytes of the sums in one aggregate, 1 … 262,144; 262,144 when it is not said. */
  readonly aggregateBytes: number
  /** Bytes of manifests per second (which windows are counted), 1,024 … 1,048,576; 65,536 when it is not said. */
  readonly manifestBytesPerSecond: number
}

const ranges: readonly [name: keyof CrowdBudget, min: number, max: number, byDefault: number][] = [
  ['aggregatesPerSecond', 1, 100, 10],
  ['aggregateBytes', 1, sumBytesMax, sumBytesMax],
  ['manifestBytesPerSecond', 1_024, 1_048_576, 65_536],
]

/** Everything that is wrong with what stands under `crowd`, each with its place. */
export function crowdProblems(crowd: unknown): string[] {
  if (crowd === undefined) return []
  const names = ranges.map(([name]) => name)
  if (!isObject(crowd)) return [`crowd: an object with ${names.join(', ')}`]
  const problems = strangers(crowd, names, 'crowd.')
  for (const [name, min, max] of ranges) {
    const value = read(crowd, name)
    const isWithin = Number.isInteger(value) && Number(value) >= min && Number(value) <= max
    if (value === undefined || isWithin) continue
    problems.push(`crowd.${name}: an integer of ${min} to ${max}, got ${String(value)}`)
  }
  return problems
}

/** The budget that a checked `crowd` says. */
export function crowdBudgetOf(crowd: Partial<CrowdBudget> | undefined): CrowdBudget {
  const values = ranges.map(([name, , , byDefault]) => [name, crowd?.[name] ?? byDefault])
  return Object.freeze(Object.fromEntries(values))
}

/** The count of sums in an aggregate, as bytes. */
const countBytes = 2

/** The lengths of a sum, its name and its shape, as bytes. */
const lengthsBytes = 7

/** The most bytes that a sum of a reducer takes in an aggregate. */
export const partBytesMax = (reducer: string, { shape, bytesMax }: AnyReduction): number =>
  lengthsBytes + reducer.length + shape.length + bytesMax

/** How many are named of those that take the most. */
const namedMax = 3

/** What is wrong when the sums of all reducers do not fit in an aggregate. */
export function sumsProblems(
  rules: { readonly [name: string]: { readonly into: AnyReduction } },
  { aggregateBytes }: CrowdBudget,
): string[] {
  const { value: reducersMax } = definitionLimits.reducersMax
  const parts = Object.entries(rules).map(([name, { into }]) => ({
    name,
    bytes: partBytesMax(name, into),
  }))
  if (parts.length > reducersMax) {
    return [`reducers: at most ${reducersMax} with those that are watched, got ${parts.length}`]
  }
  const bytes = parts.reduce((all, part) => all + part.bytes, countBytes)
  if (parts.length === 0 || bytes <= aggregateBytes) return []
  const largest = parts
    .toSorted((a, b) => b.bytes - a.bytes)
    .slice(0, namedMax)
    .map(part => `${part.name} ${part.bytes}`)
  const more = parts.length > namedMax ? ', …' : ''
  return [
    `crowd.aggregateBytes: ${aggregateBytes}, and a sum of each reducer takes up to ${bytes}: ${largest.join(', ')}${more}`,
  ]
}
