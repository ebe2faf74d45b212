import fc from 'fast-check'
import t from 'tap'
import { decodeUtf8, encodeUtf8 } from '../src/utf8.ts'

await t.test('well-formed text goes there and back', async t => {
  const property = fc.property(
    fc.string({ unit: 'binary' }),
    text => decodeUtf8(encodeUtf8(text)) === text,
  )
  t.doesNotThrow(() => fc.assert(property))
})

await t.test('bytes that decode encode to the same bytes', async t => {
  const property = fc.property(fc.uint8Array({ maxLength: 12 }), bytes => {
    const text = decodeUtf8(bytes)
    return text === undefined || Buffer.compare(encodeUtf8(text), bytes) === 0
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 2000 }))
})

await t.test('a byte order mark is part of the text', async t => {
  t.equal(decodeUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x41)), '\ufeffA')
})

await t.test('a lone surrogate becomes the replacement character', async t => {
  t.same(encodeUtf8('\ud83d'), Uint8Array.of(0xef, 0xbf, 0xbd))
})

await t.test(
  'bytes that are not well-formed have no text, and leave no trace in what follows',
  async t => {
    const malformed = {
      'a stray continuation': [0x80],
      'a cut sequence': [0xe2, 0x82],
      'an overlong slash': [0xc0, 0xaf],
      'a surrogate': [0xed, 0xa0, 0x80],
      'over U+10FFFF': [0xf4, 0x90, 0x80, 0x80],
      'a byte that never occurs': [0xff],
    }
    for (const [name, bytes] of Object.entries(malformed)) {
      t.equal(decodeUtf8(Uint8Array.from(bytes)), undefined, name)
      t.equal(decodeUtf8(Uint8Array.of(0x41)), 'A')
    }
  },
)

await t.test('texts of any length have the bytes that the encoder makes of them', async t => {
  const encoder = new TextEncoder()
  for (let length = 0; length < 130; length++) {
    const text = 'a'.repeat(length)
    for (const whole of [text, `${text}é`, `é${text}`, `${text}\ud83d`]) {
      t.same(encodeUtf8(whole), encoder.encode(whole))
    }
  }
})
