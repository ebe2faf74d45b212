import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buildDefinition, evaluateEdgeVariant, manifestOf } from '@fanfold/build'
import { BuildError } from '@fanfold/build/variants'
import t from 'tap'
import { loadDefinition, loadFeed } from '../src/load-definition.ts'

const schema = `{ '~standard': { version: 1, vendor: 'test', validate: value => ({ value }) } }`
const source = (type: string): string => `
import { defineDocument, message } from 'fanfold'
import { start } from './start.ts'
export default defineDocument({
  type: '${type}',
  state: () => ({ count: start }),
  messages: { add: message(${schema}, state => { state.count++ }) },
})
`
const start = 'export const start: number = 41\n'

async function failure(loading: Promise<unknown>): Promise<BuildError> {
  try {
    await loading
  } catch (error) {
    if (error instanceof BuildError) return error
    throw error
  }
  throw new Error('it loaded')
}

t.test('a definition is loaded with what it imports', async t => {
  const directory = t.testdir({ 'definition.ts': source('match'), 'start.ts': start })
  const { definition, inputs } = await loadDefinition(join(directory, 'definition.ts'))
  t.equal(definition.type, 'match')
  t.same(definition.state(), { count: 41 })
  t.same(inputs.toSorted(), [join(directory, 'definition.ts'), join(directory, 'start.ts')])
})

t.test(
  'what edges get of it comes along, one for each ceiling, and what it was warned of',
  async t => {
    const edgeMembers = `observe: { allow: () => Date.now() > 0 }, labels: { '/count': 2 },`
    const text = source('match').replace('messages:', `${edgeMembers}\n  messages:`)
    const directory = t.testdir({ 'definition.ts': text, 'start.ts': start })
    const { edges, warnings } = await loadDefinition(join(directory, 'definition.ts'))
    t.same(
      edges.map(({ ceiling }) => ceiling),
      [0, 2],
    )
    for (const { code, hash } of edges) {
      t.match(hash, /^[0-9a-f]{64}$/)
      t.equal(evaluateEdgeVariant(code).type, 'match')
      t.notMatch(code, /41|count\+\+/)
    }
    t.match(warnings, [{ place: /definition\.ts:7:27$/, message: /observe\.allow reaches Date/ }])
  },
)

t.test('a definition that cannot be cut is told with its places', async t => {
  const text = source('match').replace('messages:', `...{},\n  ['view']: undefined,\n  messages:`)
  const directory = t.testdir({ 'definition.ts': text, 'start.ts': start })
  const error = await failure(loadDefinition(join(directory, 'definition.ts')))
  t.match(error.problems, [{ place: /definition\.ts:7:3$/ }, { place: /definition\.ts:8:3$/ }])
})

t.test('a manifest of what was built is a definition too', async t => {
  const directory = t.testdir({ 'definition.ts': source('match'), 'start.ts': start })
  const path = join(directory, 'definition.ts')
  const { files } = manifestOf(await buildDefinition(path), path)
  await mkdir(join(directory, 'dist'))
  for (const { name, text } of files) await writeFile(join(directory, 'dist', name), text)
  const manifest = join(directory, 'dist', 'match.json')
  const { definition, edges, inputs, warnings } = await loadDefinition(manifest)
  t.same(definition.state(), { count: 41 })
  t.equal(edges[0]?.hash, (await loadDefinition(path)).edges[0]?.hash)
  t.equal(inputs[0], manifest)
  t.same(warnings, [])
  await writeFile(manifest, '{}')
  const error = await failure(loadDefinition(manifest))
  t.match(error.message, /match\.json: is no manifest/)
})

t.test('equal sources have equal hashes, wherever they lie', async t => {
  const directory = t.testdir({
    one: { 'definition.ts': source('match'), 'start.ts': start },
    two: { 'definition.ts': source('match'), 'start.ts': start },
    three: { 'definition.ts': source('match'), 'start.ts': start.replace('41', '42') },
  })
  const load = async (name: string): Promise<string> =>
    (await loadDefinition(join(directory, name, 'definition.ts'))).hash
  t.match(await load('one'), /^[0-9a-f]{64}$/)
  t.equal(await load('one'), await load('two'))
  t.not(await load('one'), await load('three'))
})

t.test('a mistake in the source is told with file, line and column', async t => {
  const directory = t.testdir({
    'definition.ts': 'export const a = 1\nexport default {\n  type: ,\n}\n',
  })
  const error = await failure(loadDefinition(join(directory, 'definition.ts')))
  t.equal(error.code, 'FANFOLD_DEFINITION_INVALID')
  t.match(error.message, /definition\.ts:3:9: Unexpected ","/)
})

t.test('an import that is not there is told with its place', async t => {
  const directory = t.testdir({ 'definition.ts': source('match') })
  const error = await failure(loadDefinition(join(directory, 'definition.ts')))
  t.match(error.message, /definition\.ts:3:\d+: Could not resolve "\.\/start\.ts"/)
})

t.test('a definition gets no modules of Node, whatever they are called', async t => {
  for (const name of ['node:fs', 'fs', 'fs/promises', 'node:test']) {
    const text = `import * as it from '${name}'\n${source('match')}\nexport { it }\n`
    const directory = t.testdir({ 'definition.ts': text, 'start.ts': start })
    const error = await failure(loadDefinition(join(directory, 'definition.ts')))
    t.equal(error.code, 'FANFOLD_DEFINITION_INVALID')
    t.match(error.message, new RegExp(`definition\\.ts:1:\\d+: .*modules of Node: ${name}$`))
  }
})

t.test('a definition cannot get them through a require that is made up', async t => {
  const text = `const name = ['node', 'fs'].join(':')\nexport const fs = require(name)\n${source('match')}`
  const directory = t.testdir({ 'definition.ts': text, 'start.ts': start })
  const error = await failure(loadDefinition(join(directory, 'definition.ts')))
  t.match(error.message, /threw: there is no module node:fs here/)
})

t.test('what defineDocument finds wrong comes with the file', async t => {
  const directory = t.testdir({ 'definition.ts': source('a b'), 'start.ts': start })
  const error = await failure(loadDefinition(join(directory, 'definition.ts')))
  t.match(error.message, /definition\.ts: type: /)
  t.ok(error.cause instanceof Error)
})

t.test('a default export that defineDocument did not make is no definition', async t => {
  const likeness = `export default { type: 'match', state: () => ({}), messages: {}, reducers: {} }\n`
  const directory = t.testdir({ 'like.ts': likeness, 'none.ts': 'export const a = 1\n' })
  for (const name of ['like.ts', 'none.ts']) {
    const error = await failure(loadDefinition(join(directory, name)))
    t.match(error.message, new RegExp(`${name}: must export the result of defineDocument`))
  }
})

t.test('a file that is not there is told', async t => {
  const error = await failure(loadDefinition(join(t.testdir(), 'definition.ts')))
  t.match(error.message, /Could not resolve/)
})

t.test('a feed may use the modules of Node', async t => {
  const text = `import { sep } from 'node:path'\nexport default (): string => sep + 'b'\n`
  const directory = t.testdir({ 'feed.ts': text })
  const { exports } = await loadFeed(join(directory, 'feed.ts'))
  const feed = exports['default']
  t.equal(typeof feed === 'function' ? feed() : undefined, '/b')
})
