/*
 * A verb is data: what it is called, what it takes, how it is used, and what it does. The parser and
 * the help texts are made of it, and tests call it with a terminal of their own.
 */
import type { ExitCode } from './exit-code.ts'
import type { Options } from './options.ts'
import type { Output } from './output.ts'
import type { Terminal } from './terminal.ts'

/** One option of a verb. */
export type VerbOption = {
  /** As commander reads them: `--url <url>`, `--documents <glob...>`, `--pretty`. */
  readonly flags: string
  readonly meaning: string
  /** Used when the option is not given; shown in the help. */
  readonly default?: string | undefined
  /** May be given several times, or several values at once. */
  readonly isRepeatable?: boolean | undefined
}

/** One argument of a verb, as commander reads it: `<doc>`, `[json]`, `[project...]`. */
export type VerbArgument = { readonly syntax: string; readonly meaning: string }

/** What a verb is called with. */
export type VerbInput = {
  /** By position; one that may be repeated is the last, and all the rest. */
  readonly arguments: readonly string[]
  readonly options: Options
  readonly output: Output
  readonly terminal: Terminal
}

/** One verb of the command. */
export type Verb = {
  readonly name: string
  readonly meaning: string
  readonly arguments?: readonly VerbArgument[] | undefined
  readonly options?: readonly VerbOption[] | undefined
  /** Command lines without `fanfold`; the help ends with them. */
  readonly examples: readonly string[]
  /** Verbs under this one. */
  readonly verbs?: readonly Verb[] | undefined
  /** Left out where only the verbs under it do something. */
  readonly run?: ((input: VerbInput) => Promise<ExitCode>) | undefined
}
