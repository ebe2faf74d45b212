import { sha256 } from '@fanfold/conformance'
import { limits } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import { decodeBase64Url, encodeBase64Url } from '../src/base64url.ts'
import { ResumePoints } from '../src/resume-point.ts'

const points = new ResumePoints(sha256, '00112233445566778899aabbccddeeff')
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const position = fc.record({
  epoch: fc.nat(0xffff_ffff),
  seq: fc.maxSafeNat().map(seq => seq % 2 ** 48),
  hash: bytes(32),
})

t.test('bytes come back from their base64url text, as Node writes it', async t => {
  const property = fc.property(fc.uint8Array({ maxLength: 70 }), given => {
    const text = encodeBase64Url(given)
    const back = decodeBase64Url(text)
    return (
      text === Buffer.from(given).toString('base64url') &&
      back !== undefined &&
      Buffer.compare(back, given) === 0
    )
  })
  t.doesNotThrow(() => fc.assert(property))
  for (const text of ['A', 'AB', 'AAB', '=', 'AA==', 'A A', '!', 'é']) {
    t.equal(decodeBase64Url(text), undefined, text)
  }
})

t.test('a sealed position comes back with the first half of its hash and its tag', async t => {
  const property = fc.property(position, bytes(16), (at, tag) => {
    const text = points.seal(at, tag)
    const point = points.open(text)
    return (
      text.length <= limits.positionBytesMax.value &&
      text === points.seal(at, tag) &&
      point?.epoch === at.epoch &&
      point.seq === at.seq &&
      Buffer.compare(point.hashPrefix, at.hash.subarray(0, 16)) === 0 &&
      Buffer.compare(point.tag, tag) === 0
    )
  })
  t.doesNotThrow(() => fc.assert(property))
})

t.test('salted, a position opens to the same, and has another text', async t => {
  const at = { epoch: 3, seq: 120, hash: new Uint8Array(32).fill(7) }
  const tag = new Uint8Array(16).fill(9)
  const plain = points.seal(at, tag)
  const [one, two] = [1, 2].map(byte => points.seal(at, tag, new Uint8Array(8).fill(byte)))
  t.equal(new Set([plain, one, two]).size, 3)
  t.ok((one?.length ?? 0) <= limits.positionBytesMax.value)
  t.same(points.open(one ?? ''), points.open(plain))
})

t.test('a position that was changed in any place, or is of another key, does not open', async t => {
  const other = new ResumePoints(sha256, 'ff112233445566778899aabbccddeeff')
  const at = { epoch: 3, seq: 120, hash: new Uint8Array(32).fill(7) }
  const text = points.seal(at, new Uint8Array(16))
  t.equal(other.open(text), undefined)
  for (let index = 0; index < text.length; index++) {
    for (const letter of ['A', 'B', 'z', '_']) {
      const changed = text.slice(0, index) + letter + text.slice(index + 1)
      if (changed !== text) t.equal(points.open(changed), undefined, `${index} ${letter}`)
    }
  }
})

t.test('what no edge has sealed does not open', async t => {
  const strangers = ['', '2.', '1.3.120.00112233445566778899aabbccddeeff', 'x'.repeat(10_000)]
  for (const text of strangers) t.equal(points.open(text), undefined, text.slice(0, 40))
  t.doesNotThrow(() => fc.assert(fc.property(fc.string(), text => points.open(text) === undefined)))
  const shaped = bytes(58).map(noise => `2.${encodeBase64Url(noise)}`)
  t.doesNotThrow(() => fc.assert(fc.property(shaped, text => points.open(text) === undefined)))
})

t.test('a sealed position shows nothing of what it says', async t => {
  const tag = new Uint8Array(16)
  const hash = new Uint8Array(32)
  const one = points.seal({ epoch: 1, seq: 1, hash }, tag)
  const two = points.seal({ epoch: 1, seq: 2, hash }, tag)
  const same = [...one.slice(2)].filter((letter, index) => letter === two.slice(2)[index])
  t.ok(same.length < 16, `${same.length} letters of 78 are the same`)
})

t.test('views that differ in variant, audience or view state have tags of their own', async t => {
  const tags = [
    points.tag('a', {}, undefined),
    points.tag('b', {}, undefined),
    points.tag('a', { id: 'ada' }, undefined),
    points.tag('a', {}, null),
    points.tag('a', {}, {}),
    points.tag('a', {}, { page: 1 }),
  ]
  t.equal(new Set(tags.map(tag => Buffer.from(tag).toString('hex'))).size, tags.length)
  t.same(points.tag('a', { a: 1, b: 2 }, undefined), points.tag('a', { b: 2, a: 1 }, undefined))
})

t.test(
  'a text that many hold is opened once, and another one between them is not mistaken for it',
  t => {
    let hashes = 0
    const counting = new ResumePoints((...args) => {
      hashes++
      sha256(...args)
    }, '00112233445566778899aabbccddeeff')
    const at = (seq: number) => ({ epoch: 1, seq, hash: new Uint8Array(32) })
    const tag = counting.tag('variant', {}, undefined)
    const [one, two] = [counting.seal(at(1), tag), counting.seal(at(2), tag)]
    t.equal(counting.open(one)?.seq, 1)
    hashes = 0
    for (let viewer = 0; viewer < 100; viewer++) t.equal(counting.open(one)?.seq, 1)
    t.equal(hashes, 0)
    t.equal(counting.open(two)?.seq, 2)
    t.equal(counting.open(one)?.seq, 1)
    t.equal(counting.open(`${one.slice(0, -1)}A`), undefined)
    t.end()
  },
)
