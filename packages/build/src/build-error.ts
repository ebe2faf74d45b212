import type { BundleProblem } from './bundle-module.ts'

/** A definition that cannot be built, with the places in its sources. */
export class BuildError extends Error {
  override readonly name = 'BuildError'
  readonly code = 'FANFOLD_DEFINITION_INVALID'
  readonly problems: readonly BundleProblem[]

  constructor(problems: readonly BundleProblem[], cause?: unknown) {
    super(problems.map(({ place, message }) => `${place}: ${message}`).join('\n'), { cause })
    this.problems = problems
  }
}
