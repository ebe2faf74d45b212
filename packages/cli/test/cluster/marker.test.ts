import { createHash } from 'node:crypto'
import t from 'tap'
import { formsFound, formsOf, markerBytes, newMarker } from './marker.ts'

t.test('a marker is found in every form, wherever it begins', async t => {
  const marker = 'Marker-of_a-test'
  t.equal(Buffer.byteLength(newMarker()), markerBytes)
  t.not(newMarker(), newMarker())
  for (const before of ['', 'a', 'ab', 'abc', 'abcd']) {
    const text = Buffer.from(`${before}${marker}wxyz`)
    t.same(formsFound(text, marker), ['text'], 'the text itself')
    for (const encoding of ['base64', 'base64url'] as const) {
      const found = formsFound(Buffer.from(`{"x":"${text.toString(encoding)}"}`), marker)
      t.ok(
        found.some(form => form.startsWith(`text, ${encoding} at`)),
        `${encoding} after ${before.length} bytes`,
      )
    }
    t.same(formsFound(Buffer.from(text.toString('hex')), marker), ['text, hex'])
  }
  const escaped = [...marker].map(char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
  t.ok(formsFound(Buffer.from(escaped.join('')), marker).includes('text, escaped, lower'))
  const upper = escaped.map(one => `\\u${one.slice(2).toUpperCase()}`)
  t.ok(formsFound(Buffer.from(upper.join('')), marker).includes('text, escaped, upper'))
})

t.test('its digests are found, as bytes and as text', async t => {
  const marker = newMarker()
  for (const algorithm of ['sha256', 'sha1', 'md5']) {
    const digest = createHash(algorithm).update(marker).digest()
    const around = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from('ab'), bytes])
    t.same(formsFound(around(digest), marker), [`${algorithm} of text`])
    for (const [encoding, form] of [
      ['hex', 'hex'],
      ['base64', 'base64 at 0'],
      ['base64url', 'base64url at 0'],
    ] as const) {
      const found = formsFound(Buffer.from(digest.toString(encoding)), marker)
      t.ok(found.includes(`${algorithm} of text, ${form}`), `${algorithm} in ${encoding}`)
    }
    const ofJson = createHash(algorithm).update(`"${marker}"`).digest()
    t.same(formsFound(around(ofJson), marker), [`${algorithm} of JSON`])
  }
})

t.test('nothing of it is found in other bytes', async t => {
  const marker = newMarker()
  const others = Array.from({ length: 50 }, () => [...formsOf(newMarker()).values()]).flat()
  t.same(formsFound(Buffer.concat(others), marker), [])
  t.throws(() => formsOf('short'))
})
