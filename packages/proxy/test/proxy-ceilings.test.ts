import { labelledText } from '@fanfold/conformance'
import { equalBytes, instant } from '@fanfold/kernel'
import t from 'tap'
import { ProxyChain, texts, whole } from './build-chain.ts'
import {
  child,
  doc,
  factsOf,
  framesOf,
  link,
  live,
  parent,
  positionAt,
  snapshot,
  welcome,
} from './build-proxy.ts'

const below = (ceiling: number): string[] =>
  texts.filter(({ tag }) => tag <= ceiling).map(({ text }) => text)

const isAt = (chain: ProxyChain, seq: number): boolean =>
  equalBytes(
    chain.follower.replica.position.hash,
    whole[seq - 1]?.chainHash ?? new Uint8Array(0),
  ) && chain.follower.upstream.isLive

const stateUnder = (ceiling: number, seq: number): object => ({
  n: seq,
  roles: ceiling >= 2 ? { any: labelledText(2, seq) } : {},
  ...(ceiling >= 1 ? { odds: labelledText(1, seq) } : {}),
})

for (const ceilings of [
  [255, 1, 0],
  [0, 239],
  [239, 239],
  [2, 240, 1],
  [255, 255],
]) {
  t.test(`under ceilings ${ceilings.join(', ')} no hop carries what is above`, async t => {
    const chain = new ProxyChain(ceilings)
    for (const [index] of ceilings.entries()) {
      const ceiling = Math.min(...ceilings.slice(0, index + 1))
      const labels = below(ceiling).filter(text => text.startsWith('label'))
      t.same(chain.textsDown(index), labels, `the snapshot on hop ${index}`)
    }
    chain.publish(20)
    for (const [index] of ceilings.entries()) {
      const ceiling = Math.min(...ceilings.slice(0, index + 1))
      t.same(chain.textsDown(index), below(ceiling), `records on hop ${index}`)
    }
    const least = Math.min(...ceilings)
    t.ok(isAt(chain, 30), 'and the chain of hashes is the same')
    t.equal(chain.follower.upstream.ceiling, least)
    t.same(chain.follower.replica.state(), stateUnder(least, 30))
    t.same(
      chain.events.filter(({ kind }) => kind === 'resync' || kind === 'ceiling'),
      [],
    )
  })
}

t.test('under the same ceiling a follower resumes from what it holds', async t => {
  const chain = new ProxyChain([1, 1])
  chain.publish(10)
  chain.textsDown(1)
  chain.close(1)
  chain.publish(10)
  chain.events.splice(0)
  chain.open(1)
  chain.settle()
  t.ok(isAt(chain, 30))
  t.same(
    chain.events.map(({ kind }) => kind),
    ['joined', 'staleness', 'records', 'caught-up'],
    'without a snapshot',
  )
})

t.test('a ceiling that falls takes effect all the way down before anything else', async t => {
  const chain = new ProxyChain([2, 239, 239])
  chain.publish(10)
  chain.close(0)
  chain.settle()
  for (const hop of [0, 1, 2]) chain.textsDown(hop)
  chain.events.splice(0)
  chain.open(0, 0)
  chain.settle()
  t.same(
    chain.events.map(({ kind }) => kind).filter(kind => kind !== 'staleness'),
    ['ceiling', 'reset', 'joined', 'caught-up'],
  )
  t.equal(chain.following.staleFor(doc, instant(0)), undefined)
  t.equal(chain.follower.upstream.ceiling, 0)
  t.same(chain.follower.replica.state(), stateUnder(0, 20))
  chain.publish(10)
  for (const hop of [0, 1, 2]) t.same(chain.textsDown(hop), below(0), `hop ${hop}`)
  t.ok(isAt(chain, 30))
  t.same(chain.follower.replica.state(), stateUnder(0, 30))
})

t.test(
  'a ceiling that falls above one that is lower anyway is none of the child’s business',
  async t => {
    const chain = new ProxyChain([2, 0])
    chain.close(0)
    chain.events.splice(0)
    chain.open(0, 1)
    chain.settle()
    t.notOk(chain.events.some(({ kind }) => kind === 'ceiling'))
    t.ok(isAt(chain, 10))
    chain.publish(5)
    t.ok(isAt(chain, 15))
  },
)

t.test('a ceiling that rises shows more from the next snapshot on', async t => {
  const chain = new ProxyChain([0, 239])
  chain.publish(10)
  chain.close(0)
  chain.events.splice(0)
  chain.open(0, 2)
  chain.settle()
  t.notOk(chain.events.some(({ kind }) => kind === 'ceiling'))
  t.equal(chain.follower.upstream.ceiling, 2)
  t.same(chain.follower.replica.state(), stateUnder(2, 20))
  chain.publish(10)
  t.same(chain.follower.replica.state(), stateUnder(2, 30))
  t.ok(isAt(chain, 30))
})

t.test('between a ceiling that fell and the snapshot, a proxy has nothing to give', async t => {
  const rig = live()
  rig.open(link(2))
  rig.frame(parent, welcome('snapshot', 10, 0))
  t.match(rig.sent(child), [
    { kind: 'welcome', mode: 'snapshot', head: { seq: 0 }, ceiling: 0 },
    { kind: 'status', stale: true },
  ])
  rig.join(link(2))
  t.same(rig.sent(link(2)), [], 'who joins waits')
  rig.frame(child, { kind: 'credit', channel: 1, bytes: 1 })
  rig.pass(0)
  t.same(rig.effects(), [], 'who has joined gets nothing')
  rig.frame(parent, ...snapshot(10))
  const effects = rig.effects()
  t.match(framesOf(effects, child)[0], { kind: 'snapshot-begin' })
  t.match(framesOf(effects, link(2))[0], { kind: 'welcome', mode: 'snapshot', ceiling: 0 })
})

t.test('a child that joins when the ceiling fell and the parent went is refused', async t => {
  const rig = live()
  rig.frame(parent, welcome('snapshot', 10, 0))
  rig.effects()
  rig.close(parent)
  rig.join(child, positionAt(10))
  t.match(rig.sent(child).at(-1), { kind: 'refused', code: 'FANFOLD_NO_PARENT' })
})

t.test(
  'a parent that welcomes with a tail under another ceiling is asked for a snapshot',
  async t => {
    for (const ceiling of [0, 255]) {
      const rig = live()
      rig.frame(parent, welcome('tail', 10, ceiling))
      const effects = rig.effects()
      t.match(framesOf(effects, parent), [{ kind: 'join', have: undefined }])
      t.ok(factsOf(effects).includes('resync'))
      t.equal(framesOf(effects, child).length, ceiling === 0 ? 2 : 0)
    }
  },
)
