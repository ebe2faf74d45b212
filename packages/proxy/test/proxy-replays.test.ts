import { sha256 } from '@fanfold/conformance'
import { Chain } from '@fanfold/document'
import { type LinkFrame, tagOf, zeroHash } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import { ProxyChain, whole } from './build-chain.ts'
import {
  child,
  doc,
  factsOf,
  framesOf,
  link,
  live,
  log,
  parent,
  positionAt,
  Rig,
  records,
  seqsOf,
} from './build-proxy.ts'

const second = link(2)
const ask = (seq: number | undefined, { credit = 1_000_000, replay = 1 } = {}) =>
  ({
    kind: 'request-replay',
    doc,
    replay,
    have: seq === undefined ? undefined : positionAt(seq),
    credit,
  }) as const
const replayed = (from: number, to: number, replay = 1) =>
  ({ kind: 'replay', replay, ceiling: 239, records: log.slice(from - 1, to) }) as const
const ended = {
  kind: 'replay-ended',
  replay: 1,
  code: undefined,
  message: '',
  retryAfterMs: 0,
} as const

/** A join of a child that has nothing and takes no snapshot. */
const tailAlone = {
  kind: 'join',
  doc,
  have: undefined,
  credit: 1_000_000,
  take: 'tail',
  codecs: 0,
} as const

/** A proxy with a parent and two children that follow nothing. */
function connected(): Rig {
  const rig = new Rig()
  for (const id of [parent, child, second]) rig.open(id)
  return rig
}

t.test(
  'a replay is asked of the parent and passed down, of a document not followed too',
  async t => {
    const rig = connected()
    rig.frame(child, ask(5))
    t.same(rig.sent(parent), [ask(5)])
    rig.frame(parent, replayed(6, 20), ended)
    rig.pass(0)
    const effects = rig.effects()
    const frames = framesOf(effects, child)
    t.same(
      seqsOf(frames),
      Array.from({ length: 15 }, (_, index) => index + 6),
    )
    t.equal(frames.at(-1)?.kind, 'replay-ended')
    t.same(factsOf(effects), ['replay-ended'])
  },
)

t.test('children that ask for the same log wait for nobody, nor for the proxy', async t => {
  const rig = connected()
  for (const id of [child, second]) rig.frame(id, ask(undefined, { replay: 7 }))
  t.match(rig.sent(parent), [{ replay: 1 }, { replay: 2 }])
  rig.frame(parent, replayed(1, 5, 2), { ...ended, replay: 2 })
  rig.pass(0)
  t.match(rig.sent(second), [
    { kind: 'replay', replay: 7, records: { length: 5 } },
    { kind: 'replay-ended', replay: 7 },
  ])
  t.same(rig.sent(child), [])
})

t.test('what the proxy has is answered from it, without asking above', async t => {
  const rig = live()
  rig.frame(parent, records(11, 20))
  rig.effects()
  rig.frame(child, ask(12))
  rig.pass(0)
  const effects = rig.effects()
  t.same(seqsOf(framesOf(effects, child)), [13, 14, 15, 16, 17, 18, 19, 20])
  t.same(framesOf(effects, parent), [])
  rig.frame(child, ask(9))
  t.match(rig.sent(parent), [ask(9)])
})

t.test('a child that is gone is gone above too', async t => {
  const rig = connected()
  rig.frame(child, ask(undefined))
  rig.close(child)
  t.match(rig.sent(parent), [{ kind: 'request-replay' }, { kind: 'leave-replay', replay: 1 }])
})

t.test('a parent that is lost ends it, with a time to wait', async t => {
  const rig = connected()
  rig.frame(child, ask(undefined))
  rig.frame(parent, replayed(1, 3))
  rig.close(parent)
  rig.pass(0)
  const frames = rig.sent(child)
  t.same(seqsOf(frames), [1, 2, 3])
  const last = frames.at(-1)
  t.match(last, { kind: 'replay-ended', code: 'FANFOLD_NO_PARENT' })
  t.ok(last?.kind === 'replay-ended' && last.retryAfterMs >= 250)
  rig.frame(child, ask(undefined))
  t.match(rig.sent(child), [{ kind: 'replay-ended', code: 'FANFOLD_NO_PARENT' }])
})

t.test('a ceiling that falls stops what is at hand', async t => {
  const rig = live()
  rig.frame(parent, records(11, 20))
  rig.frame(child, ask(12, { credit: 1 }))
  rig.pass(0)
  rig.effects()
  rig.frame(parent, {
    kind: 'welcome',
    doc,
    channel: 55,
    mode: 'snapshot',
    head: positionAt(20),
    ceiling: 0,
  })
  rig.frame(child, { kind: 'replay-credit', replay: 1, bytes: 1_000_000 })
  rig.pass(0)
  const frames = rig.sent(child).filter(({ kind }) => kind.startsWith('replay'))
  t.match(frames, [{ kind: 'replay-ended', code: 'FANFOLD_NO_TAIL' }])
})

t.test('a replay that stands still is let go', async t => {
  const rig = connected()
  rig.frame(child, ask(undefined))
  rig.effects()
  rig.pass(60_000)
  const effects = rig.effects()
  t.match(framesOf(effects, child), [{ kind: 'replay-ended', code: 'FANFOLD_OVERLOADED' }])
  t.match(framesOf(effects, parent), [{ kind: 'leave-replay' }])
  t.equal(rig.proxy.wakeAt(), undefined)
})

t.test(
  'where nobody takes snapshots, each node replays the log once, beside the others',
  async t => {
    const chain = new ProxyChain([239, 239, 239, 239], { isSnapshotDisabled: true, recordsMax: 5 })
    t.equal(chain.follower.replica.position.seq, 10)
    t.same(chain.top.replayed, Array(4).fill('complete'))
    chain.publish(5)
    t.equal(chain.follower.replica.position.seq, 15, 'what follows is the tail')
    t.equal(chain.top.replayed.length, 4)
  },
)

t.test('a child that takes the tail alone and has nothing is told so at once', async t => {
  const rig = connected()
  rig.frame(child, tailAlone)
  const effects = rig.effects()
  t.match(framesOf(effects, child), [{ code: 'FANFOLD_NO_TAIL', retryAfterMs: 0 }])
  t.match(framesOf(effects, parent), [{ kind: 'join' }], 'whatever the parent will answer')
})

t.test('a document is followed while a child replays its log, and until it is back', async t => {
  const rig = new Rig({ lingerMs: 0 })
  for (const id of [parent, child]) rig.open(id)
  rig.frame(child, tailAlone, ask(undefined))
  for (let seq = 1; seq <= 5; seq++) {
    rig.pass(4_000)
    rig.frame(parent, replayed(seq, seq))
    rig.pass(0)
    t.equal(rig.proxy.documentCount, 1)
  }
  rig.frame(parent, ended)
  rig.pass(1_999)
  t.equal(rig.proxy.documentCount, 1)
  rig.pass(1)
  t.equal(rig.proxy.documentCount, 0)
})

t.test('replay through a chain of proxies is the log, below every ceiling', async t => {
  const asks = fc.record({
    ceilings: fc.array(fc.constantFrom(0, 1, 2, 239), { minLength: 1, maxLength: 4 }),
    have: fc.nat(59),
    credit: fc.integer({ min: 1, max: 20_000 }),
  })
  const holds = fc.property(asks, ({ ceilings, have, credit }) => {
    const chain = new ProxyChain(ceilings)
    chain.publish(50)
    const before = whole[have - 1]
    const position = before && { epoch: before.epoch, seq: have, hash: before.chainHash }
    const frames = chain.replay(position, credit)
    const expected = Array.from({ length: whole.length - have }, (_, index) => index + have + 1)
    const last = frames.at(-1)
    return (
      seqsOf(frames).join() === expected.join() &&
      isChained(frames, before?.chainHash ?? zeroHash, Math.min(...ceilings)) &&
      last?.kind === 'replay-ended' &&
      last.code === undefined
    )
  })
  t.doesNotThrow(() => fc.assert(holds, { numRuns: 60 }))
})

/** True when the records of all frames are under the ceiling, and each follows the one before. */
function isChained(frames: readonly LinkFrame[], start: Uint8Array, ceiling: number): boolean {
  const verifier = new Chain(sha256)
  let before = start
  for (const frame of frames) {
    if (frame.kind !== 'replay') continue
    if (frame.ceiling !== ceiling) return false
    for (const record of frame.records) {
      if (!verifier.verifies(record, before)) return false
      if (record.parts().some(part => tagOf(part) > ceiling)) return false
      before = record.chainHash
    }
  }
  return true
}

t.test('who is the parent is not passed what the parent would be asked for', async t => {
  const rig = new Rig()
  rig.open(parent, 239, { node: 'upper', roles: ['proxy'] })
  rig.open(child, 239, { node: 'upper', roles: ['proxy'] })
  rig.open(second, 239, { node: 'lower', roles: ['proxy'] })
  rig.frame(child, ask(5))
  const effects = rig.effects()
  t.same(framesOf(effects, parent), [])
  t.match(framesOf(effects, child), [{ kind: 'replay-ended', code: 'FANFOLD_NO_PARENT' }])
  rig.frame(second, ask(5))
  t.same(rig.sent(parent), [ask(5)], 'others are')
})
