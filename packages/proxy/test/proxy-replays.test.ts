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
const ask = (seq: number | undefined, credit = 1_000_000) =>
  ({
    kind: 'request-replay',
    doc,
    have: seq === undefined ? undefined : positionAt(seq),
    credit,
  }) as const
const replay = (from: number, to: number) =>
  ({ kind: 'replay', doc, ceiling: 239, records: log.slice(from - 1, to) }) as const
const ended = { kind: 'replay-ended', doc, code: undefined, message: '', retryAfterMs: 0 } as const

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
    rig.frame(parent, replay(6, 20), ended)
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

t.test('three children that ask for the same log cost one replay above at a time', async t => {
  const rig = connected()
  rig.open(link(3))
  for (const id of [child, second, link(3)]) rig.frame(id, ask(undefined))
  rig.pass(0)
  t.equal(rig.sent(parent).length, 1)
  rig.frame(parent, replay(1, 5), ended)
  rig.pass(0)
  const effects = rig.effects()
  t.same(seqsOf(framesOf(effects, child)), [1, 2, 3, 4, 5])
  t.equal(framesOf(effects, parent).length, 1)
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
  t.match(rig.sent(parent), [{ kind: 'request-replay' }, { kind: 'leave-replay', doc }])
})

t.test('a parent that is lost ends it, with a time to wait', async t => {
  const rig = connected()
  rig.frame(child, ask(undefined))
  rig.frame(parent, replay(1, 3))
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
  rig.frame(child, ask(12, 1))
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
  rig.frame(child, { kind: 'replay-credit', doc, bytes: 1_000_000 })
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
