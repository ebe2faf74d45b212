import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Heal } from '../processes/networks.ts'

/** Where control groups of processors are, of the first version. */
const root = '/sys/fs/cgroup/cpu'
/** A share is of each such period, µs. */
const periodMicros = 100_000

/** Whether processes can be given a share of a processor here. */
export const canStarve = (): boolean =>
  process.getuid?.() === 0 && existsSync(join(root, 'cpu.cfs_quota_us'))

/** Gives a process so much of one processor, until it is healed. */
export function starve(pid: number, percent: number): Heal {
  const group = join(root, `fanfold-nemesis-${process.pid}-${pid}`)
  mkdirSync(group, { recursive: true })
  writeFileSync(join(group, 'cpu.cfs_period_us'), String(periodMicros))
  writeFileSync(join(group, 'cpu.cfs_quota_us'), String((percent / 100) * periodMicros))
  writeFileSync(join(group, 'cgroup.procs'), String(pid))
  return () => {
    try {
      writeFileSync(join(root, 'cgroup.procs'), String(pid))
    } catch {
      // It has ended meanwhile.
    }
    try {
      rmdirSync(group)
    } catch {
      // Healed before.
    }
  }
}
