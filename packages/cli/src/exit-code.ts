/** What the exit code of the process says. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  'check-failed': 4,
  /** A node ended because its shared state was in doubt; a supervisor starts it again. */
  fatal: 70,
} as const

/** The name of an exit code. */
export type ExitName = keyof typeof exitCodes

/** An exit code of the command. */
export type ExitCode = (typeof exitCodes)[ExitName]
