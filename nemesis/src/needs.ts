import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { canLimitMemory, canStarve } from './faults/control-groups.ts'
import { fakedClockLibrary } from './faults/faked-clock.ts'
import { canMount } from './faults/small-disk.ts'
import { tryCommand } from './processes/run-command.ts'
import type { Need } from './scenarios/scenario.ts'

const isInstalled = (program: string): boolean =>
  ['/usr/sbin', '/usr/bin', '/sbin', '/bin'].some(place => existsSync(`${place}/${program}`))

/** What to do so that scenarios with a need run here; undefined when they do. */
const missing: Readonly<Record<Need, () => string | undefined>> = {
  networks: () => {
    for (const [program, aptPackage] of networkPrograms) {
      if (!isInstalled(program))
        return `needs ${program}: \`apt-get install ${aptPackage}\` as root`
    }
    return mayMakeNetworks() ? undefined : 'needs root, where networks of namespaces are permitted'
  },
  strace: () =>
    isInstalled('strace') ? undefined : 'needs strace: `apt-get install strace` as root',
  prlimit: () =>
    isInstalled('prlimit') ? undefined : 'needs prlimit: `apt-get install util-linux` as root',
  mount: () => (canMount(tmpdir()) ? undefined : 'needs root, where mounts are permitted'),
  'processor-groups': () =>
    canStarve() ? undefined : 'needs root, and control groups of processors, version 1',
  'memory-groups': () =>
    canLimitMemory() ? undefined : 'needs root, and control groups of memory, version 1',
  'faked-clock': () =>
    fakedClockLibrary() === undefined
      ? 'needs libfaketime: `apt-get install libfaketime` as root'
      : undefined,
  redis: () =>
    isInstalled('redis-server')
      ? undefined
      : 'needs redis-server: `apt-get install redis-server` as root',
}

const networkPrograms = [
  ['ip', 'iproute2'],
  ['tc', 'iproute2'],
  ['ss', 'iproute2'],
  ['iptables', 'iptables'],
] as const

function mayMakeNetworks(): boolean {
  const name = `fn${process.pid}trial`
  const isMade = tryCommand('ip', 'netns', 'add', name)
  if (isMade) tryCommand('ip', 'netns', 'del', name)
  return isMade
}

const known = new Map<Need, string | undefined>()

/** Why a scenario with these needs cannot run here, and what to do; undefined when it can. */
export function whyNot(needs: readonly Need[]): string | undefined {
  for (const need of needs) {
    if (!known.has(need)) known.set(need, missing[need]())
    const reason = known.get(need)
    if (reason !== undefined) return reason
  }
  return undefined
}
