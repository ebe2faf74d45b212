import type { BundleProblem } from '@fanfold/build'

/** A module that cannot be loaded as a definition or feed, with the places in its sources. */
export class DefinitionLoadError extends Error {
  override readonly name = 'DefinitionLoadError'
  readonly code = 'FANFOLD_DEFINITION_INVALID'
  readonly problems: readonly BundleProblem[]

  constructor(problems: readonly BundleProblem[], cause?: unknown) {
    super(problems.map(({ place, message }) => `${place}: ${message}`).join('\n'), { cause })
    this.problems = problems
  }
}
