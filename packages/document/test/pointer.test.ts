import fc from 'fast-check'
import t from 'tap'
import { escapeSegment, parsePointer } from '../src/pointer.ts'

await t.test('segments go into a pointer and come back', async t => {
  const segment = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.constantFrom('~', '/', '0', '1', 'a')).map(letters => letters.join('')),
  )
  const property = fc.property(fc.array(segment), segments => {
    const pointer = segments.map(segment => `/${escapeSegment(segment)}`).join('')
    return JSON.stringify(parsePointer(pointer)) === JSON.stringify(segments)
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
