import { after, type Instant, instant, milliseconds } from '@fanfold/kernel'
import fc from 'fast-check'
import t from 'tap'
import type { Member } from '../src/member.ts'
import { defaultMembersOptions, type MemberChange, Members } from '../src/members.ts'
import { incarnationOf, memberOf } from './arbitraries.ts'

const at = (ms: number): Instant => after(instant(1_000_000_000), milliseconds(ms))

/** Members that started at 0 ms, and say so. */
const upFor = (ms: number, overrides: Partial<Member> = {}): Member =>
  memberOf({ upMs: ms, ...overrides })

const made = (overrides = {}): Members => new Members({ ...defaultMembersOptions, ...overrides })

/** Hears an announcement at once. */
const hear = (members: Members, ms: number, member: Member): MemberChange[] =>
  members.hear(member, at(ms), at(ms))

const kinds = (changes: readonly MemberChange[]): string[] => changes.map(change => change.kind)

await t.test('who is heard joins, once', async t => {
  const members = made()
  t.same(hear(members, 0, upFor(0)), [{ kind: 'member-joined', member: upFor(0) }])
  t.same(hear(members, 1_000, upFor(1_000)), [])
  t.equal(members.count, 1)
  t.equal(members.heardAt('authority-a'), at(1_000))
  t.same([...members], [upFor(1_000)])
})

await t.test('who is not heard for 5 seconds is dead, not a microsecond sooner', async t => {
  const members = made()
  hear(members, 0, upFor(0))
  hear(members, 1_000, upFor(1_000))
  t.equal(members.wakeAt(), at(6_000))
  t.same(members.tick(instant(at(6_000) - 1)), [])
  t.match(members.tick(at(6_000)), [{ kind: 'member-left', why: 'silent' }])
  t.equal(members.count, 0)
  t.equal(members.wakeAt(), undefined)
})

await t.test('the age of what was heard counts, not when it came', async t => {
  const members = made()
  t.same(kinds(members.hear(upFor(0), at(0), at(4_999))), ['member-joined'])
  t.match(members.tick(at(5_000)), [{ kind: 'member-left', why: 'silent' }])
  t.same(members.hear(upFor(0), at(0), at(5_000)), [], 'a ghost does not come back')
})

await t.test('what a member says of itself is told, how busy it is is not', async t => {
  const members = made()
  hear(members, 0, upFor(0))
  const load = { documents: 9, viewers: 9, children: 9, bytesPerSecond: 9 }
  t.same(hear(members, 1_000, upFor(1_000, { load })), [])
  t.same(members.get('authority-a')?.load, load)
  t.match(hear(members, 2_000, upFor(2_000, { isDraining: true })), [
    { kind: 'member-changed', member: { isDraining: true }, before: { isDraining: false } },
  ])
})

await t.test('an announcement that comes late changes nothing', async t => {
  const members = made()
  hear(members, 0, upFor(0))
  hear(members, 2_000, upFor(2_000, { weight: 2 }))
  t.same(members.hear(upFor(1_000), at(1_000), at(2_001)), [])
  t.equal(members.get('authority-a')?.weight, 2)
})

await t.test('a restart replaces, and never adds a member', async t => {
  const members = made()
  for (let life = 1; life <= 20; life++) {
    const member = memberOf({ incarnation: incarnationOf(life), upMs: 50 })
    const changes = hear(members, life * 1_000, member)
    t.same(kinds(changes), [life === 1 ? 'member-joined' : 'member-restarted'])
    t.equal(members.count, 1)
  }
  t.same(members.hear(memberOf({ incarnation: incarnationOf(19) }), at(19_000), at(20_100)), [])
  t.equal(members.get('authority-a')?.incarnation, incarnationOf(20))
})

await t.test(
  'the later of two incarnations counts, in whatever order they are first heard',
  async t => {
    const older = memberOf({ incarnation: incarnationOf(1), upMs: 60_000 })
    const newer = memberOf({ incarnation: incarnationOf(2), upMs: 100 })
    for (const order of [
      [older, newer],
      [newer, older],
    ]) {
      const members = made()
      for (const member of order) hear(members, 0, member)
      t.equal(members.get('authority-a')?.incarnation, incarnationOf(2))
    }
  },
)

await t.test('a clone is told: the older one stays, the newer one is refused for good', async t => {
  const members = made()
  const older = (ms: number) => memberOf({ incarnation: incarnationOf(1), upMs: 60_000 + ms })
  const newer = (ms: number) => memberOf({ incarnation: incarnationOf(2), upMs: ms })
  hear(members, 0, older(0))
  t.same(kinds(hear(members, 100, newer(100))), ['member-restarted'])
  t.same(hear(members, 1_000, older(1_000)), [], 'that was under way')
  t.same(hear(members, 1_100, newer(1_100)), [])
  t.same(hear(members, 2_000, older(2_000)), [])
  t.same(hear(members, 2_101, older(2_101)), [], 'so may two be, to who was paused')
  t.match(hear(members, 3_000, older(3_000)), [
    {
      kind: 'member-cloned',
      member: { incarnation: incarnationOf(1) },
      refused: { incarnation: incarnationOf(2) },
    },
  ])
  t.same(hear(members, 3_200, newer(3_200)), [])
  t.equal(members.get('authority-a')?.incarnation, incarnationOf(1))
  t.equal(members.count, 1)
})

await t.test('by a clock that goes fast a process is not taken for one before it', async t => {
  for (const isOlderFirst of [true, false]) {
    const members = made()
    const older = memberOf({ incarnation: incarnationOf(1), upMs: 0 })
    // It has started 30 ms later, and its clock is a tenth too fast.
    const newer = (ms: number) =>
      memberOf({ incarnation: incarnationOf(2), upMs: Math.floor(1.1 * ms) })
    if (isOlderFirst) hear(members, 0, older)
    hear(members, 30, newer(0))
    if (!isOlderFirst) members.hear(older, at(0), at(30))
    for (let ms = 1_000; ms <= 10_000; ms += 1_000) {
      t.same(members.hear(newer(ms - 30), at(ms), at(ms)), [])
      t.same(members.hear({ ...older }, at(0), at(ms)), [], 'told again')
      t.same(members.tick(at(ms)), [])
    }
    t.equal(members.get('authority-a')?.incarnation, incarnationOf(2))
  }
})

await t.test('the last word of a process before does not hide one that goes on', async t => {
  // The last word of 2 came so late that 3 seems to be older; and that of 1 is told now and then.
  const members = made()
  const one = memberOf({ incarnation: incarnationOf(1), upMs: 3_000 })
  const two = memberOf({ incarnation: incarnationOf(2), upMs: 0 })
  const three = (ms: number) => memberOf({ incarnation: incarnationOf(3), upMs: ms - 600 })
  hear(members, 0, one)
  hear(members, 600, two)
  hear(members, 600, three(600))
  const changes: MemberChange[] = []
  for (let ms = 1_600; ms <= 5_600; ms += 1_000) {
    changes.push(...hear(members, ms, three(ms)))
    if (ms < 5_000) changes.push(...members.hear({ ...one }, at(0), at(ms)))
    changes.push(...members.tick(at(ms)))
  }
  t.same(kinds(changes), ['member-cloned'])
  t.equal(members.get('authority-a')?.incarnation, incarnationOf(3))
})

await t.test('an announcement that its sender left behind is no clone', async t => {
  const members = made()
  hear(members, 0, memberOf({ incarnation: incarnationOf(1), upMs: 60_000 }))
  hear(members, 400, memberOf({ incarnation: incarnationOf(2), upMs: 10 }))
  for (let ms = 500; ms < 6_000; ms += 500) {
    const left = memberOf({ incarnation: incarnationOf(1), upMs: 60_000 })
    t.same(members.hear(left, at(0), at(ms)), [])
  }
})

await t.test('words that were left behind, and are heard after a pause, are no clone', async t => {
  const members = made()
  const older = (upMs: number) => memberOf({ incarnation: incarnationOf(1), upMs })
  const newer = (upMs: number) => memberOf({ incarnation: incarnationOf(2), upMs })
  hear(members, 100, newer(0))
  hear(members, 200, older(6_000))
  // This node stood still for six seconds, and takes all for new.
  for (const upMs of [2_000, 3_000]) hear(members, 7_000, newer(upMs))
  t.same(hear(members, 7_000, older(7_000)), [])
  t.equal(members.get('authority-a')?.incarnation, incarnationOf(2))
})

await t.test('an older one that gets no older is no clone, however late it is heard', async t => {
  const members = made()
  hear(members, 0, memberOf({ incarnation: incarnationOf(2), upMs: 10 }))
  for (let ms = 2_000; ms < 20_000; ms += 1_000) {
    // Heard late by as long as this process stood still, it looks young.
    const left = memberOf({ incarnation: incarnationOf(1), upMs: 60_000 })
    t.same(hear(members, ms, left), [])
    t.same(hear(members, ms, memberOf({ incarnation: incarnationOf(2), upMs: 10 + ms })), [])
  }
})

await t.test(
  'who withdraws is gone at once, and no word of it from before brings it back',
  async t => {
    const members = made()
    hear(members, 0, upFor(0))
    t.same(members.withdraw('authority-a', incarnationOf(9), at(10)), [], 'another incarnation did')
    t.match(members.withdraw('authority-a', incarnationOf(1), at(10)), [{ why: 'withdrawn' }])
    t.same(members.hear(upFor(9), at(9), at(20)), [])
    const restarted = memberOf({ incarnation: incarnationOf(2), upMs: 1 })
    t.same(kinds(hear(members, 30, restarted)), ['member-joined'])
  },
)

await t.test('a suspicion asks for one dial, and what that comes to decides', async t => {
  const dial = { node: 'authority-a', incarnation: incarnationOf(1) }
  const suspected = (): Members => {
    const members = made()
    hear(members, 0, upFor(0))
    t.equal(members.suspect('authority-a')?.address, 'ws://authority-a:9600')
    t.equal(members.suspect('authority-a'), undefined, 'it is under way')
    return members
  }
  const refused = suspected()
  t.match(refused.dialled({ ...dial, outcome: 'refused' }, at(100)), [{ why: 'refused' }])
  t.same(refused.hear(upFor(99), at(99), at(200)), [], 'what it said before it died')
  t.same(kinds(hear(refused, 1_100, upFor(1_100))), ['member-joined'], 'it was not dead')

  const silent = suspected()
  t.same(silent.dialled({ ...dial, outcome: 'silent' }, at(1_000)), [])
  t.match(silent.tick(at(5_000)), [{ why: 'silent' }])

  const answered = suspected()
  t.same(answered.dialled({ ...dial, outcome: 'answered' }, at(10)), [])
  t.ok(answered.suspect('authority-a'), 'it may be suspected again')
  t.equal(answered.suspect('authority-b'), undefined, 'nobody knows it')
})

await t.test('a dial that was for an incarnation before says nothing of this one', async t => {
  const members = made()
  hear(members, 0, upFor(0))
  members.suspect('authority-a')
  hear(members, 100, memberOf({ incarnation: incarnationOf(2), upMs: 1 }))
  const dial = { node: 'authority-a', incarnation: incarnationOf(1), outcome: 'refused' } as const
  t.same(members.dialled(dial, at(200)), [])
  t.equal(members.count, 1)
})

await t.test(
  'while the view is frozen nobody dies; afterwards all have their time anew',
  async t => {
    const members = made()
    hear(members, 0, upFor(0))
    members.freeze()
    t.equal(members.wakeAt(), undefined)
    t.same(members.tick(at(60_000)), [])
    t.same(members.thaw(at(60_000)), [])
    t.same(members.tick(at(64_999)), [])
    t.match(members.tick(at(65_000)), [{ why: 'silent' }])
    t.same(members.thaw(at(65_000)), [], 'it was not frozen')
  },
)

await t.test('who was refused while the view was frozen dies when it is not', async t => {
  const members = made()
  const two = { ...upFor(0), node: 'authority-b' }
  hear(members, 0, upFor(0))
  hear(members, 0, two)
  members.freeze()
  for (const node of ['authority-a', 'authority-b']) {
    members.suspect(node)
    const dial = { node, incarnation: incarnationOf(1), outcome: 'refused' } as const
    t.same(members.dialled(dial, at(100)), [])
  }
  hear(members, 2_000, { ...two, upMs: 2_000 })
  t.match(members.thaw(at(3_000)), [{ member: { node: 'authority-a' }, why: 'refused' }])
  t.same([...members], [{ ...two, upMs: 2_000 }], 'the other was heard since')
})

await t.test('beyond the bound nobody is taken, which is told once', async t => {
  const members = made({ membersMax: 2 })
  const join = (node: string, ms: number) => hear(members, ms, upFor(ms, { node }))
  join('a', 0)
  join('b', 0)
  t.same(join('c', 0), [{ kind: 'members-full', node: 'c', membersMax: 2 }])
  t.same(join('d', 0), [])
  members.withdraw('a', incarnationOf(1), at(1))
  t.same(kinds(join('c', 2)), ['member-joined'])
  t.same(kinds(join('d', 2)), ['members-full'])
})

await t.test('a deadline of less than three heartbeats is refused', async t => {
  t.throws(
    () => made({ heartbeatMs: 1_000, memberDeadAfterMs: 2_999 }),
    /at least 3 heartbeats, got 2999 and heartbeatMs 1000/,
  )
  t.ok(made({ heartbeatMs: 1_000, memberDeadAfterMs: 3_000 }))
})

await t.test(
  'in any order of announcements, a node is there once and nobody is silent',
  async t => {
    const step = fc.record({
      ms: fc.nat(3_000),
      node: fc.constantFrom('a', 'b', 'c'),
      life: fc.nat(3),
      ageMs: fc.nat(7_000),
      does: fc.constantFrom('hear', 'hear', 'hear', 'withdraw', 'suspect', 'freeze', 'thaw'),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const members = made()
        const alive = new Set<string>()
        let now = 100_000
        for (const { ms, node, life, ageMs, does } of steps) {
          now += ms
          const changes = members.tick(at(now))
          const incarnation = incarnationOf(life)
          if (does === 'hear') {
            const upMs = Math.max(0, now - ageMs - life * 20_000)
            const member = memberOf({ node, incarnation, upMs })
            changes.push(...members.hear(member, at(now - ageMs), at(now)))
          } else if (does === 'withdraw') {
            changes.push(...members.withdraw(node, incarnation, at(now)))
          } else if (does === 'suspect') {
            members.suspect(node)
            changes.push(...members.dialled({ node, incarnation, outcome: 'refused' }, at(now)))
          } else if (does === 'freeze') {
            members.freeze()
          } else {
            changes.push(...members.thaw(at(now)))
          }
          for (const change of changes) {
            if (change.kind === 'member-joined') alive.add(change.member.node)
            if (change.kind === 'member-left') alive.delete(change.member.node)
          }
          const nodes = [...members].map(member => member.node)
          if (new Set(nodes).size !== nodes.length) return false
          if (nodes.toSorted().join() !== [...alive].toSorted().join()) return false
          const isHeard = (name: string): boolean => {
            const heardAt = members.heardAt(name)
            return heardAt !== undefined && heardAt > at(now - 5_000)
          }
          if (!members.isFrozen && !nodes.every(isHeard)) return false
        }
        return true
      }),
      { numRuns: 500 },
    )
    t.pass('500 stories')
  },
)
