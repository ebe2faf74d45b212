import { encodeLinkFrame, type LinkFrame, type LinkId } from '@fanfold/protocol'
import t, { type Test } from 'tap'
import { after, doc } from './build-stream.ts'
import {
  first,
  head,
  live,
  log,
  Rig,
  records,
  second,
  snapshotFrames,
  welcome,
} from './following-rig.ts'

/** What a parent is told at the latest after so many bytes. */
const toldAfter = 65_536

/** What the parent was told that was taken, each time. */
const takenIn = (frames: readonly LinkFrame[]): number[] =>
  frames.flatMap(frame => (frame.kind === 'pieces-taken' ? [frame.bytes] : []))

const lengthOf = (frame: LinkFrame): number => encodeLinkFrame(frame).length

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0)

/** Takes frame by frame, and compares what the parent is told with what it sent; what is left untold. */
function takeAll(t: Test, rig: Rig, frames: readonly LinkFrame[], from: LinkId = first): number {
  let untold = 0
  for (const frame of frames) {
    untold += lengthOf(frame)
    rig.take([frame], from)
    const told = takenIn(rig.sent(from))
    t.same(told, untold < toldAfter ? [] : [untold], `${frame.kind}: ${untold} bytes`)
    if (untold >= toldAfter) untold = 0
  }
  return untold
}

t.test('a parent is told of the frames of a snapshot that were taken, every 64 KiB', async t => {
  const rig = new Rig()
  rig.open()
  rig.follow()
  rig.take([welcome('snapshot')])
  rig.sent()
  takeAll(t, rig, snapshotFrames(head, 7, 300_000))
  t.ok(rig.events().includes('joined'))
})

t.test(
  'what is not wanted was taken as well: after a leave, or on a channel of nobody',
  async t => {
    const rig = new Rig()
    rig.open()
    rig.follow()
    rig.take([welcome('snapshot')])
    rig.unfollow()
    rig.sent()
    takeAll(t, rig, [...snapshotFrames(head, 7, 200_000), ...snapshotFrames(head, 99, 200_000)])
  },
)

t.test('a snapshot that is refused for its size was taken', async t => {
  const rig = new Rig({ upstream: { snapshotBytesMax: 100_000 } })
  rig.open()
  rig.follow()
  rig.take([welcome('snapshot')])
  rig.sent()
  const frames = snapshotFrames(head, 7, 300_000)
  rig.take(frames)
  const told = sum(takenIn(rig.sent()))
  t.ok(sum(frames.map(lengthOf)) - told < toldAfter)
})

t.test('a piece that is damaged was taken, and is asked for again', async t => {
  const rig = new Rig()
  rig.open()
  rig.follow()
  const [begin, ...pieces] = snapshotFrames(head, 7, 100_000)
  t.ok(begin !== undefined && pieces.length > 1)
  if (begin !== undefined) rig.take([welcome('snapshot'), begin])
  rig.sent()
  const piece = new Uint8Array(toldAfter)
  rig.take([{ kind: 'snapshot-piece', channel: 7, index: 0, codec: 0, piece }])
  t.same(
    rig.sent().map(({ kind }) => kind),
    ['request-pieces', 'pieces-taken'],
  )
})

t.test('a parent that asks is told at once, however little it is, and once', async t => {
  const rig = new Rig()
  rig.open()
  rig.follow()
  const [begin] = snapshotFrames(head, 7, 100_000)
  if (begin === undefined) throw new Error('a snapshot begins')
  rig.take([welcome('snapshot'), begin])
  rig.sent()
  rig.take([{ kind: 'request-taken', number: 8 }])
  t.same(rig.sent(), [{ kind: 'pieces-taken', bytes: lengthOf(begin), answers: 8 }])
  rig.take([{ kind: 'request-taken', number: 9 }])
  t.same(rig.sent(), [{ kind: 'pieces-taken', bytes: 0, answers: 9 }])
})

t.test('records are no part of it', async t => {
  const rig = live()
  for (let seq = 11; seq < 400; seq++) rig.take([records(log.slice(seq - 1, seq))])
  t.same(takenIn(rig.sent()), [])
})

t.test('each parent is told of what it sent itself', async t => {
  const rig = live()
  rig.open(second)
  rig.sent()
  const half = snapshotFrames(head, 99, 40_000)
  rig.take(half, first)
  rig.take(half, second)
  const effects = rig.effects()
  t.same(effects, [], 'neither has sent 64 KiB')
  rig.take(half, second)
  t.same(takenIn(rig.sent(second)), [2 * sum(half.map(lengthOf))])
})

t.test('a parent that is gone is told nothing, and one that comes begins at nothing', async t => {
  const rig = live()
  const half = snapshotFrames(head, 99, 40_000)
  rig.take(half)
  rig.close()
  rig.effects()
  rig.take([...half, ...half])
  t.same(rig.effects(), [])
  rig.open()
  rig.effects()
  rig.take(half)
  t.same(takenIn(rig.sent()), [])
})

t.test('a frame that cannot be read closes the link, and is not taken', async t => {
  const rig = live()
  for (const frame of snapshotFrames(after(log[11]), 7, 100_000).slice(0, 2)) {
    rig.bytes(encodeLinkFrame(frame).slice(0, 4))
  }
  const effects = rig.effects()
  t.match(effects, [
    { kind: 'link-close', link: first, code: 'FANFOLD_BAD_FRAME' },
    { kind: 'link-close', link: first, code: 'FANFOLD_BAD_FRAME' },
  ])
  t.equal(effects.length, 2, 'and nothing is said to the parent')
  t.equal(rig.following.get(doc)?.upstream.position.seq, 10)
})
