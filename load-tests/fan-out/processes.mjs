// The processes of a server that is measured, as the system sees them. Needs Linux.
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** A server's processes have a core to themselves, its viewers the other. */
export const cores = { server: '0', viewers: '1' }

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

/** The fields of a process from its state on, after its name, which may have blanks and brackets. */
function statOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

/** What the processes took so far, s. */
export function processorSeconds(pids) {
  return pids.reduce((sum, pid) => {
    const fields = statOf(pid)
    return sum + (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
  }, 0)
}

/** What they hold of the machine's memory, KiB. */
export function residentKib(pids) {
  return pids.reduce((sum, pid) => {
    const [, kib] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return sum + Number(kib)
  }, 0)
}

/** Holds all threads of a process that runs to a core. */
export function pin(core, pid) {
  execFileSync('taskset', ['-a', '-p', '-c', core, String(pid)])
}

/** A process and all that it started, and these. */
export function processTree(root) {
  const childrenOf = new Map()
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    try {
      const parent = Number(statOf(pid)[1])
      childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), Number(pid)])
    } catch (error) {
      // It ended while the others were read.
      if (error.code !== 'ENOENT' && error.code !== 'ESRCH') throw error
    }
  }
  const tree = [root]
  for (const pid of tree) tree.push(...(childrenOf.get(pid) ?? []))
  return tree
}
