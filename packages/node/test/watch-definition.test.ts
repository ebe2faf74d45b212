import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type LoadedDefinition, loadDefinition } from '../src/load-definition.ts'
import { DefinitionWatch } from '../src/watch-definition.ts'

const source = (value: string): string => `
import { defineDocument } from 'fanfold'
import { start } from './start.ts'
export default defineDocument({ type: 'match', state: () => ({ start, value: ${value} }), messages: {} })
`

/** A watched definition, with what comes next of changes and errors. */
async function watched(test: {
  testdir(files: Readonly<Record<string, string>>): string
  teardown(close: () => void): void
}): Promise<{
  directory: string
  next: () => Promise<LoadedDefinition | Error>
}> {
  const directory = test.testdir({
    'definition.ts': source('1'),
    'start.ts': 'export const start = 1\n',
  })
  const path = join(directory, 'definition.ts')
  const told: (LoadedDefinition | Error)[] = []
  let wake: (() => void) | undefined
  const tell = (what: LoadedDefinition | Error): void => {
    told.push(what)
    wake?.()
  }
  const watch = new DefinitionWatch({
    path,
    loaded: await loadDefinition(path),
    onChange: tell,
    onError: error => tell(error instanceof Error ? error : new Error(String(error))),
  })
  test.teardown(() => watch.close())
  const next = async (): Promise<LoadedDefinition | Error> => {
    while (true) {
      const first = told.shift()
      if (first !== undefined) return first
      await new Promise<void>(resolve => {
        wake = resolve
      })
    }
  }
  return { directory, next }
}

const stateOf = (loaded: LoadedDefinition | Error): unknown =>
  loaded instanceof Error ? loaded.message : loaded.definition.state()

t.test('a saved definition is loaded again', async t => {
  const { directory, next } = await watched(t)
  writeFileSync(join(directory, 'definition.ts'), source('2'))
  t.same(stateOf(await next()), { start: 1, value: 2 })
})

t.test('a file that the definition imports is watched too', async t => {
  const { directory, next } = await watched(t)
  writeFileSync(join(directory, 'start.ts'), 'export const start = 7\n')
  t.same(stateOf(await next()), { start: 7, value: 1 })
})

t.test('a mistake is told, and the next good version is loaded', async t => {
  const { directory, next } = await watched(t)
  writeFileSync(join(directory, 'definition.ts'), source('?'))
  t.match(stateOf(await next()), /definition\.ts:4:\d+/)
  writeFileSync(join(directory, 'definition.ts'), source('3'))
  let last = await next()
  // One save may be noticed twice.
  while (last instanceof Error) last = await next()
  t.same(stateOf(last), { start: 1, value: 3 })
})

t.test('a mistake that is taken back is told, though nothing changed by it', async t => {
  const { directory, next } = await watched(t)
  writeFileSync(join(directory, 'definition.ts'), source('?'))
  t.match(stateOf(await next()), /definition\.ts:4:\d+/)
  writeFileSync(join(directory, 'definition.ts'), source('1'))
  let last = await next()
  while (last instanceof Error) last = await next()
  t.same(stateOf(last), { start: 1, value: 1 })
})
