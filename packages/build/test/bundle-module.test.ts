import { createRequire } from 'node:module'
import { join } from 'node:path'
import t from 'tap'
import { bundleModule, evaluateModule } from '../src/index.ts'

t.test('a module and what it imports become one text', async t => {
  const directory = t.testdir({
    'a.ts': `import { b } from './b.ts'\nimport { provided } from 'given'\nexport const a: number = b + provided`,
    'b.ts': 'export const b = 1; export const unused = 2',
  })
  const path = join(directory, 'a.ts')
  const options = { path, provided: ['given'], builtinsRefusal: undefined }
  const bundle = await bundleModule(options)
  if (bundle.kind === 'failed') throw new Error('not bundled')
  t.same(bundle.inputs.toSorted(), [path, join(directory, 'b.ts')])
  t.ok(bundle.contents.every(({ bytes }) => bytes > 0))
  t.notMatch(bundle.code, directory)
  const exported = evaluateModule(bundle.code, path, name => ({ provided: name.length }))
  t.equal(exported['a'], 6)
  const short = await bundleModule({ ...options, minify: true })
  t.ok(short.kind === 'bundled' && short.code.length < bundle.code.length)
})

t.test("Node's own modules are refused with the reason, or external", async t => {
  const path = join(t.testdir({ 'a.ts': `export { sep } from 'node:path'` }), 'a.ts')
  const refused = await bundleModule({ path, provided: [], builtinsRefusal: 'not here' })
  t.match(refused, { kind: 'failed', problems: [{ message: 'not here: node:path' }] })
  const allowed = await bundleModule({ path, provided: [], builtinsRefusal: undefined })
  if (allowed.kind === 'failed') throw new Error('not bundled')
  t.equal(evaluateModule(allowed.code, path, createRequire(path))['sep'], '/')
})

t.test('what is wrong has its place', async t => {
  const path = join(t.testdir({ 'a.ts': `export const a = 1\nexport const b = ;` }), 'a.ts')
  const failed = await bundleModule({ path, provided: [], builtinsRefusal: undefined })
  t.match(failed, { kind: 'failed', problems: [{ place: /a\.ts:2:18$/ }] })
})
