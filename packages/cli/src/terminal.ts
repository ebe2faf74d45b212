/** One way out of the process. */
export interface Channel {
  /** True when a person reads it as it comes. */
  readonly isTerminal: boolean
  /** Writes a text; waits while the reader is slower than the writer. */
  write(text: string): Promise<void>
}

/** Time, for the verbs that play or wait. */
export interface Clock {
  /** Milliseconds since some instant; never goes back. */
  now(): number
  /** Milliseconds since 1970. */
  wallClock(): number
  /** Resolves after `ms`, or as soon as `signal` is aborted. */
  wait(ms: number, signal?: AbortSignal): Promise<void>
}

/** All that a verb touches of the world around it, so that tests can stand in for the world. */
export interface Terminal {
  /** Results. */
  readonly out: Channel
  /** What a person should know beside the result, and errors. */
  readonly err: Channel
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Where relative paths start. */
  readonly directory: string
  readonly clock: Clock
  /** Aborted at the first SIGINT or SIGTERM. */
  readonly interrupted: AbortSignal
  /** Where lines of a node's log go; standard output when undefined. */
  readonly logs: { write(line: string): void } | undefined
  /** Who runs the command, as the system calls them; undefined where it does not say. */
  readonly user: string | undefined
  /** All of standard input. */
  readInput(): Promise<string>
  /** The next line that a person types; undefined where nobody is there to type one. */
  readLine(): Promise<string | undefined>
  /** Calls `hungUp` at each SIGHUP from now on, which otherwise ends the process. */
  onHangup(hungUp: () => void): void
  /** Ends the process at once; for a node whose shared state is in doubt. */
  exit(code: number): void
}
