import type { EdgeDefinition } from '@fanfold/definition'
import * as library from '@fanfold/definition/edge-library'
import { evaluateModule } from './evaluate-module.ts'
import { libraryNames } from './library-names.ts'

/** A text that is no edge variant, or one that cannot be evaluated. */
export class EdgeVariantError extends Error {
  override readonly name = 'EdgeVariantError'
  readonly code = 'FANFOLD_NO_VARIANT'
}

/**
 * The definition that an edge variant's text is. It gets the library for edges and nothing else; when
 * nobody holds what it returned, the text's code can be collected.
 *
 * This is the process's own realm and no sandbox: who calls it knows who signed the text.
 *
 * @throws EdgeVariantError
 */
export function evaluateEdgeVariant(code: string): EdgeDefinition {
  const made = new Set<unknown>()
  // What this evaluation made is what has been checked, whatever else looks like it.
  const defineDocument = (spec: unknown): EdgeDefinition => {
    const definition = library.defineDocument(spec)
    made.add(definition)
    return definition
  }
  const provided = { ...library, defineDocument }
  const provide = (name: string): unknown => {
    if (libraryNames.includes(name)) return provided
    throw new Error(`there is no module ${name.slice(0, 100)} here`)
  }
  let exported: unknown
  try {
    exported = evaluateModule(code, 'edge-variant.js', provide)['default']
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new EdgeVariantError(`the edge variant threw: ${message.slice(0, 500)}`, { cause: error })
  }
  if (isMade(made, exported)) return exported
  throw new EdgeVariantError('the edge variant exports no definition as its default')
}

const isMade = (made: ReadonlySet<unknown>, value: unknown): value is EdgeDefinition =>
  made.has(value)
