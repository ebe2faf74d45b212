import fc from 'fast-check'
import t from 'tap'
import { parseDocumentKey } from '../src/document-key.ts'
import { type Grants, isGranted, matchesGlob } from '../src/grants.ts'

/** A viewer of every match of one tenant, with `overrides`. */
const grants = (overrides: Partial<Grants> = {}): Grants => ({
  subject: 'ada',
  tenant: undefined,
  documents: ['acme/match/*'],
  allow: ['observe'],
  expiresAtMs: undefined,
  claims: {},
  ...overrides,
})

const final = parseDocumentKey('acme/match/final')

await t.test('a grant needs the action, the tenant and one glob that matches', async t => {
  t.ok(isGranted(grants(), 'observe', final))
  t.notOk(isGranted(grants(), 'write', final), 'an action that is not listed')
  t.notOk(isGranted(grants({ documents: [] }), 'observe', final), 'no glob')
  t.notOk(isGranted(grants({ documents: ['acme/chat/*'] }), 'observe', final), 'another type')
  t.ok(isGranted(grants({ documents: ['x', 'acme/**'] }), 'observe', final), 'any one glob')
  t.ok(isGranted(grants({ tenant: 'acme' }), 'observe', final))
  t.notOk(isGranted(grants({ tenant: 'acm', documents: ['**'] }), 'observe', final))
})

await t.test('writing includes neither creating nor deleting', async t => {
  const writer = grants({ allow: ['write'] })
  t.ok(isGranted(writer, 'write', final))
  t.notOk(isGranted(writer, 'create', final))
  t.notOk(isGranted(writer, 'delete', final))
})

await t.test('a star stops at a slash, two stars do not', async t => {
  const cases: [glob: string, text: string, matches: boolean][] = [
    ['**', 'acme/match/final', true],
    ['*', 'acme/match/final', false],
    ['*/*/*', 'acme/match/final', true],
    ['acme/*', 'acme/match/final', false],
    ['acme/**', 'acme/match/final', true],
    ['acme/**', 'acme2/match/final', false],
    ['**/final', 'acme/match/final', true],
    ['acme/match/f*l', 'acme/match/final', true],
    ['acme/match/*', 'acme/match/', true],
    ['acme/match/final', 'acme/match/final', true],
    ['acme/match/fina', 'acme/match/final', false],
    ['acme/match/finall', 'acme/match/final', false],
    ['', '', true],
    ['', 'a', false],
    ['*', '', true],
    ['a.c', 'abc', false],
  ]
  for (const [glob, text, matches] of cases) {
    t.equal(matchesGlob(glob, text), matches, `${glob} and ${text}`)
  }
})

/** The same as a regular expression, which is the definition of what a glob means. */
const oracle = (glob: string): RegExp =>
  new RegExp(
    `^${glob.replace(/\*\*|\*|[^*]/g, token =>
      token === '**' ? '[^]*' : token === '*' ? '[^/]*' : `\\${token}`.replace(/\\(?=\w)/, ''),
    )}$`,
  )

await t.test('globs match what their regular expressions match', async t => {
  const glob = fc.array(fc.constantFrom('a', 'b', '/', '*', '*', '**', '.', '?'), { maxLength: 9 })
  const text = fc.array(fc.constantFrom('a', 'a', 'b', '/', '.', '?'), { maxLength: 12 })
  const property = fc.property(glob, text, (glob, text) => {
    const [globText, plain] = [glob.join(''), text.join('')]
    return matchesGlob(globText, plain) === oracle(globText).test(plain)
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 20_000 }))
})

await t.test('a glob made to backtrack is answered in bounded steps', async t => {
  const key = `${'a'.repeat(80)}/${'a'.repeat(80)}/${'a'.repeat(80)}`
  t.notOk(matchesGlob(`${'*a'.repeat(1000)}b`, key))
  t.notOk(matchesGlob(`${'**a'.repeat(1000)}b`, key))
  t.ok(matchesGlob(`${'**a*'.repeat(40)}`, key))
})
