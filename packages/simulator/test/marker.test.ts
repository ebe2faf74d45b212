import { encodeUtf8, Prng } from '@fanfold/kernel'
import t from 'tap'
import { drawMarker, hiddenMarkers, plainMarkers } from '../src/marker.ts'

const prng = new Prng('markers')
const marker = drawMarker(prng)
const found = (text: string) => [...hiddenMarkers(encodeUtf8(text))]

t.test('markers differ', async t => {
  t.equal(new Set(Array.from({ length: 1_000 }, () => drawMarker(prng))).size, 1_000)
})

t.test('a marker is found as it stands', async t => {
  t.same(plainMarkers(`東京${marker}"x`), [marker])
  t.same(found(`{"${marker}":["東京"]}`), [marker])
  t.same(found('{"title":"mk is not one"}'), [])
})

t.test("a marker is found behind JSON's escapes", async t => {
  const escaped = [...marker].map(
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  t.same(found(`"${escaped.join('')}"`), [marker])
})

t.test('a marker is found in Base64 of either alphabet, wherever it begins', async t => {
  for (const before of ['', '?', '??', '???', 'ÿÿÿÿÿ']) {
    const bytes = Buffer.from(`${before}${marker}~~~`)
    t.same(found(`"${bytes.toString('base64')}"`), [marker])
    t.same(found(`"${bytes.toString('base64url')}"`), [marker])
    t.same(found(`"x${bytes.toString('base64url')}"`), [marker])
  }
})

t.test('a marker is found in hexadecimal of either case, wherever it begins', async t => {
  const text = Buffer.from(`é${marker}é`).toString('hex')
  t.same(found(text), [marker])
  t.same(found(text.toUpperCase()), [marker])
  t.same(found(`0${text}`), [marker])
})
