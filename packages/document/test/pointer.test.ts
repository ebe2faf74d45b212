import fc from 'fast-check'
import t from 'tap'
import { parsePointer, pointerTo, valueAt } from '../src/pointer.ts'

await t.test('segments go into a pointer and come back', async t => {
  const segment = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.constantFrom('~', '/', '0', '1', 'a')).map(letters => letters.join('')),
  )
  const property = fc.property(fc.array(segment), segments => {
    return JSON.stringify(parsePointer(pointerTo(segments))) === JSON.stringify(segments)
  })
  t.doesNotThrow(() => fc.assert(property))
})

await t.test('the examples of RFC 6901 mean what it says', async t => {
  t.same(parsePointer(''), [])
  t.same(parsePointer('/'), [''])
  t.same(parsePointer('/foo/0'), ['foo', '0'])
  t.same(parsePointer('/a~1b'), ['a/b'])
  t.same(parsePointer('/m~0n'), ['m~n'])
  t.same(parsePointer('/~01'), ['~1'], 'not a slash')
  t.same(parsePointer('/ '), [' '])
})

await t.test('what does not begin with a slash, or has a stray tilde, is no pointer', async t => {
  for (const text of ['a', 'a/b', ' /a', '~', '/~', '/a~', '/~2', '/~~0', '/a~b']) {
    t.equal(parsePointer(text), undefined, text)
  }
})

await t.test('a value is found through objects and arrays, by what is their own', async t => {
  const state = { teams: [{ 'a/b': 1 }, { 'a/b': null }], length: 3 }
  t.equal(valueAt(state, []), state)
  t.equal(valueAt(state, ['teams', '0', 'a/b']), 1)
  t.equal(valueAt(state, ['teams', '1', 'a/b']), null)
  t.equal(valueAt(state, ['length']), 3)
  for (const path of [
    ['teams', 'length'],
    ['teams', '2'],
    ['teams', '00'],
    ['teams', '-'],
    ['toString'],
    ['length', 'toFixed'],
    ['teams', '1', 'a/b', 'c'],
  ]) {
    t.equal(valueAt(state, path), undefined, path.join('/'))
  }
})
