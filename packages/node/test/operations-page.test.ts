import { readFileSync } from 'node:fs'
import t from 'tap'
import { fillOperations } from '../src/operations-page.ts'

const path = new URL('../../../../docs/operations.md', import.meta.url)

t.test('the tables of docs/operations.md are those that are declared', async t => {
  const page = readFileSync(path, 'utf8')
  t.equal(page, fillOperations(page), 'run `npm run docs -w @fanfold/node` after a build')
})

t.test('a page without the markers is not overwritten', async t => {
  t.throws(() => fillOperations('# Operations'), /holds the markers/)
})
