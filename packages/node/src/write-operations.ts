/*
 * Writes the tables that docs/operations.md takes from declarations: `npm run docs -w @fanfold/node`.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { fillOperations } from './operations-page.ts'

const path = fileURLToPath(new URL('../../../../docs/operations.md', import.meta.url))
writeFileSync(path, fillOperations(readFileSync(path, 'utf8')))
