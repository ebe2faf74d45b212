import { join } from 'node:path'
import type { Test } from 'tap'
import { BuildError, type BuiltDefinition, buildDefinition } from '../src/index.ts'

/** Files of a project by name; `definition.ts` is the definition's module. */
export type Files = Readonly<Record<string, string>>

/** A schema of a library that speaks Standard Schema and Standard JSON Schema. */
export const textSchema = `{ '~standard': { version: 1, vendor: 'test',
  validate: value => ({ value }),
  jsonSchema: { input: () => ({ type: 'string' }), output: () => ({ type: 'string' }) } } }`

/** A module with a definition whose literal has `members` besides what it needs. */
export const definitionWith = (members: string, before = ''): string =>
  `import { defineDocument, everybody, message, nobody, reducer } from 'fanfold'
${before}
export default defineDocument({
  type: 'match',
  state: () => ({ score: {} }),
  messages: {},
  ${members}
})
`

/** Builds a project. */
export async function build(t: Test, files: Files): Promise<BuiltDefinition> {
  return await buildDefinition(join(t.testdir({ ...files }), 'definition.ts'))
}

/** Why a project cannot be built: `file:line:column: sentence` each. */
export async function refusals(t: Test, files: Files): Promise<string[]> {
  try {
    await build(t, files)
  } catch (error) {
    if (!(error instanceof BuildError)) throw error
    return error.problems.map(
      ({ place, message }) => `${place.replace(/^.*\/([^/]*)$/, '$1')}: ${message}`,
    )
  }
  return []
}
