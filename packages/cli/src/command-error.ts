import { type ExitCode, exitCodes } from './exit-code.ts'

/** Codes of errors that arise in the command itself, with the exit code of each. */
export const commandErrorCodes = {
  FANFOLD_USAGE: {
    exit: 'usage',
    meaning: 'a verb, an argument or an option that is not what it must be',
  },
  FANFOLD_UNREACHABLE: { exit: 'unreachable', meaning: 'no node answers at the address' },
  FANFOLD_NO_ANSWER: {
    exit: 'unreachable',
    meaning: 'the node is connected and did not answer in time',
  },
  FANFOLD_DECLINED: {
    exit: 'failed',
    meaning: 'a plan that was shown and not agreed to: nothing was changed',
  },
  FANFOLD_INTERRUPTED: { exit: 'failed', meaning: 'a signal ended the verb before it was done' },
  FANFOLD_NO_FILE: { exit: 'failed', meaning: 'a file that cannot be read' },
  FANFOLD_FILE_EXISTS: { exit: 'failed', meaning: 'a file to be written that is there already' },
  FANFOLD_FILE_FAILED: { exit: 'failed', meaning: 'a file that cannot be written' },
  FANFOLD_ADDRESS_IN_USE: { exit: 'failed', meaning: 'another program listens on the port' },
  FANFOLD_BAD_RECORDING: { exit: 'failed', meaning: 'a recording that cannot be read to its end' },
  FANFOLD_NO_PROGRESS: {
    exit: 'unreachable',
    meaning: 'the authority took no line of a recording for a long time',
  },
  FANFOLD_DISORDER: {
    exit: 'failed',
    meaning: 'a line was put off and a later one was committed before it',
  },
  FANFOLD_PATCH_MISFIT: { exit: 'check-failed', meaning: 'a delta did not fit the view before it' },
  FANFOLD_BAD_TOKEN_KEY: { exit: 'failed', meaning: 'a key that cannot make or check the token' },
  FANFOLD_FAILED: { exit: 'failed', meaning: 'something else went wrong' },
} as const

/** A code of the command itself. */
export type CommandErrorCode = keyof typeof commandErrorCodes

/** Why a verb ends: the message says what, where and what to do, in one line. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly code: CommandErrorCode

  constructor(code: CommandErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause })
    this.code = code
  }

  get exitCode(): ExitCode {
    return exitCodes[commandErrorCodes[this.code].exit]
  }
}

/** What is wrong with the arguments; the program adds where the help is. */
export const usageError = (message: string): CommandError =>
  new CommandError('FANFOLD_USAGE', message)
