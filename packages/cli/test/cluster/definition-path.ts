import { fileURLToPath } from 'node:url'

/** The source of a definition of these tests, by the name of its file. */
export const definitionPath = (name: string): string =>
  fileURLToPath(new URL(`../../../test/cluster/definitions/${name}.ts`, import.meta.url))
