import { type LinkFrame, parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { RequestOutcomes } from '../src/request-outcomes.ts'
import { doc } from './build-stream.ts'
import { first, Rig, second, welcome } from './following-rig.ts'
import { refused } from './upstream-rig.ts'

const counted = (rig: Rig): Record<string, number> =>
  Object.fromEntries(
    rig.following.parents.requests.counts.map(({ node, outcome, count }) => [
      `${node} ${outcome}`,
      count,
    ]),
  )

const asking = (): Rig => {
  const rig = new Rig()
  rig.open()
  rig.follow()
  return rig
}

const answers: readonly { readonly frame: LinkFrame; readonly outcome: string }[] = [
  { frame: welcome('snapshot'), outcome: 'ok' },
  { frame: refused('FANFOLD_NO_DOCUMENT'), outcome: 'refused' },
  { frame: refused('FANFOLD_OVERLOADED'), outcome: 'refused' },
  { frame: refused('FANFOLD_MOVED'), outcome: 'moved' },
  { frame: { kind: 'redirect', doc, to: ['other'] }, outcome: 'moved' },
]

t.test('each answer is counted for the node that gave it, by what it was', async t => {
  for (const { frame, outcome } of answers) {
    const rig = asking()
    t.same(counted(rig), {})
    rig.take([frame])
    t.same(counted(rig), { [`parent ${outcome}`]: 1 })
  }
})

t.test('what is said of a document that is not asked for there is no answer', async t => {
  const rig = asking()
  rig.open(second, 'other')
  rig.take([welcome('snapshot')], second)
  rig.take([refused('FANFOLD_NO_PARENT')], second)
  t.same(counted(rig), {})
})

t.test('no answer in time is one, and so is a link that is lost before', async t => {
  const rig = asking()
  rig.pass(2_000)
  t.same(counted(rig), { 'parent timeout': 1 })
  const others = ['acme/match/one', 'acme/match/two'].map(parseDocumentKey)
  for (const key of others) rig.follow(key)
  rig.take([welcome('snapshot', 8, others[0])])
  rig.close(first)
  const { 'parent lost': lost, ...rest } = counted(rig)
  t.same(rest, { 'parent timeout': 1, 'parent ok': 1 })
  t.ok(lost === 1 || lost === 2, `${lost}: who waits before it asks again has asked nothing`)
})

t.test('so many nodes are told apart, and the rest counted together', async t => {
  const outcomes = new RequestOutcomes()
  for (let node = 0; node < 40; node++) outcomes.count(`node-${node}`, 'ok')
  outcomes.count('node-0', 'timeout', 3)
  outcomes.count('node-39', 'ok', 0)
  const nodes = new Set(outcomes.counts.map(({ node }) => node))
  t.equal(nodes.size, 33)
  t.match(
    outcomes.counts.find(({ node }) => node === 'other'),
    { outcome: 'ok', count: 8 },
  )
  t.equal(outcomes.counts.find(({ outcome }) => outcome === 'timeout')?.count, 3)
})
