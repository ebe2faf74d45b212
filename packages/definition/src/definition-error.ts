/** A definition that cannot be used, refused before anything runs by it. */
export class DefinitionError extends Error {
  override readonly name = 'DefinitionError'
  readonly code = 'FANFOLD_DEFINITION_INVALID'
  /** Everything that is wrong, each with its place in the literal. */
  readonly problems: readonly string[]

  constructor(definition: string, problems: readonly string[]) {
    super(`${definition}: ${problems.join('; ')}`)
    this.problems = problems
  }
}
