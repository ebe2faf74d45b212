import t from 'tap'
import { Places } from '../src/places.ts'

t.test('so many work at a time, and the others in the order in which they came', async t => {
  const places = new Places(2)
  const begun: number[] = []
  const ends: (() => void)[] = []
  const works = [0, 1, 2, 3].map(index =>
    places.hold(async () => {
      begun.push(index)
      await new Promise<void>(resolve => {
        ends[index] = resolve
      })
      return index
    }),
  )
  t.same(begun, [0, 1])
  ends[1]?.()
  await works[1]
  t.same(begun, [0, 1, 2])
  ends[0]?.()
  ends[2]?.()
  await Promise.all([works[0], works[2]])
  t.same(begun, [0, 1, 2, 3])
  ends[3]?.()
  t.same(await Promise.all(works), [0, 1, 2, 3])
})

t.test('work that fails leaves its place', async t => {
  const places = new Places(1)
  await t.rejects(
    places.hold(async () => {
      throw new Error('it fails')
    }),
    { message: 'it fails' },
  )
  t.equal(await places.hold(async () => 'done'), 'done')
})
