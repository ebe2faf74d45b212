import { type BuiltLog, testRecordSource } from '@fanfold/conformance'
import fc from 'fast-check'
import t from 'tap'
import { hopSource } from './hop-source.ts'
import { Hop, published } from './one-hop.ts'

const childCount = 3

const steps = fc.array(
  fc.record({
    what: fc.constantFrom('publish', 'up', 'down', 'down', 'congest', 'drain', 'attach', 'leave'),
    child: fc.nat(childCount - 1),
    count: fc.integer({ min: 1, max: 9 }),
  }),
  { maxLength: 120 },
)

t.test('whatever happens between them, each child holds the whole prefix in the end', async t => {
  const holds = fc.property(steps, fc.integer({ min: 300, max: 4_000 }), (steps, creditBytes) => {
    const hop = new Hop(childCount, creditBytes)
    for (const { what, child: index, count } of steps) {
      const child = hop.children[index]
      if (child === undefined) return false
      if (what === 'publish') hop.publish(count)
      else if (what === 'up') hop.carryUp(child, count)
      else if (what === 'down') hop.carryDown(child, count)
      else if (what === 'congest') hop.congest(child, true)
      else if (what === 'drain') hop.congest(child, false)
      else if (what === 'leave') hop.leave(child)
      else if (!child.isJoined) hop.attach(child)
    }
    hop.settle()
    hop.publish(5)
    hop.settle()
    const [first] = hop.children
    const head = first?.replica.position.seq ?? 0
    return hop.children.every(
      ({ replica, problems }) =>
        problems.length === 0 &&
        replica.position.seq === head &&
        Buffer.compare(
          replica.position.hash,
          published[head - 1]?.chainHash ?? replica.position.hash,
        ) === 0 &&
        replica.state()?.['n'] === head,
    )
  })
  t.doesNotThrow(() => fc.assert(holds, { numRuns: 150 }))
})

t.test('the credit never runs dry over a long stream', async t => {
  const hop = new Hop(1, 300)
  const [child] = hop.children
  for (let round = 0; round < 60; round++) {
    hop.publish(5)
    hop.settle()
  }
  t.equal(child?.replica.position.seq, 301)
  t.same(child?.problems, [])
})

for (const creditBytes of [300, 16_384]) {
  t.test(`a parent is a source of records, with a credit of ${creditBytes} bytes`, async t => {
    const open = async (log: readonly BuiltLog[]) =>
      hopSource(
        log.flatMap(({ records }) => records),
        creditBytes,
      )
    testRecordSource(t, open)
  })
}
