import { setFlagsFromString } from 'node:v8'

/** What V8 is told of a process that is an edge and nothing else; `_` for `-` is the same to it. */
const flags = [
  // Room for what is new, MiB for each of two halves. What handshakes leave behind stays in it until it is full, and with
  // 16 MiB it is more than all that the viewers hold.
  { told: /--max[-_]semi[-_]space[-_]size/, flag: '--max-semi-space-size=1', isForRunning: false },
  // By how much of what was in use the heap may grow before it is collected, percent: otherwise up to fourfold.
  { told: /--heap[-_]growing[-_]percent/, flag: '--heap-growing-percent=10', isForRunning: true },
] as const

/** What Node was told: `process.execArgv` and `NODE_OPTIONS` of this process. */
export type NodeFlags = { readonly flags: readonly string[]; readonly options: string | undefined }

/** What Node is told that runs an edge's worker: the flags that this process was given, and to keep memory small. */
export function workerFlags(given: NodeFlags): string[] {
  return [...given.flags, ...ownFlags(given).map(({ flag }) => flag)]
}

/**
 * Tells V8 to keep this process's memory small, as far as that can be told while it runs: for one that is an edge and
 * nothing else. What Node was told otherwise holds.
 */
export function keepMemorySmall(): void {
  const given = { flags: process.execArgv, options: process.env['NODE_OPTIONS'] }
  for (const flag of runningFlags(given)) setFlagsFromString(flag)
}

/** What V8 is told in a process that runs already. */
export function runningFlags(given: NodeFlags): string[] {
  return ownFlags(given)
    .filter(({ isForRunning }) => isForRunning)
    .map(({ flag }) => flag)
}

/** Those that the operator has not said anything of. */
function ownFlags({ flags: given, options = '' }: NodeFlags): readonly (typeof flags)[number][] {
  return flags.filter(({ told }) => ![...given, options].some(text => told.test(text)))
}
