import t from 'tap'
import { compareReplicas } from '../../src/bench/compare-replicas.ts'

const replica = (seq: number, sha256 = 'same', over: { count?: number; epoch?: number } = {}) => ({
  epoch: 1,
  seq,
  count: 0,
  sha256,
  ...over,
})

await t.test('replicas that show the same at one place are the same', async t => {
  t.same(compareReplicas([replica(4), replica(4)], 4), {
    violations: [],
    isComplete: true,
    endSeq: 4,
  })
})

await t.test('replicas that show different views at one place are a violation', async t => {
  const { violations } = compareReplicas([replica(4), replica(4, 'other'), replica(5, 'third')], 5)
  t.same(violations, ['2 replicas at 1:4 show 2 views'])
})

await t.test(
  'views that differ at different places are no violation, and prove nothing yet',
  async t => {
    const { violations, isComplete, endSeq } = compareReplicas([replica(4), replica(5, 'next')], 5)
    t.same(
      { violations, isComplete, endSeq },
      { violations: [], isComplete: false, endSeq: undefined },
    )
  },
)

await t.test(
  'who shows the same has everything from the lowest place on: the rest touched nothing',
  async t => {
    const { isComplete, endSeq } = compareReplicas([replica(4), replica(7)], 7)
    t.same({ isComplete, endSeq }, { isComplete: true, endSeq: 4 })
  },
)

await t.test(
  'nobody has everything where nobody is at the end, though all show the same',
  async t => {
    t.equal(compareReplicas([replica(4), replica(4)], 9).endSeq, undefined)
  },
)

await t.test('a place in another epoch is another place', async t => {
  t.same(compareReplicas([replica(4), replica(4, 'other', { epoch: 2 })], 4).violations, [])
})

await t.test('dense counts compare by their views alone', async t => {
  const own = [replica(1, 'same', { count: 1 }), replica(9, 'same', { count: 2 })]
  t.same(compareReplicas(own, 4), { violations: [], isComplete: true, endSeq: undefined })
})

await t.test('without replicas nothing is compared', async t => {
  t.match(compareReplicas([], 0), { violations: [], endSeq: undefined })
})
