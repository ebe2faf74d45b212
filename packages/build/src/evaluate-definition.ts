import * as library from '@fanfold/definition'
import { BuildError } from './build-error.ts'
import { evaluateModule } from './evaluate-module.ts'
import { libraryNames } from './library-names.ts'
import { shownPath } from './shown-path.ts'

/**
 * The definition that an authority variant's text is, with this process's own library.
 *
 * @param path what messages call it
 * @throws BuildError
 */
export function evaluateDefinition(code: string, path: string): library.DocumentDefinition {
  const made: library.DocumentDefinition[] = []
  // What this evaluation made is what has been checked, whatever else looks like it.
  const defineDocument: typeof library.defineDocument = spec => {
    const definition = library.defineDocument(spec)
    made.push(definition)
    return definition
  }
  const provided = { ...library, defineDocument }
  const place = shownPath(path)
  let exported: unknown
  try {
    exported = evaluateModule(code, path, name => {
      if (libraryNames.includes(name)) return provided
      // A `require` that the bundler could not see through.
      throw new Error(`there is no module ${name} here`)
    })['default']
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const messages =
      error instanceof library.DefinitionError ? error.problems : [`threw: ${message}`]
    throw new BuildError(
      messages.map(one => ({ place, message: one })),
      error,
    )
  }
  const definition = made.find(one => one === exported)
  if (definition !== undefined) return definition
  const message = 'must export the result of defineDocument({ … }) as its default'
  throw new BuildError([{ place, message }])
}
