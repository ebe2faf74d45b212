import { existsSync, readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import {
  checkImports,
  type ImportTable,
  importsOf,
  type SourceFile,
  type SourcePackage,
} from './import-checker.ts'

const pure = (...ours: string[]) => ({ ours, isPure: true })
const rim = (...ours: string[]) => ({ ours, isPure: false })
const roles = ['authority', 'proxy', 'edge']
const foundation = ['kernel', 'protocol', 'document', 'definition', 'reduction', 'replication']

/** Arrows point up the table: a package imports only from rows above its own. */
const table: ImportTable = {
  kernel: pure(),
  protocol: pure('kernel'),
  document: pure('kernel', 'protocol'),
  definition: pure('kernel', 'protocol', 'document'),
  privacy: pure('kernel', 'protocol', 'document', 'definition'),
  reduction: pure('kernel', 'protocol', 'definition'),
  worker: pure('kernel', 'protocol', 'document', 'definition', 'privacy'),
  replication: pure('kernel', 'protocol', 'document'),
  topology: pure('kernel', 'protocol'),
  authority: pure(...foundation),
  proxy: pure(...foundation, 'topology'),
  edge: pure(...foundation, 'privacy', 'reduction'),
  simulator: pure(...foundation, 'topology', 'privacy', 'worker', ...roles),
  conformance: rim('kernel', 'protocol', 'document', 'topology'),
  storage: rim('kernel', 'protocol', 'document'),
  redis: rim('kernel', 'protocol', 'document', 'topology'),
  native: rim(),
  websocket: rim('kernel', 'protocol', 'native'),
  build: rim('protocol', 'document', 'definition'),
  node: rim(
    ...foundation,
    ...roles,
    'topology',
    'privacy',
    'worker',
    'storage',
    'redis',
    'native',
    'websocket',
    'build',
  ),
  client: rim('protocol', 'document', 'definition'),
  cli: rim('node', 'build', 'client', 'protocol', 'document'),
  fanfold: rim('definition', 'client', 'node'),
}

const root = new URL('../../../', import.meta.url)

function readPackage(folder: string): SourcePackage {
  const {
    name,
    dependencies = {},
    exports = {},
  }: {
    name: string
    dependencies?: Record<string, string>
    exports?: Record<string, unknown>
  } = JSON.parse(readFileSync(new URL(`${folder}/package.json`, root), 'utf8'))
  const entries = Object.keys(exports).map(entry => `${name}${entry.slice(1)}`)
  const files: SourceFile[] = readdirSync(new URL(`${folder}/src`, root), { recursive: true })
    .map(path => `src/${String(path)}`)
    .filter(path => /\.tsx?$/.test(path))
    .map(path => ({ path, text: readFileSync(new URL(`${folder}/${path}`, root), 'utf8') }))
  return { name, dependencies: Object.keys(dependencies), entries, files }
}

const folders = readdirSync(root).filter(name => existsSync(new URL(`${name}/package.json`, root)))

await t.test('every package imports what the table allows, and nothing else', async t => {
  t.ok(folders.length >= 16, `${folders.length} packages`)
  const packages = folders.map(readPackage)
  t.ok(packages.every(({ files }) => files.length > 0))
  t.same(checkImports(packages, table), [])
})

await t.test('every row of the table is above those that name it', async t => {
  const rows = Object.keys(table)
  for (const [name, { ours }] of Object.entries(table)) {
    for (const other of ours) t.ok(rows.indexOf(other) < rows.indexOf(name), `${name}, ${other}`)
  }
})

/** The violations in `document` when it has this one file and these dependencies beside its own. */
const violations = (text: string, ...more: string[]): string[] => {
  const dependencies = ['@fanfold/kernel', '@fanfold/protocol', 'fast-json-patch', ...more]
  const files = [{ path: 'src/chain.ts', text }]
  return checkImports([{ name: '@fanfold/document', dependencies, files }], table)
}

await t.test('the checker takes what is allowed', async t => {
  const allowed = [
    "import { assert } from '@fanfold/kernel'\nimport type {\n  LogRecord,\n} from '@fanfold/protocol'",
    "/* why */\nimport jsonPatch, { type Operation } from 'fast-json-patch'",
    "export { Chain } from './chain.ts'\nexport * from './inner/part.ts'",
    "// new Date() and process.env in a comment\nexport const a = 'https://example.com'",
    'export const updated = dateOf(log)\nexport const crypto = 1',
  ]
  for (const text of allowed) t.same(violations(text), [], text)
  const kernel = { name: '@fanfold/kernel', dependencies: [], files: [] }
  const entries = ['@fanfold/kernel/prng']
  const files = [{ path: 'src/chain.ts', text: "import { Prng } from '@fanfold/kernel/prng'" }]
  const document = { name: '@fanfold/document', dependencies: ['@fanfold/kernel'], files }
  t.same(checkImports([{ ...kernel, entries }, document], table), [])
  t.equal(checkImports([kernel, document], table).length, 1)
})

await t.test('the checker finds each planted violation', async t => {
  const planted: Record<string, RegExp> = {
    "import { Chain } from '@fanfold/replication'": /imports undeclared @fanfold\/replication/,
    "import type { Edge } from '@fanfold/edge'": /imports undeclared @fanfold\/edge/,
    "import 'ws'": /imports undeclared ws/,
    "export * from 'lodash/fp'": /imports undeclared lodash\/fp/,
    "export const ws = await import('ws')": /imports undeclared ws/,
    "import { assert } from '@fanfold/kernel/dist/src/assert.js'": /reaches into @fanfold\/kernel/,
    "import { assert } from '../../kernel/src/assert.ts'": /leaves its package/,
    "import { t } from '../test/log-builder.ts'": /leaves its package/,
    "import { readFileSync } from 'node:fs'": /is pure and imports node:fs/,
    'export const now = Date.now()': /uses Date/,
    'export const now = new Date()': /uses Date/,
    'export const chance = Math.random()': /uses Math.random/,
    'setTimeout(() => 1, 5)': /uses a timer/,
    'queueMicrotask(() => 1)': /uses a timer/,
    'export const home = process.env.HOME': /uses process/,
    'console.log(1)': /uses console/,
    'export const id = crypto.randomUUID()': /uses crypto/,
    'export const bytes = Buffer.from([])': /uses Buffer/,
    "export const page = fetch('x')": /uses fetch/,
  }
  for (const [text, expected] of Object.entries(planted)) {
    const found = violations(text)
    t.equal(found.length, 1, text)
    t.match(found[0], expected)
  }
})

await t.test('the checker finds a dependency, a row and a cycle that may not be', async t => {
  t.same(violations('', '@fanfold/node'), ['@fanfold/document may not depend on @fanfold/node'])
  const stranger = { name: '@fanfold/stranger', dependencies: [], files: [] }
  t.same(checkImports([stranger], table), ['@fanfold/stranger has no row in the import table'])
  const circle = { a: rim('b'), b: rim('a') }
  const packages = [
    { name: '@fanfold/a', dependencies: ['@fanfold/b'], files: [] },
    { name: '@fanfold/b', dependencies: ['@fanfold/a'], files: [] },
  ]
  t.equal(checkImports(packages, circle).length, 2)
})

await t.test('imports are found in every form, and not in comments', async t => {
  const text = `#head
/** import x from 'no' */
import a from 'a'
import type { B } from "b"
import {
  c,
  type D,
} from 'c'
import 'd'
export { e } from 'e'
export * from 'f'
const g = await import('g')
// import h from 'h'
`.replace('#head', '')
  t.same(importsOf(text), ['a', 'b', 'c', 'd', 'e', 'f', 'g'])
})
