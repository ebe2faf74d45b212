import { decodeLinkFrame, type LinkEffect, type LinkFrame } from '@fanfold/protocol'
import t from 'tap'
import { AskedReplays } from '../src/asked-replays.ts'
import { doc, link } from './build-stream.ts'

const [first, second] = [link(1), link(2)]
const wish = { doc, have: undefined, credit: 500 }
const own = { kind: 'own', doc } as const
const relay = { kind: 'relay' } as const
const endOf = (replay: number) =>
  ({ kind: 'replay-ended', replay, code: undefined, message: '', retryAfterMs: 0 }) as const
const framesIn = (effects: readonly LinkEffect[]): (LinkFrame | undefined)[] =>
  effects.flatMap(effect => (effect.kind === 'link-send' ? [decodeLinkFrame(effect.frame)] : []))

t.test('each replay has a number of its own, on whatever link', async t => {
  const [asked, effects] = [new AskedReplays(), [] as LinkEffect[]]
  const numbers = [
    asked.ask(first, own, wish, effects),
    asked.ask(first, relay, wish, effects),
    asked.ask(second, relay, wish, effects),
  ]
  t.equal(new Set(numbers).size, 3)
  t.match(
    framesIn(effects),
    numbers.map(replay => ({ kind: 'request-replay', doc, replay, credit: 500 })),
  )
  t.equal(asked.count, 3)
})

t.test('a number is not used again while its replay goes on, however many came since', async t => {
  const asked = new AskedReplays(4)
  const long = asked.ask(first, own, wish, [])
  const others = Array.from({ length: 9 }, () => {
    const replay = asked.ask(first, relay, wish, [])
    asked.forget(replay)
    return replay
  })
  t.notOk(others.includes(long), `${others}`)
  t.same(asked.ownerOf(endOf(long), first), own)
})

t.test('a frame is whose its number says, from the parent that was asked', async t => {
  const asked = new AskedReplays()
  const replay = asked.ask(first, own, wish, [])
  const passed = asked.ask(first, relay, wish, [])
  const frame = { kind: 'replay', replay, ceiling: 0, records: [] } as const
  t.same(asked.ownerOf(frame, first), own)
  t.same(asked.ownerOf({ ...frame, replay: passed }, first), relay)
  t.equal(asked.ownerOf(frame, second), undefined, 'another parent was not asked')
  t.equal(asked.ownerOf({ ...frame, replay: 77 }, first), undefined)
  t.same(asked.ownerOf(endOf(replay), first), own)
  t.equal(asked.ownerOf(frame, first), undefined, 'over is over')
})

t.test('credit and leaving reach the parent while the replay goes on', async t => {
  const [asked, effects] = [new AskedReplays(), [] as LinkEffect[]]
  const replay = asked.ask(second, relay, wish, [])
  asked.credit(replay, 7, effects)
  asked.leave(replay, effects)
  asked.credit(replay, 7, effects)
  asked.leave(replay, effects)
  t.match(effects, [{ link: second }, { link: second }])
  t.same(framesIn(effects), [
    { kind: 'replay-credit', replay, bytes: 7 },
    { kind: 'leave-replay', replay },
  ])
  t.equal(asked.count, 0)
})

t.test('with a parent go its replays, and who waits for what is passed on is told', async t => {
  const asked = new AskedReplays()
  asked.ask(first, own, wish, [])
  const passed = asked.ask(first, relay, wish, [])
  const other = asked.ask(second, relay, wish, [])
  const told: LinkFrame[] = []
  asked.closed(first, frame => told.push(frame))
  t.match(told, [{ kind: 'replay-ended', replay: passed, code: 'FANFOLD_NO_PARENT' }])
  t.equal(asked.count, 1)
  asked.forget(other)
  asked.closed(second, frame => told.push(frame))
  t.equal(told.length, 1)
})
