import { execFileSync } from 'node:child_process'
import { availableParallelism, cpus } from 'node:os'

/** What a figure was measured with, and what finds the code again that a world was run by. */
export type MachineFacts = {
  /** With `-changed` behind it where files differ from it. */
  readonly commit: string
  readonly node: string
  readonly cpu: string
  readonly cores: number
}

/** Facts about this machine, and the code on it. */
export function machineFacts(): MachineFacts {
  return {
    commit: commitHere(),
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
  }
}

function commitHere(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8', stdio: 'pipe' }).trim()
  try {
    const isChanged = git('status', '--porcelain', '--untracked-files=no') !== ''
    return `${git('rev-parse', '--short=12', 'HEAD')}${isChanged ? '-changed' : ''}`
  } catch {
    return 'unknown'
  }
}
