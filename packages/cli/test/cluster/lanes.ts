/*
 * A document whose definition changes while it is watched. What each viewer must be shown follows from
 * the log alone: up to the record that brings the second definition by the rules of the first, from it
 * on by those of the second.
 */
import { copyFileSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { decodeChange, type JsonObject } from '@fanfold/document'
import type { LogRecord } from '@fanfold/protocol'
import { definitionPath } from './definition-path.ts'
import type { RawViewer } from './raw-viewer.ts'
import type { Message } from './writer.ts'

/** How many lanes there are; each version of the definition shows half of them to somebody. */
export const laneCount = 40

/** A directory with the first definition in it, from which packages are found as from here. */
export function lanesProject(parent: string): string {
  const directory = join(parent, 'project')
  mkdirSync(directory)
  const packages = fileURLToPath(new URL('../../../../../node_modules', import.meta.url))
  symlinkSync(packages, join(directory, 'node_modules'))
  saveLanes(directory, 'lanes-before')
  return directory
}

/** Saves one version of the definition. */
export const saveLanes = (directory: string, version: 'lanes-before' | 'lanes-after'): void =>
  copyFileSync(definitionPath(version), join(directory, 'definition.ts'))

/** The lane of a viewer of lane `lane`, by the first definition and by the second. */
const laneBefore = (lane: number): string => String(lane)
const laneAfter = (lane: number): string => `after-${lane}`

/** Message `n`, to one lane after the other, of viewers before and of viewers after. */
export function step(n: number): Message {
  const lane = Math.floor(n / 2) % (laneCount / 2)
  const value = {
    lane: n % 2 === 0 ? laneBefore(lane) : laneAfter(lane),
    n,
    isShared: n % 100 === 0,
  }
  return { message: 'step', value }
}

/** The first messages. */
export const steps = (count: number): Message[] => Array.from({ length: count }, (_, n) => step(n))

/** The state after the first messages, by their meaning. */
export function stateAfter(count: number): JsonObject {
  const lanes: JsonObject = {}
  let shared = 0
  for (const { value } of steps(count)) {
    const { lane, n, isShared } = Object(value)
    lanes[lane] = n
    if (isShared) shared = n
  }
  return { lanes, taken: shared, given: shared }
}

/** Seq of the record that brought the second definition. */
export function secondDefinitionSeq(records: readonly LogRecord[]): number {
  const [, second] = records.filter(({ kind }) => kind === 'definition')
  if (second === undefined) throw new Error('the log has two definitions')
  return second.seq
}

/** The view of a viewer of `lane`. */
export function laneView(state: JsonObject, lane: number, isAfter: boolean): JsonObject {
  const name = isAfter ? laneAfter(lane) : laneBefore(lane)
  const n = Object(state['lanes'])[name]
  const shared = isAfter ? { given: state['given'] ?? 0 } : { taken: state['taken'] ?? 0 }
  return { lanes: n === undefined ? {} : { [name]: n }, ...shared }
}

/** The seqs of the deltas that a viewer of `lane` gets after `fromSeq`. */
export function laneSeqs(
  records: readonly LogRecord[],
  { lane, fromSeq, definitionSeq }: { lane: number; fromSeq: number; definitionSeq: number },
): number[] {
  const isShown = (record: LogRecord): boolean => {
    if (record.seq === definitionSeq) return true
    const [own, shared] =
      record.seq < definitionSeq ? [laneBefore(lane), '/taken'] : [laneAfter(lane), '/given']
    const change = decodeChange(record)
    if (change?.kind !== 'delta') return false
    return change.patch.some(({ path }) => path === `/lanes/${own}` || path === shared)
  }
  return records.filter(record => record.seq > fromSeq && isShown(record)).map(({ seq }) => seq)
}

/** What is wrong with the paths of the deltas that a viewer of `lane` got. */
export function strayPaths(viewer: RawViewer, lane: number, definitionSeq: number): string[] {
  const before = [`/lanes/${laneBefore(lane)}`, '/taken']
  const after = [`/lanes/${laneAfter(lane)}`, '/given']
  return viewer.deltas.flatMap(({ seq, patch }) => {
    const allowed =
      seq < definitionSeq ? before : seq > definitionSeq ? after : [...before, ...after]
    const operations: readonly { readonly op: string; readonly path: string }[] = JSON.parse(
      patch.toString('utf8'),
    )
    return operations
      .filter(({ op, path }) => {
        if (!allowed.includes(path)) return true
        // The move takes what was shown, and brings what is.
        return seq === definitionSeq && (op === 'remove') !== before.includes(path)
      })
      .map(({ op, path }) => `${op} ${path} at ${seq}, the definition is at ${definitionSeq}`)
  })
}
