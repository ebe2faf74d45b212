/* Worlds in which the log store of production runs on a simulated disk; their events are calls to it. */
import type { Shrinking } from '@fanfold/simulator'
import {
  type DiskWorldOptions,
  diskSometimes,
  drawDiskWorld,
  runDiskWorld,
} from '../disk/src/index.ts'
import type { WorldKind } from './world-kinds.ts'

/** A log store on a disk that fails. */
export const diskKind: WorldKind = {
  sometimes: diskSometimes,
  crossings: [],
  hasNodes: false,
  draw: seed => drawDiskWorld(seed),
  run: async (seed, options) => {
    const result = await runDiskWorld(seed, { options: readDiskOptions(options) })
    return { ...result, happenings: result.tally, crossings: [] }
  },
  brief: options => options,
  shrink: options => shrinkDisk(readDiskOptions(options)),
}

/** @throws RangeError for what are no options of a disk world */
function readDiskOptions(value: unknown): DiskWorldOptions {
  const usual: Readonly<Record<string, unknown>> = drawDiskWorld('any')
  const given: Readonly<Record<string, unknown>> = typeof value === 'object' ? { ...value } : {}
  for (const [name, option] of Object.entries(usual)) {
    if (typeof given[name] !== typeof option) throw new RangeError(`a disk world has ${name}`)
  }
  return given as DiskWorldOptions
}

/** One change at a time: no fault of a kind, no damage, less of everything. */
function* shrinkDisk(options: DiskWorldOptions): Shrinking<DiskWorldOptions> {
  let best = options
  for (;;) {
    const simpler = simplerThan(best)
    const index = yield simpler
    const found = index === undefined ? undefined : simpler[index]
    if (found === undefined) return
    best = found
  }
}

function simplerThan(options: DiskWorldOptions): readonly DiskWorldOptions[] {
  const { faults, documents, processes, steps, damage } = options
  const chances = Object.entries(faults).filter(
    ([name, chance]) => name !== 'lastsCallsMax' && chance > 0,
  )
  return [
    ...chances.map(([name]) => ({ ...options, faults: { ...faults, [name]: 0 } })),
    ...(damage > 0 ? [{ ...options, damage: 0 }] : []),
    ...(documents > 1 ? [{ ...options, documents: 1 }] : []),
    ...(processes > 1 ? [{ ...options, processes: 1 }] : []),
    ...(steps > 20 ? [2, 4, 8].map(part => Math.floor(steps - steps / part)) : []).map(steps => {
      return { ...options, steps }
    }),
  ]
}
