// The processes of a server that is measured, as the system sees them. Needs Linux.
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'

/** A server's processes have a core to themselves, its viewers the other. */
export const cores = { server: '0', viewers: '1' }

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

/** A file in which the system tells of a process; undefined when there is no such process. */
function readProcess(pid, name) {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8')
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'ESRCH') throw error
    return undefined
  }
}

function readServer(pid, name) {
  const text = readProcess(pid, name)
  if (text === undefined) throw new Error(`process ${pid} of the server has ended`)
  return text
}

/** The fields of a process from its state on, after its name, which may have blanks and brackets. */
const fieldsOf = stat => stat.slice(stat.lastIndexOf(')') + 2).split(' ')

/** What the processes took so far, s. */
export function processorSeconds(pids) {
  return pids.reduce((sum, pid) => {
    const fields = fieldsOf(readServer(pid, 'stat'))
    return sum + (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
  }, 0)
}

/** What they hold of the machine's memory, KiB. */
export function residentKib(pids) {
  return pids.reduce((sum, pid) => {
    const [, kib] = /^VmRSS:\s+(\d+)/m.exec(readServer(pid, 'status'))
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
    const stat = readProcess(pid, 'stat')
    // It ended while the others were read.
    if (stat === undefined) continue
    const parent = Number(fieldsOf(stat)[1])
    childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), Number(pid)])
  }
  const tree = [root]
  for (const pid of tree) tree.push(...(childrenOf.get(pid) ?? []))
  return tree
}

/** Ends a child and all that it started, at once; resolves when it is gone. */
export async function endTree(child) {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  for (const pid of processTree(child.pid)) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch (error) {
      // It ended with the one that started it.
      if (error.code !== 'ESRCH') throw error
    }
  }
  await ended
}
