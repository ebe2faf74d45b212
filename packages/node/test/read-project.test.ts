import { join } from 'node:path'
import t from 'tap'
import { readProject } from '../src/read-project.ts'

t.test('a module is a project of one definition', async t => {
  const path = join(t.testdir({ 'match.ts': '' }), 'match.ts')
  t.strictSame(readProject(path), {
    definitions: [path],
    document: undefined,
    feed: undefined,
    page: undefined,
  })
})

t.test('a directory says in its package.json what it holds', async t => {
  const fanfold = {
    definition: './a.ts',
    document: 'demo/a/one',
    feed: './feed.ts',
    page: './page',
  }
  const directory = t.testdir({ 'package.json': JSON.stringify({ name: 'x', fanfold }) })
  t.strictSame(readProject(directory), {
    definitions: [join(directory, 'a.ts')],
    document: 'demo/a/one',
    feed: join(directory, 'feed.ts'),
    page: join(directory, 'page'),
  })
})

t.test('a directory may hold several definitions', async t => {
  const fanfold = { definitions: ['a.ts', 'b.ts'] }
  const directory = t.testdir({ 'package.json': JSON.stringify({ fanfold }) })
  t.same(readProject(directory).definitions, [join(directory, 'a.ts'), join(directory, 'b.ts')])
})

t.test('a directory without a word of ours may hold a definition by its name', async t => {
  const directory = t.testdir({ 'package.json': '{}', 'definition.ts': '' })
  t.same(readProject(directory).definitions, [join(directory, 'definition.ts')])
})

t.test('refused, with the reason:', async t => {
  const cases: readonly [name: string, files: Record<string, string>, message: RegExp][] = [
    ['an empty directory', {}, /holds neither a package\.json/],
    ['a package.json that is not JSON', { 'package.json': '{' }, /package\.json: .*JSON/],
    ['no definition', { 'package.json': '{"fanfold":{}}' }, /must name a "definition"/],
    [
      'a feed that is a number',
      { 'package.json': '{"fanfold":{"definition":"a","feed":7}}' },
      /"feed" must be a text/,
    ],
  ]
  for (const [name, files, message] of cases) {
    await t.test(name, async t => {
      const directory = t.testdir(files)
      t.throws(() => readProject(directory), { code: 'FANFOLD_DEFINITION_INVALID', message })
    })
  }
  t.throws(() => readProject('/nowhere/at/all'), { message: /there is no such file/ })
})
