import type { LinkEffect, LinkFrame } from '@fanfold/protocol'
import t from 'tap'
import { LinkAllowance, TurnAllowance } from '../src/transfer-allowance.ts'
import { bytesOf, framesOf, headOf, link, seqsOf, snapshotAt } from './build-stream.ts'
import { child, kindsOf, log, Rig } from './downstream-rig.ts'
import { unmeasured } from './serving-node.ts'

type Piece = Extract<LinkFrame, { kind: 'snapshot-piece' }>

const piecesOf = (frames: readonly LinkFrame[]): Piece[] =>
  frames.flatMap(frame => (frame.kind === 'snapshot-piece' ? [frame] : []))

const indexesOf = (frames: readonly LinkFrame[]): number[] =>
  piecesOf(frames).map(({ index }) => index)

const second = link(2)
const both = 0b11

/** A parent of a document with a snapshot of about so many pieces. */
const parentOf = (pieces: number): Rig => {
  const rig = new Rig(5)
  rig.snapshotBytes = 62_000 * pieces
  return rig
}

/** All that is sent until there is no more. */
function flushAll(rig: Rig): LinkEffect[] {
  const effects: LinkEffect[] = []
  for (let turn = 0; turn < 1_000 && rig.flush(); turn++) effects.push(...rig.effects())
  return [...effects, ...rig.effects()]
}

t.test('pieces are packed for children that unpack them, once for all of them', async t => {
  const rig = parentOf(4)
  for (const number of [1, 2, 3]) rig.join({ link: link(number), codecs: both })
  rig.join({ link: link(4), codecs: 0 })
  const effects = flushAll(rig)
  const count = rig.last?.pieces.length ?? 0
  t.equal(rig.codec.packs, count)
  for (const number of [1, 2, 3]) {
    const pieces = piecesOf(framesOf(effects, link(number)))
    t.equal(pieces.length, count)
    for (const { codec, piece, index } of pieces) {
      t.same(rig.codec.unpack({ codec, bytes: piece }, 65_536), undefined)
      const raw = rig.last?.pieces[index] ?? new Uint8Array(0)
      t.same(rig.codec.unpack({ codec, bytes: piece }, raw.length), raw)
    }
  }
  const plain = piecesOf(framesOf(effects, link(4)))
  t.same(
    plain.map(({ codec, piece }) => [codec, piece]),
    rig.last?.pieces.map(piece => [0, piece]),
  )
})

t.test('children at the same piece share its frame, and all the manifest', async t => {
  const rig = parentOf(3)
  for (const number of [1, 2]) rig.join({ link: link(number), codecs: both })
  const effects = flushAll(rig)
  const [ones, twos] = [bytesOf(effects, link(1)), bytesOf(effects, link(2))]
  t.ok(ones.length > 4)
  for (const [index, frame] of ones.slice(1).entries()) t.equal(frame, twos[index + 1])
})

t.test('who did not ask for a snapshot gets none of its bytes', async t => {
  const rig = parentOf(20)
  rig.join({ link: second, have: headOf(rig.ring) })
  rig.flush()
  rig.effects()
  rig.join()
  const effects = flushAll(rig)
  t.ok(bytesOf(effects, child).length > 20)
  t.same(bytesOf(effects, second), [])
})

t.test(
  'only the piece that is missing is sent again, also after records have followed',
  async t => {
    const rig = parentOf(4)
    rig.join()
    flushAll(rig)
    rig.resend(1, 99)
    rig.flush()
    t.same(indexesOf(rig.sent()), [1])
    rig.push(log[5])
    rig.flush()
    t.same(seqsOf(rig.sent()), [6])
    rig.resend(2, 2)
    rig.flush()
    const [again, ...others] = rig.sent()
    t.match(again, { kind: 'snapshot-piece', index: 2, piece: rig.last?.pieces[2] })
    t.same(others, [])
  },
)

t.test('however many pieces are asked for again, they come in turns', async t => {
  const rig = parentOf(20)
  rig.join()
  flushAll(rig)
  rig.resend(...Array.from({ length: 20 }, (_, index) => index))
  t.ok(rig.flush())
  t.equal(piecesOf(rig.sent()).length, 9, 'half a megabyte of them')
  t.equal(piecesOf(framesOf(flushAll(rig))).length, 11)
})

t.test('a piece that was not sent yet comes when its turn is, not twice', async t => {
  const rig = parentOf(20)
  rig.join()
  for (let turn = 0; turn < 2; turn++) rig.flush()
  rig.effects()
  rig.resend(15, 3)
  const indexes = indexesOf(framesOf(flushAll(rig)))
  t.equal(indexes[0], 3, 'what the child waits for comes first')
  t.equal(indexes.filter(index => index === 15).length, 1)
})

t.test('pieces of a snapshot that is at hand no more begin it anew, never silence', async t => {
  const cases: [string, (rig: Rig) => void][] = [
    ['after credit for what follows it', rig => rig.downstream.credit(child, 1)],
    [
      'after two looks',
      rig => {
        t.ok(rig.downstream.letGo())
        t.notOk(rig.downstream.letGo())
      },
    ],
  ]
  for (const [name, forget] of cases) {
    const rig = parentOf(2)
    rig.join()
    flushAll(rig)
    rig.push(log[5])
    rig.flush()
    rig.effects()
    forget(rig)
    rig.resend(1)
    t.same(kindsOf(framesOf(flushAll(rig))).slice(0, 2), ['snapshot-begin', 'snapshot-piece'], name)
  }
})

t.test('credit for records from before a snapshot does not let it go', async t => {
  const rig = parentOf(2)
  rig.join()
  flushAll(rig)
  rig.downstream.credit(child, 1)
  rig.resend(1)
  rig.flush()
  t.same(indexesOf(rig.sent()), [1])
})

t.test('a snapshot under way is let go by nobody’s look', async t => {
  const rig = parentOf(20)
  rig.join()
  rig.flush()
  for (let look = 0; look < 3; look++) t.ok(rig.downstream.letGo())
  rig.effects()
  t.ok(indexesOf(framesOf(flushAll(rig))).length > 10)
})

t.test(
  'a child that takes the tail alone is refused where there is none, and not kept',
  async t => {
    const rig = new Rig(10, { recordsMax: 4 })
    t.equal(rig.join({ take: 'tail' }), 'refused')
    t.match(rig.sent(), [{ kind: 'refused', code: 'FANFOLD_NO_TAIL', retryAfterMs: 0 }])
    t.equal(rig.downstream.count, 0)
    const position = { ...headOf(rig.ring), seq: 2 }
    t.equal(rig.join({ take: 'tail', have: position }), 'refused')
    t.equal(rig.join({ take: 'tail', have: headOf(rig.ring) }), 'tail')
    t.equal(rig.join({ have: position }), 'snapshot')
  },
)

t.test('a child that takes the tail alone is told when it has fallen off', async t => {
  for (const fall of [
    (rig: Rig) => rig.restart(),
    (rig: Rig) => rig.resend(0),
    (rig: Rig) => {
      rig.downstream.setCongested(child, true)
      rig.push(...log.slice(5, 20))
      rig.downstream.setCongested(child, false)
    },
  ]) {
    const rig = new Rig(5, { recordsMax: 5 })
    rig.join({ take: 'tail', have: headOf(rig.ring) })
    rig.effects()
    fall(rig)
    rig.flush()
    t.match(rig.sent(), [{ kind: 'ended', channel: 7, code: 'FANFOLD_NO_TAIL' }])
    t.equal(rig.downstream.count, 0)
  }
})

t.test(
  'what a turn may do for snapshots is shared by all children, and packing counts',
  async t => {
    const rig = parentOf(20)
    for (let number = 1; number <= 50; number++) rig.join({ link: link(number), codecs: both })
    t.ok(rig.flush())
    t.ok(rig.codec.packs <= 8, `${rig.codec.packs} pieces packed in a turn`)
    const sent = bytesOf(rig.effects()).reduce((sum, frame) => sum + frame.length, 0)
    t.ok(sent <= 524_288 + 65_600, `${sent} bytes`)
    const effects = flushAll(rig)
    t.equal(rig.codec.packs, rig.last?.pieces.length)
    t.equal(piecesOf(framesOf(effects, link(50))).length, rig.last?.pieces.length)
  },
)

t.test('a link gets no more of snapshots in a turn than it may', async t => {
  const rig = parentOf(20)
  const turn = new TurnAllowance(10_000_000)
  rig.join({
    allowance: new LinkAllowance(turn, { ...unmeasured, bytesOnLinkMax: 200_000 }),
  })
  t.ok(rig.flush())
  t.equal(piecesOf(rig.sent()).length, 4)
  t.ok(rig.flush(), 'spent until the next turn')
  t.same(rig.sent(), [])
  turn.refill()
  rig.flush()
  t.equal(piecesOf(rig.sent()).length, 4)
})

/** A parent of a snapshot of 20 pieces, and a child on a link that holds two and a bit. */
const parentOfFullLink = (): { rig: Rig; allowance: LinkAllowance } => {
  const rig = parentOf(20)
  const limits = { ...unmeasured, bytesUnderWayMax: 150_000 }
  const allowance = new LinkAllowance(rig.turn, limits)
  rig.join({ allowance })
  // The first turn is spent with making the snapshot.
  rig.flush()
  rig.flush()
  return { rig, allowance }
}

t.test('a snapshot waits for the child to take what it was sent', async t => {
  const { rig, allowance } = parentOfFullLink()
  t.equal(piecesOf(rig.sent()).length, 3)
  t.notOk(rig.flush(), 'nothing is for the next turn')
  t.same(kindsOf(rig.sent()), [])
  allowance.taken(120_000)
  t.notOk(rig.flush())
  t.same(indexesOf(rig.sent()), [3, 4])
})

t.test('a link that is full holds up no other child, nor what is no snapshot', async t => {
  const { rig } = parentOfFullLink()
  rig.join({ link: second })
  rig.join({ link: link(3), have: headOf(rig.ring) })
  rig.push(log[5])
  const effects = flushAll(rig)
  t.equal(piecesOf(framesOf(effects, second)).length, rig.last?.pieces.length)
  t.same(seqsOf(framesOf(effects, link(3))), [6])
})

t.test('a snapshot that cannot be sent is not made', async t => {
  const rig = parentOf(2)
  const allowance = new LinkAllowance(rig.turn, unmeasured)
  allowance.spend(unmeasured.bytesUnderWayMax)
  rig.join({ allowance })
  t.notOk(rig.flush())
  t.equal(rig.made, 0)
  rig.push(log[5])
  allowance.taken(100_000)
  rig.flush()
  t.match(rig.sent()[2], { kind: 'snapshot-begin', manifest: { at: { seq: 6 } } })
})

t.test('on one link documents have their turns, and who is not next waits', async t => {
  const { rig, allowance } = parentOfFullLink()
  allowance.waitToBegin(99)
  rig.effects()
  allowance.taken(Number.POSITIVE_INFINITY)
  t.notOk(rig.flush())
  t.same(kindsOf(rig.sent()), [])
  allowance.endWait(99)
  rig.flush()
  t.equal(piecesOf(rig.sent()).length, 3)
})

t.test('a child that leaves or begins anew keeps no place on its link', async t => {
  for (const end of [
    (rig: Rig) => rig.downstream.leave(child),
    (rig: Rig) => rig.restart(),
    (rig: Rig) => rig.end(),
  ]) {
    const { rig, allowance } = parentOfFullLink()
    t.equal(allowance.waitingCount, 1)
    end(rig)
    t.equal(allowance.waitingCount, 0)
  }
})

t.test('a child on a congested link waits for that first', async t => {
  const { rig, allowance } = parentOfFullLink()
  rig.effects()
  rig.downstream.setCongested(child, true)
  allowance.taken(Number.POSITIVE_INFINITY)
  t.notOk(rig.flush())
  t.same(kindsOf(rig.sent()), [])
  rig.downstream.setCongested(child, false)
  rig.flush()
  t.equal(piecesOf(rig.sent()).length, 3)
})

t.test('bytes of snapshots are counted', async t => {
  const rig = parentOf(3)
  rig.join()
  const effects = flushAll(rig)
  const sent = bytesOf(effects)
    .slice(1)
    .reduce((sum, frame) => sum + frame.length, 0)
  t.equal(rig.downstream.takeSnapshotBytesSent(), sent)
  t.equal(rig.downstream.takeSnapshotBytesSent(), 0, 'each byte is told once')
})

t.test('two children that joined at different places are each sent all that follows', async t => {
  const rig = new Rig(30)
  rig.join({ link: link(1), have: snapshotAt(headOf(rig.ring)).manifest.at })
  rig.flush()
  rig.push(...log.slice(30, 33))
  rig.join({ link: link(2), have: undefined })
  const before = flushAll(rig)
  rig.push(...log.slice(33, 36))
  const effects = [...before, ...flushAll(rig)]
  t.same(seqsOf(framesOf(effects, link(1))), [31, 32, 33, 34, 35, 36])
  t.same(seqsOf(framesOf(effects, link(2))), [34, 35, 36])
})
