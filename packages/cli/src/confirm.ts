import { CommandError, usageError } from './command-error.ts'
import type { VerbInput, VerbOption } from './verb.ts'

/** The option of a verb that asks before it changes something. */
export const yesOption: VerbOption = {
  flags: '--yes',
  meaning: 'Does it without asking; needed where nobody is there to be asked.',
}

/**
 * Asks whether the plan that was shown is to be done, unless `--yes` has said so.
 *
 * @throws CommandError when it is not, or nobody is there to say so
 */
export async function confirm(
  { options, terminal }: Pick<VerbInput, 'options' | 'terminal'>,
  question: string,
): Promise<void> {
  if (options.isSet('yes')) return
  await terminal.err.write(`${question} [y/N] `)
  const line = await terminal.readLine()
  if (line === undefined) await terminal.err.write('\n')
  if (terminal.interrupted.aborted) {
    throw new CommandError('FANFOLD_INTERRUPTED', 'ended by a signal: nothing is changed')
  }
  if (line === undefined) {
    throw usageError('nobody is there to be asked, and nothing is changed: give --yes')
  }
  if (!/^y(es)?$/i.test(line.trim())) {
    throw new CommandError('FANFOLD_DECLINED', 'not agreed to: nothing is changed')
  }
}
