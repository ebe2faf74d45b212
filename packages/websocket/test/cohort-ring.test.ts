import { Socket } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import { type CohortMember, CohortRing, type RingSignal, type Seat } from '../src/cohort-ring.ts'
import { DirectSockets } from '../src/direct-sockets.ts'

/** A member that remembers what it got, and takes nothing while it is full. */
class Member implements CohortMember {
  readonly got: string[] = []
  isFull = false
  hasSignalsWaiting = false
  readonly takesDeflated: boolean
  readonly slot: number
  writes = 0

  constructor(takesDeflated = false, slot = -1) {
    this.takesDeflated = takesDeflated
    this.slot = slot
  }

  take(bytes: Buffer, frames: number): boolean {
    if (this.isFull) return false
    const got = bytes.toString().split(';').slice(0, -1)
    if (got.length !== frames) throw new Error(`${frames} frames, got ${got.length}`)
    this.got.push(...got)
    this.writes++
    return true
  }

  wouldTake(): boolean {
    return !this.isFull
  }
}

/** Sockets that give members what is written to them, but for those that fail. */
class Sockets extends DirectSockets {
  readonly failing = new Set<number>()
  readonly #members: Member[] = []

  seat(takesDeflated: boolean): Member {
    const member = new Member(takesDeflated, this.add(socket, undefined))
    this.#members[member.slot] = member
    this.isDirect[member.slot] = 1
    return member
  }

  override writeAll(slots: Int32Array, count: number, bytes: Buffer): readonly number[] {
    const failed: number[] = []
    for (const [at, slot] of slots.subarray(0, count).entries()) {
      if (this.failing.has(slot)) {
        failed.push(at)
        this.touch(slot)
      } else {
        this.#members[slot]?.take(bytes, bytes.toString().split(';').length - 1)
        this.spend(slot, bytes.length)
      }
    }
    return failed
  }
}

const socket = new Socket()
const frame = (n: number) => Buffer.from(`${n};`)

const ringOf = (options: {
  readonly bytesMax?: number
  readonly sockets?: DirectSockets
  readonly onLagging?: (seat: Seat<Member>) => void
  readonly onMissed?: (member: Member, signals: readonly RingSignal[]) => void
  readonly onOvertaken?: (member: Member, signals: readonly RingSignal[]) => void
}) =>
  new CohortRing<Member>({
    bytesMax: options.bytesMax ?? 1_000,
    sockets: options.sockets,
    onLagging: options.onLagging ?? (() => undefined),
    onMissed: options.onMissed ?? (() => undefined),
    onOvertaken: options.onOvertaken ?? (() => undefined),
  })

t.test('frames that wait together leave in one piece, shared by all', t => {
  const ring = ringOf({})
  const pieces: Buffer[] = []
  const members = [1, 2, 3].map(() => ({
    hasSignalsWaiting: false,
    takesDeflated: false,
    slot: -1,
    wouldTake: () => true,
    take: (bytes: Buffer) => {
      pieces.push(bytes)
      return true
    },
  }))
  const nothing = () => undefined
  const shared = new CohortRing<CohortMember>({
    bytesMax: 100,
    onLagging: nothing,
    onMissed: nothing,
    onOvertaken: nothing,
  })
  for (const member of members) shared.enter(member, 0)
  shared.push(frame(1), 0)
  shared.push(frame(2), 0)
  t.equal(shared.sweepPass(10), 3)
  t.notOk(shared.isWaiting)
  t.equal(new Set(pieces).size, 1)
  t.equal(pieces[0]?.toString(), '1;2;')
  t.equal(ring.size, 0)
  t.end()
})

t.test('a sweep visits so many members at most and goes on where it stopped', t => {
  const ring = ringOf({})
  const members = Array.from({ length: 5 }, () => new Member())
  for (const member of members) ring.enter(member, 0)
  ring.push(frame(1), 1)
  t.equal(ring.sweepPass(2), 2)
  t.same(
    members.map(member => member.got.length),
    [1, 1, 0, 0, 0],
  )
  ring.push(frame(2), 2)
  t.equal(ring.sweepPass(3), 3)
  t.ok(ring.isWaiting, 'the first two lack the second frame')
  ring.sweepPass(10)
  t.notOk(ring.isWaiting)
  for (const member of members) t.same(member.got, ['1', '2'])
  t.end()
})

t.test('a frame that makes the ring too large is swept out at once', t => {
  const ring = ringOf({ bytesMax: 5 })
  const member = new Member()
  ring.enter(member, 0)
  ring.push(frame(1), 1)
  ring.push(frame(2), 2)
  t.same(member.got, [])
  ring.push(frame(3), 3)
  t.same(member.got, ['1', '2', '3'])
  t.equal(member.writes, 1)
  t.end()
})

t.test('a pass ends when all who were still to be visited leave, and others may leave then', t => {
  const ring = ringOf({})
  const members = Array.from({ length: 6 }, () => new Member())
  const seats = members.map(member => ring.enter(member, 0))
  ring.push(frame(1), 1)
  ring.sweepPass(5)
  for (const at of [5, 1, 4, 0]) {
    const seat = seats[at]
    if (seat !== undefined) ring.leave(seat)
  }
  t.equal(ring.size, 2)
  t.notOk(ring.isWaiting, 'who is left has the frame')
  ring.push(frame(2), 2)
  ring.sweepPass(10)
  t.same(
    members.map(member => member.got),
    [['1'], ['1'], ['1', '2'], ['1', '2'], ['1'], []],
  )
  t.end()
})

t.test('a ring without members holds nothing', t => {
  const ring = ringOf({})
  ring.push(frame(1), 1)
  t.notOk(ring.isWaiting)
  const seat = ring.enter(new Member(), 0)
  ring.push(frame(2), 2)
  ring.leave(seat)
  ring.leave(seat)
  t.notOk(ring.isWaiting)
  t.end()
})

t.test('a seat knows the mark of the last frame its member took', t => {
  const marks: number[] = []
  const ring = ringOf({ onLagging: seat => marks.push(seat.mark) })
  const [first, second] = [new Member(), new Member()]
  const seat = ring.enter(first, 7)
  t.equal(seat.mark, 7, 'the one it entered with')
  ring.enter(second, 7)
  ring.push(frame(1), 8)
  ring.push(frame(2), 9)
  ring.sweepPass(1)
  t.equal(seat.mark, 9)
  second.isFull = true
  ring.push(frame(3), 10)
  ring.sweepPass(10)
  t.same(marks, [7], 'the second has taken nothing')
  first.isFull = true
  ring.push(frame(4), 11)
  ring.sweepPass(10)
  t.same(marks, [7, 10])
  t.end()
})

t.test('a signal moves no mark and puts nobody out', t => {
  const missed: string[] = []
  let lagging = 0
  const ring = ringOf({
    onLagging: () => lagging++,
    onMissed: (_member, signals) => missed.push(...signals.map(signal => signal.key)),
  })
  const [quick, slow] = [new Member(), new Member()]
  const seat = ring.enter(quick, 1)
  ring.enter(slow, 1)
  slow.isFull = true
  ring.pushSignal(frame(1), 'a')
  ring.pushSignal(frame(2), 'b')
  ring.sweepPass(10)
  t.same(quick.got, ['1', '2'])
  t.equal(seat.mark, 1)
  t.same(missed, ['a', 'b'])
  t.equal(ring.size, 2)
  slow.isFull = false
  ring.push(frame(3), 2)
  ring.sweepPass(10)
  t.same(slow.got, ['3'], 'it is still there')
  slow.isFull = true
  ring.pushSignal(frame(4), 'c')
  ring.push(frame(5), 3)
  ring.sweepPass(10)
  t.equal(lagging, 1)
  t.same(missed, ['a', 'b', 'c'], 'what it missed by lagging too')
  quick.isFull = true
  ring.pushSignal(frame(6), 'd')
  ring.push(frame(7), 4)
  ring.sweepPass(10)
  t.same(missed, ['a', 'b', 'c', 'd'], 'also of the last one who leaves')
  t.equal(ring.size, 0)
  t.end()
})

t.test('a signal that is taken while older ones wait is said', t => {
  const overtaken: string[] = []
  const ring = ringOf({
    onOvertaken: (_member, signals) => overtaken.push(...signals.map(signal => signal.key)),
  })
  const member = new Member()
  ring.enter(member, 1)
  ring.pushSignal(frame(1), 'a')
  ring.sweepPass(1)
  t.same(overtaken, [])
  member.hasSignalsWaiting = true
  ring.push(frame(2), 2)
  ring.sweepPass(1)
  t.same(overtaken, [])
  ring.push(frame(3), 3)
  ring.pushSignal(frame(4), 'b')
  ring.sweepPass(1)
  t.same(overtaken, ['b'])
  t.end()
})

t.test(
  'whoever enters, leaves or lags, each member gets exactly what was pushed while it was in',
  t => {
    type Step =
      | { readonly kind: 'enter' | 'enter-packed' | 'push' | 'push-packed' }
      | { readonly kind: 'leave' | 'deliver' | 'fill' | 'fail'; readonly who: number }
      | { readonly kind: 'free'; readonly who: number; readonly bytes: number }
      | { readonly kind: 'sweep'; readonly seats: number }
    const step: fc.Arbitrary<Step> = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.constantFrom<Step>(
          { kind: 'enter' },
          { kind: 'enter-packed' },
          { kind: 'push' },
          { kind: 'push' },
          { kind: 'push-packed' },
        ),
      },
      fc.record({
        kind: fc.constantFrom('leave' as const, 'deliver' as const, 'fill' as const),
        who: fc.nat(30),
      }),
      {
        weight: 3,
        arbitrary: fc.record({
          kind: fc.constant('free' as const),
          who: fc.nat(30),
          bytes: fc.nat(40),
        }),
      },
      fc.record({ kind: fc.constant('fail' as const), who: fc.nat(30) }),
      fc.record({ kind: fc.constant('leave' as const), who: fc.nat(30) }),
      fc.record({ kind: fc.constant('sweep' as const), seats: fc.nat(6) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), steps => {
        const all: { member: Member; expected: string[]; seat: Seat<Member> | undefined }[] = []
        let pushed = 0
        const sockets = new Sockets()
        const ring = ringOf({
          bytesMax: 60,
          sockets,
          onLagging: seat => {
            const entry = all.find(({ member }) => member === seat.member)
            if (entry === undefined || !seat.member.isFull) throw new Error('only the full lag')
            entry.seat = undefined
          },
        })
        for (const action of steps) {
          const entry = 'who' in action ? all[action.who % Math.max(all.length, 1)] : undefined
          if (action.kind === 'enter' || action.kind === 'enter-packed') {
            const member = sockets.seat(action.kind === 'enter-packed')
            all.push({ member, expected: [], seat: ring.enter(member, pushed) })
          } else if (action.kind === 'push' || action.kind === 'push-packed') {
            pushed++
            const isPacked = action.kind === 'push-packed'
            for (const { seat, member, expected } of all) {
              if (seat === undefined) continue
              expected.push(isPacked && member.takesDeflated ? `p${pushed}` : String(pushed))
            }
            ring.push(frame(pushed), pushed, isPacked ? Buffer.from(`p${pushed};`) : undefined)
          } else if (action.kind === 'sweep') {
            ring.sweepPass(action.seats)
          } else if (entry?.seat !== undefined) {
            if (action.kind === 'deliver') {
              ring.deliver(entry.seat)
              if (entry.seat !== undefined) {
                t.same(entry.member.got, entry.expected)
              }
            } else if (action.kind === 'free') {
              if (!entry.member.isFull) sockets.free[entry.member.slot] = action.bytes
            } else if (action.kind === 'fail') {
              sockets.failing.add(entry.member.slot)
            } else if (action.kind === 'fill') {
              entry.member.isFull = true
              sockets.touch(entry.member.slot)
            } else {
              ring.leave(entry.seat)
              entry.seat = undefined
            }
          }
        }
        ring.sweep()
        if (ring.isWaiting) return false
        return all.every(({ member, expected, seat }) => {
          const isPrefix = member.got.every((got, index) => got === expected[index])
          if (seat !== undefined && seat.mark !== pushed) return false
          return isPrefix && (seat === undefined || member.got.length === expected.length)
        })
      }),
      { numRuns: 300 },
    )
    t.end()
  },
)

t.test('who takes frames deflated gets them so where they are, and the same otherwise', async t => {
  const ring = ringOf({ bytesMax: 30 })
  const [plain, packed] = [new Member(), new Member(true)]
  const seat = ring.enter(plain, 0)
  const other = ring.enter(packed, 0)
  t.equal(ring.deflatedTakers, 1)
  ring.push(frame(1), 1, Buffer.from('a;'))
  ring.push(frame(2), 2)
  ring.pushSignal(frame(3), 'key')
  ring.push(frame(4), 4, Buffer.from('d;'))
  ring.sweep()
  t.same(plain.got, ['1', '2', '3', '4'])
  t.same(packed.got, ['a', '2', '3', 'd'])
  ring.push(frame(5), 5)
  ring.sweep()
  t.same(packed.got, ['a', '2', '3', 'd', '5'])
  t.same([seat.mark, other.mark], [5, 5])
  ring.push(frame(6), 6, Buffer.from(`${'f'.repeat(30)};`))
  t.notOk(ring.isWaiting, 'both count for what a ring may hold')
  ring.leave(other)
  t.equal(ring.deflatedTakers, 0)
})
