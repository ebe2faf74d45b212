import {
  type AnyReduction,
  count,
  countBy,
  distinct,
  jsonCodec,
  partBytesMax,
  type Reduction,
  sum,
} from '@fanfold/definition'
import t from 'tap'
import { decodeContent, mergeContents } from '../src/content.ts'
import { encodeContent } from '../src/index.ts'

/** What an author sums up as text, a sum at its largest. */
const own: Reduction<string, string, string> = {
  shape: 'own/text/1',
  accuracy: 'exact',
  bytesMax: 200_000,
  empty: () => '',
  fold: (_, text) => text,
  merge: (one, other) => (one > other ? one : other),
  encode: jsonCodec.encode,
  decode: bytes => String(jsonCodec.decode(bytes)),
  read: text => text,
}

t.test('what a definition reckons for each reducer is enough for a sum at its largest', async t => {
  const reductions: { readonly [name: string]: AnyReduction } = {
    a: count(),
    cheers: sum({ decimals: 2 }),
    teams: countBy({ top: 1_024 }),
    viewers: distinct({ precision: 16 }),
    ['n'.repeat(80)]: own,
  }
  const parts = Object.entries(reductions).map(([reducer, { shape, bytesMax }]) => ({
    reducer,
    shape,
    bytes: new Uint8Array(bytesMax),
  }))
  for (const part of parts) {
    const into = reductions[part.reducer]
    const reckoned = into === undefined ? 0 : partBytesMax(part.reducer, into)
    const alone = encodeContent([part]).length
    t.ok(alone - 1 <= reckoned && alone - 1 > reckoned - 3, `${alone} bytes, reckoned ${reckoned}`)
  }
  const all = parts.reduce((bytes, { reducer }) => {
    const into = reductions[reducer]
    return bytes + (into === undefined ? 0 : partBytesMax(reducer, into))
  }, 2)
  t.ok(encodeContent(parts).length <= all)
})

/** How many sums are left of counts by one name, in their order. */
function leftOf(...counts: readonly number[]): number {
  const into = count()
  const parts = counts.map(count => ({
    reducer: 'cheers',
    shape: into.shape,
    bytes: into.encode({ count }),
  }))
  return decodeContent(mergeContents([encodeContent(parts)]) ?? new Uint8Array(0)).length
}

t.test('a sum is tried with the latest eight of its kind, and stays by itself then', async t => {
  const full = (times: number): number[] => new Array(times).fill(Number.MAX_SAFE_INTEGER)
  t.equal(leftOf(1, 1, 1), 1)
  t.equal(leftOf(1, ...full(7), 1), 8)
  t.equal(leftOf(1, ...full(8), 1), 10)
})

t.test('a sum that is none stays by itself, and others of its kind are merged', async t => {
  const into = count()
  const [good, none] = [into.encode({ count: 2 }), new Uint8Array([0xff])]
  const parts = [none, good, none, good].map(bytes => ({
    reducer: 'cheers',
    shape: into.shape,
    bytes,
  }))
  const merged = decodeContent(mergeContents([encodeContent(parts)]) ?? new Uint8Array(0))
  t.same(
    merged.map(({ bytes }) => [...bytes]),
    [[0xff], [4], [0xff]],
  )
})
