/** One thing that is wrong with a module. */
export type BundleProblem = {
  /** `file:line:column`, or the module's path where there is no better place. */
  readonly place: string
  readonly message: string
}

/** A definition or feed that cannot be built or loaded, with the places in its sources. */
export class BuildError extends Error {
  override readonly name = 'BuildError'
  readonly code = 'FANFOLD_DEFINITION_INVALID'
  readonly problems: readonly BundleProblem[]

  constructor(problems: readonly BundleProblem[], cause?: unknown) {
    super(problems.map(({ place, message }) => `${place}: ${message}`).join('\n'), { cause })
    this.problems = problems
  }
}
