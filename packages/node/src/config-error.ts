/** One thing that is wrong with a configuration, and where it was said. */
export type ConfigProblem = {
  /** `--port`, `FANFOLD_PORT`, `fanfold.yaml:12`, or what stands in relation. */
  readonly place: string
  readonly message: string
}

/** The configuration cannot be used; it holds every problem, not only the first. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly code = 'FANFOLD_CONFIG_INVALID'
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[]) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
    const lines = problems.map(({ place, message }) => `  ${place}: ${message}`)
    super(`${count} in the configuration\n${lines.join('\n')}`)
    this.problems = problems
  }
}
