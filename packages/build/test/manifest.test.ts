import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { BuildError, buildDefinition, manifestOf, readManifest } from '../src/index.ts'
import { definitionWith } from './project.ts'

const source = definitionWith(`labels: { '/a': 3 }, observe: { allow: () => true },`)

async function written(t: Test): Promise<{ path: string; files: string[] }> {
  const directory = t.testdir({ sources: { 'definition.ts': source } })
  const path = join(directory, 'sources', 'definition.ts')
  const { files } = manifestOf(await buildDefinition(path), path)
  await mkdir(join(directory, 'dist'))
  for (const { name, text } of files) await writeFile(join(directory, 'dist', name), text)
  return { path: join(directory, 'dist', 'match.json'), files: files.map(({ name }) => name) }
}

async function refusal(path: string): Promise<string> {
  try {
    await readManifest(path)
  } catch (error) {
    if (error instanceof BuildError) return error.message
    throw error
  }
  return ''
}

t.test('what was built is read again from its files', async t => {
  const { path, files } = await written(t)
  t.match(files, [
    /^match\.authority\.[0-9a-f]{8}\.js$/,
    /^match\.edge-0\.[0-9a-f]{8}\.js$/,
    /^match\.edge-3\.[0-9a-f]{8}\.js$/,
    'match.json',
  ])
  const { definition, edges, hash, inputs } = await readManifest(path)
  t.equal(definition.type, 'match')
  t.same(definition.state(), { score: {} })
  t.same(
    edges.map(({ ceiling }) => ceiling),
    [0, 3],
  )
  t.match(hash, /^[0-9a-f]{64}$/)
  t.equal(inputs.length, 4)
  const text = await readFile(path, 'utf8')
  t.match(text, /"path": "definition.ts"/)
  t.notMatch(text, join(t.testdirName))
})

t.test('a file that is not what its manifest says is refused', async t => {
  const { path, files } = await written(t)
  const edge = join(path, '..', files[1] ?? '')
  const text = await readFile(edge, 'utf8')
  await writeFile(edge, `${text} `)
  t.match(await refusal(path), /match\.edge-0\..*: has the hash [0-9a-f]{64}, its manifest says/)
  const moved = (await readFile(path, 'utf8')).replaceAll(files[1] ?? '', 'gone.js')
  await writeFile(path, moved)
  t.match(await refusal(path), /gone\.js/)
})

t.test('a manifest that cannot be read is refused', async t => {
  const { path } = await written(t)
  const good = JSON.parse(await readFile(path, 'utf8'))
  const cases: [change: object, expected: RegExp][] = [
    [{ format: 2 }, /no manifest of format 1/],
    [{ type: 'other' }, /its variants are of the types match, match, match/],
    [{ edges: [] }, /edges: a list of variants/],
    [{ edges: good.edges.toReversed() }, /their ceilings rise from 0/],
    [{ authority: { ...good.authority, file: '../x.js' } }, /authority\.file: the name of a file/],
    [{ authority: { ...good.authority, hash: 'x' } }, /authority\.hash: 64 hexadecimal digits/],
    [{ authority: undefined }, /authority\.file: a text/],
  ]
  for (const [change, expected] of cases) {
    await writeFile(path, JSON.stringify({ ...good, ...change }))
    t.match(await refusal(path), expected)
  }
  await writeFile(path, '{')
  t.match(await refusal(path), /match\.json: .*JSON/)
  t.match(await refusal(`${path}x`), /match\.jsonx/)
})
