import { CommandError } from './command-error.ts'
import type { Terminal } from './terminal.ts'

/**
 * What `wanted` gives, unless the time is up or a signal comes before.
 *
 * @throws what `late` makes, or CommandError `FANFOLD_INTERRUPTED`
 */
export async function raceSilence<Result>(
  wanted: Promise<Result>,
  options: {
    readonly terminal: Terminal
    readonly timeoutMs: number
    readonly late: () => Error
    /** Rejects when there is nothing to wait for any more. */
    readonly refused: Promise<never>
  },
): Promise<Result> {
  const { terminal, timeoutMs, late, refused } = options
  const done = new AbortController()
  const signal = AbortSignal.any([done.signal, terminal.interrupted])
  const silence = terminal.clock.wait(timeoutMs, signal).then((): never => {
    if (!terminal.interrupted.aborted) throw late()
    throw new CommandError('FANFOLD_INTERRUPTED', 'ended by a signal')
  })
  try {
    return await Promise.race([wanted, silence, refused])
  } finally {
    // The loser of the race may end in an error that nobody waits for.
    silence.catch(() => undefined)
    wanted.catch(() => undefined)
    done.abort()
  }
}
