import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { EdgeVariantError, evaluateEdgeVariant } from '../src/index.ts'
import { build, definitionWith } from './project.ts'

const code = (body: string): string =>
  `var fanfold = require('fanfold');module.exports.default = ${body}`

t.test('a variant gives its definition', async t => {
  const { edges } = await build(t, {
    'definition.ts': definitionWith(`privacy: { '/a': nobody }, observe: { allow: () => true },`),
  })
  const { type, rules, observe } = evaluateEdgeVariant(edges[0]?.code ?? '')
  t.equal(type, 'match')
  t.equal(rules.length, 1)
  t.equal(observe?.allow({ id: 'a', claims: {} }), true)
})

t.test('a text that is none is refused with a code', async t => {
  const cases: [text: string, expected: RegExp][] = [
    ['(', /the edge variant threw/],
    [code(`{ type: 'match', rules: [], isOpen: true }`), /exports no definition/],
    ['', /exports no definition/],
    [code(`fanfold.defineDocument({ type: 'match', state() {} })`), /state: this version knows/],
    [`require('node:fs')`, /there is no module node:fs here/],
    [`require('zod')`, /there is no module zod here/],
    ['throw null', /the edge variant threw: null/],
  ]
  for (const [text, expected] of cases) {
    t.throws(() => evaluateEdgeVariant(text), { code: 'FANFOLD_NO_VARIANT', message: expected })
    t.throws(() => evaluateEdgeVariant(text), EdgeVariantError)
  }
  t.throws(() => evaluateEdgeVariant(code('fanfold.message')), /exports no definition/)
})

t.test('a variant that nobody holds any more is collected', async t => {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  if (typeof collect !== 'function') throw new Error('there is no gc')
  const make = (index: number): WeakRef<object> =>
    new WeakRef(
      evaluateEdgeVariant(
        code(`fanfold.defineDocument({ type: 'match', view: () => ({ index: ${index} }) })`),
      ),
    )
  const made = Array.from({ length: 50 }, (_, index) => make(index))
  // A WeakRef holds its object until the turn in which it was made ends.
  for (let turn = 0; turn < 10 && made.some(one => one.deref() !== undefined); turn++) {
    await new Promise(resolve => setImmediate(resolve))
    collect()
  }
  const left = made.filter(one => one.deref() !== undefined).length
  t.ok(left <= 1, `${left} of 50 are left`)
})
