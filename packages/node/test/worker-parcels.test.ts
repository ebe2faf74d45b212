import fc from 'fast-check'
import t from 'tap'
import {
  type Parcel,
  ParcelReader,
  type ParcelSlice,
  ParcelSlicer,
  parcelBytes,
  parcelBytesMin,
} from '../src/worker-parcels.ts'

const bytes = (length: number, fill = length): Uint8Array => new Uint8Array(length).fill(fill % 256)

/** All slices of what waits. */
function slicesOf<Head>(slicer: ParcelSlicer<Head>): ParcelSlice<Head>[] {
  const slices: ParcelSlice<Head>[] = []
  for (let slice = slicer.next(); slice !== undefined; slice = slicer.next()) slices.push(slice)
  return slices
}

const areSame = (some: readonly Parcel<number>[], others: readonly Parcel<number>[]): boolean =>
  some.length === others.length &&
  some.every(({ head, arrays }, index) => {
    const other = others[index]
    if (head !== other?.head || arrays.length !== other.arrays.length) return false
    return arrays.every((array, at) => Buffer.compare(array, other.arrays[at] ?? bytes(0)) === 0)
  })

t.test('parcels arrive as they were, in order, however they are cut and mixed', async t => {
  const array = fc.oneof(
    fc.nat({ max: 40 }).map(length => bytes(length)),
    fc.constantFrom(300_000, 1_000_000, 1_100_000).map(length => bytes(length)),
  )
  const anyParcel = fc.record({ head: fc.nat(), arrays: fc.array(array, { maxLength: 6 }) })
  const anyTurns = fc.array(fc.tuple(fc.array(anyParcel, { maxLength: 4 }), fc.nat({ max: 3 })))
  const property = fc.property(anyTurns, turns => {
    const slicer = new ParcelSlicer<number>()
    const reader = new ParcelReader<number>()
    const arrived: Parcel<number>[] = []
    for (const [parcels, count] of turns) {
      for (const parcel of parcels) slicer.push(parcel)
      for (let left = count; left > 0; left--) {
        const slice = slicer.next()
        if (slice !== undefined) arrived.push(...reader.take(slice))
      }
    }
    for (const slice of slicesOf(slicer)) arrived.push(...reader.take(slice))
    const sent = turns.flatMap(([parcels]) => parcels)
    return slicer.bytes === 0 && areSame(arrived, sent)
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 25 }))
})

t.test('many small ones share a slice, a large one takes many', async t => {
  const slicer = new ParcelSlicer<string>()
  for (let index = 0; index < 500; index++) slicer.push({ head: `${index}`, arrays: [bytes(100)] })
  t.equal(slicesOf(slicer).length, 1)
  slicer.push({ head: 'large', arrays: Array.from({ length: 160 }, () => bytes(65_536)) })
  const slices = slicesOf(slicer)
  t.equal(slices.length, 10)
  t.ok(slices.every(({ bytes }) => bytes.byteLength <= 1_048_576))
  for (let index = 0; index < 3_000; index++) slicer.push({ head: `${index}`, arrays: [] })
  t.same(
    slicesOf(slicer).map(({ heads }) => heads.length),
    [1_024, 1_024, 952],
  )
})

t.test('an array that is larger than a slice goes alone', async t => {
  const slicer = new ParcelSlicer<string>()
  slicer.push({ head: 'large', arrays: [bytes(10), bytes(2_000_000), bytes(10)] })
  t.same(
    slicesOf(slicer).map(({ bytes }) => bytes.byteLength),
    [10, 2_000_000, 10],
  )
})

t.test('what waits is counted until it has gone whole', async t => {
  const slicer = new ParcelSlicer<string>()
  const large = { head: 'large', arrays: [bytes(700_000), bytes(700_000)] }
  slicer.push(large)
  slicer.push({ head: 'none', arrays: [] })
  t.equal(slicer.bytes, parcelBytes(large) + parcelBytesMin)
  slicer.next()
  t.equal(slicer.bytes, parcelBytes(large) + parcelBytesMin)
  slicer.next()
  t.equal(slicer.bytes, 0)
  t.equal(slicer.next(), undefined)
})

t.test('what has begun to go is not taken back', async t => {
  const slicer = new ParcelSlicer<string>()
  const reader = new ParcelReader<string>()
  const large = { head: 'a', arrays: [bytes(700_000), bytes(700_000)] }
  slicer.push(large)
  slicer.push({ head: 'a', arrays: [bytes(7)] })
  slicer.push({ head: 'b', arrays: [bytes(8)] })
  const first = slicer.next()
  slicer.withdraw(head => head === 'a')
  const slices = [first, ...slicesOf(slicer)].flatMap(slice => slice ?? [])
  const arrived = slices.flatMap(slice => reader.take(slice))
  t.same(
    arrived.map(({ head }) => head),
    ['a', 'b'],
  )
  t.equal(slicer.bytes, 0)
})
