import type { Log } from '@fanfold/node'
import { type ExitCode, exitCodes } from './exit-code.ts'
import type { Terminal } from './terminal.ts'

/** Ends the process when its shared state is in doubt: a log line, then the exit code 70. */
export const failNode =
  (terminal: Terminal, log: () => Log) =>
  (error: unknown): void => {
    log().fatal({ event: 'node.failed', err: error }, 'shared state in doubt')
    terminal.exit(exitCodes.fatal)
  }

/** Resolves when a signal asks the node to end, or `asked` does. */
export const untilInterrupted = (
  { interrupted }: Terminal,
  asked?: AbortSignal | undefined,
): Promise<void> =>
  new Promise(resolve => {
    const ends = AbortSignal.any(asked === undefined ? [interrupted] : [interrupted, asked])
    if (ends.aborted) resolve()
    else ends.addEventListener('abort', () => resolve(), { once: true })
  })

/** Stops what runs, within the deadline; says by the exit code whether it was done in time. */
export async function stopNode(
  stop: () => Promise<void>,
  options: { readonly terminal: Terminal; readonly deadlineMs: number; readonly log: Log },
): Promise<ExitCode> {
  const { terminal, deadlineMs, log } = options
  const done = new AbortController()
  const late = terminal.clock.wait(deadlineMs, done.signal).then(() => !done.signal.aborted)
  const isLate = await Promise.race([late, stop().then(() => false)])
  done.abort()
  if (!isLate) return exitCodes.ok
  log.warn({ event: 'node.drain-late', deadlineMs }, 'drain deadline passed')
  terminal.exit(exitCodes.failed)
  return exitCodes.failed
}
