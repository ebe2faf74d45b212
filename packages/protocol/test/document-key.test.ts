import fc from 'fast-check'
import t from 'tap'
import { asDocumentKey, documentName, parseDocumentKey } from '../src/document-key.ts'
import { limits } from '../src/limits.ts'
import { documentKey } from './arbitraries.ts'

await t.test('three good segments make a key, and the key gives them back', async t => {
  const key = parseDocumentKey('acme/match/final-2024_v1.2~b')
  t.same(documentName(key), { tenant: 'acme', type: 'match', id: 'final-2024_v1.2~b' })
  const property = fc.property(documentKey, key => {
    const { tenant, type, id } = documentName(key)
    return `${tenant}/${type}/${id}` === key && Buffer.byteLength(key) <= limits.keyBytesMax.value
  })
  t.doesNotThrow(() => fc.assert(property))
})

await t.test('a segment of 80 characters is taken, one of 81 is not', async t => {
  const longest = 'x'.repeat(80)
  t.ok(asDocumentKey(`${longest}/${longest}/${longest}`))
  for (const key of [`${longest}x/b/c`, `a/${longest}x/c`, `a/b/${longest}x`]) {
    t.equal(asDocumentKey(key), undefined)
  }
})

await t.test('hostile texts are no keys', async t => {
  const hostile = [
    '',
    '/',
    '//',
    'a',
    'a/b',
    'a/b/c/d',
    'a/b/',
    '/a/b',
    'a//c',
    '../..',
    '../../etc/passwd',
    'a/../c',
    'a/./c',
    'a/b/..',
    '__proto__',
    '__proto__/a/b',
    'a/b/__proto__',
    'a/b/-rf',
    'a/b/.hidden',
    'a/b/~home',
    'a/b/c\u0000',
    'a/b/\u0000',
    'a/b/c\n',
    'a/b/c\r\n',
    ' a/b/c',
    'a/b/c d',
    'a/b/*',
    'a/b/x}{y',
    'a/b/c:1',
    'a/b/c%2f',
    'a\\b\\c',
    'a/b/é',
    'a/b/ａ',
    'a/b/🏁',
    'a/b/\u202ec',
    'x'.repeat(4096),
    `a/b/${'x'.repeat(4096)}`,
    'a/'.repeat(2048),
  ]
  for (const text of hostile) {
    t.equal(asDocumentKey(text), undefined, JSON.stringify(text.slice(0, 40)))
    t.throws(() => parseDocumentKey(text), { name: 'ProtocolError', code: 'FANFOLD_BAD_KEY' })
  }
})

await t.test('a refusal quotes at most a hundred characters', async t => {
  t.throws(() => parseDocumentKey('!'.repeat(4096)), { message: /^.{1,250}$/ })
})

await t.test('whatever is taken is safe in a path, a URL and a command', async t => {
  const property = fc.property(fc.string({ unit: 'binary', maxLength: 20 }), text => {
    const key = asDocumentKey(text) ?? asDocumentKey(`a/b/${text}`)
    return key === undefined || (encodeURI(key) === key && !/(^|\/)[.-]/.test(key))
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 2000 }))
})
