import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { BuildError } from '../src/build-error.ts'
import { bundleEdge, type EdgeBundle } from '../src/edge-bundle.ts'
import { parseModule } from '../src/parsed-module.ts'

const files = {
  'definition.ts': `import { a } from './a.ts'\nexport default { a }`,
  'a.ts': `import { b } from './b.ts'\nexport const a = () => b`,
  'b.ts': `import { c } from './c.ts'\nexport const b = [c]`,
  // A constant that the bundler writes where it is used: it has no bytes of its own.
  'c.ts': 'export const c = 1',
}

async function bundle(
  t: Test,
  { code, allowed }: { readonly code?: string; readonly allowed: readonly string[] },
): Promise<EdgeBundle> {
  const directory = t.testdir(files)
  const path = join(directory, 'definition.ts')
  const text = readFileSync(path, 'utf8')
  return await bundleEdge({
    module: parseModule(path, text),
    code: code ?? text,
    ceiling: 0,
    allowed: new Set(allowed.map(name => join(directory, name))),
  })
}

t.test('what may be in a variant is in it, by name', async t => {
  const { inputs, bytes, code } = await bundle(t, { allowed: Object.keys(files) })
  t.same(inputs.map(({ path }) => path.replace(/^.*\//, '')).toSorted(), [
    'a.ts',
    'b.ts',
    'c.ts',
    'definition.ts',
  ])
  t.equal(bytes, Buffer.byteLength(code))
})

t.test('a module that only cut parts import is found in the list of modules', async t => {
  const allowed = ['definition.ts', 'a.ts', 'b.ts']
  try {
    await bundle(t, { allowed })
    t.fail('it was built')
  } catch (error) {
    if (!(error instanceof BuildError)) throw error
    t.match(error.problems, [{ place: /c\.ts$/, message: /only what was cut imports it/ }])
  }
})

t.test('the text that the cut left is what is bundled, not the file', async t => {
  const { code, inputs } = await bundle(t, { code: 'export default 7', allowed: ['definition.ts'] })
  t.match(code, /7/)
  t.equal(inputs.length, 1)
})
