/* Processes that are given little by the kernel's control groups, of the first version. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Heal } from '../processes/networks.ts'

const root = '/sys/fs/cgroup'
type Controller = 'cpu' | 'memory'
/** A share of a processor is of each such period, µs. */
const periodMicros = 100_000

const hasController = (controller: Controller, file: string): boolean =>
  process.getuid?.() === 0 && existsSync(join(root, controller, file))

/** Whether processes can be given a share of a processor here. */
export const canStarve = (): boolean => hasController('cpu', 'cpu.cfs_quota_us')

/** Whether processes can be given little memory here. */
export const canLimitMemory = (): boolean => hasController('memory', 'memory.oom_control')

/** Gives a process so much of one processor, until it is healed. */
export function starve(pid: number, percent: number): Heal {
  const group = new ControlGroup('cpu', pid)
  group.set('cpu.cfs_period_us', periodMicros)
  group.set('cpu.cfs_quota_us', (percent / 100) * periodMicros)
  group.take()
  return () => group.release()
}

/** A process that may take so much memory besides what it has, and what became of it. */
export type Exhaustion = {
  /** How often the kernel has ended a process of the group for want of memory. */
  readonly deaths: () => number
  readonly heal: Heal
}

/** Lets a process take so much memory more, until it is healed; when it wants more the kernel ends it. */
export function exhaust(pid: number, roomBytes: number): Exhaustion {
  const group = new ControlGroup('memory', pid)
  group.set('memory.limit_in_bytes', roomBytes)
  // What it has is charged to the group it was in: all that comes is charged to this one.
  group.take()
  return {
    deaths: () => Number(/^oom_kill (\d+)$/m.exec(group.get('memory.oom_control'))?.[1] ?? 0),
    heal: () => group.release(),
  }
}

/** A group with one process in it. */
class ControlGroup {
  readonly #controller: Controller
  readonly #pid: number
  readonly #path: string

  constructor(controller: Controller, pid: number) {
    this.#controller = controller
    this.#pid = pid
    this.#path = join(root, controller, `fanfold-nemesis-${process.pid}-${pid}`)
    mkdirSync(this.#path, { recursive: true })
  }

  get(file: string): string {
    return readFileSync(join(this.#path, file), 'utf8')
  }

  set(file: string, value: number): void {
    writeFileSync(join(this.#path, file), String(value))
  }

  /** The process is in the group from now on. */
  take(): void {
    this.set('cgroup.procs', this.#pid)
  }

  /** The process, if there is one still, is where it was, and the group is gone. */
  release(): void {
    try {
      writeFileSync(join(root, this.#controller, 'cgroup.procs'), String(this.#pid))
    } catch {
      // It has ended meanwhile.
    }
    try {
      rmdirSync(this.#path)
    } catch {
      // Released before.
    }
  }
}
