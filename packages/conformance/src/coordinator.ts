/*
 * What every coordinator does, whatever it is made of: a space in one process, a server. Each test gets an
 * empty rig; each coordinator that the rig opens is a node of its own, and all of one rig share what was
 * announced and placed.
 */
import type {
  AnnouncementId,
  CoordinatorEffect,
  CoordinatorFactory,
  KeptPlacement,
  PlacingId,
} from '@fanfold/topology'
import type { Test } from 'tap'
import { type Announcement, CoordinatorClient } from './coordinator-client.ts'

/** One place where members meet. */
export type CoordinatorRig = {
  /** A coordinator on it. It may be given up without being closed: that is a crash. */
  readonly open: CoordinatorFactory
  /** Lets virtual time pass, where the coordinators live in it. */
  readonly advance?: (() => void) | undefined
  /** Subjects that may be placed on it; best few. */
  readonly placementsMax: number
  /** From now on nobody reaches it, or all do again; resolves when it is so. */
  readonly setReachable: (isReachable: boolean) => void | Promise<void>
  /** Forgets everything, as a server does that is emptied. */
  readonly clear: () => void | Promise<void>
  /** Ends everything. */
  close(): Promise<void>
}

/** Makes an empty rig. */
export type OpenCoordinatorRig = () => Promise<CoordinatorRig>

const incarnationOf = (number: number): string => number.toString(16).padStart(32, '0')

const announcementOf = (node: string, life = 1, text = `${node} ${life}`): Announcement => ({
  node,
  incarnation: incarnationOf(life),
  bytes: Buffer.from(text),
})

const placementOf = (subject: string, version: number, text = 'x'): KeptPlacement => ({
  subject,
  version,
  bytes: Buffer.from(text),
})

const isSame = (one: KeptPlacement | undefined, other: KeptPlacement): boolean =>
  one?.subject === other.subject &&
  one.version === other.version &&
  Buffer.compare(one.bytes, other.bytes) === 0

/** Whom a client was told of, each once. */
const toldTo = (client: CoordinatorClient): string[] => {
  const told = client.inputs.flatMap(input => (input.kind === 'members-heard' ? input.members : []))
  return [...new Set(told.map(({ bytes }) => Buffer.from(bytes).toString()))]
}

/** Adds the tests of the Coordinator port to `t`, for one adapter. */
export function testCoordinatorPort(t: Test, openRig: OpenCoordinatorRig): void {
  /** A rig that ends with the test, and clients on it. */
  const makeRig = async (
    t: Test,
  ): Promise<{ rig: CoordinatorRig; make: () => CoordinatorClient }> => {
    const rig = await openRig()
    t.teardown(() => rig.close())
    return { rig, make: () => new CoordinatorClient(rig.open, rig.advance) }
  }

  t.test('who watches an empty one is told that there is nobody and nothing', async t => {
    const { make } = await makeRig(t)
    const client = make()
    await client.watch()
    const members = await client.next('members-heard', 0)
    t.same(members.members, [])
    t.same(await client.next('placements-read', 0), {
      kind: 'placements-read',
      isWhole: true,
      placements: [],
    })
  })

  t.test('what one announces all who watch hear, byte for byte, itself too', async t => {
    const { make } = await makeRig(t)
    const [one, other] = [make(), make()]
    await one.watch()
    await other.watch()
    const bytes = Buffer.from(Array.from({ length: 32_768 }, (_, index) => index & 0xff))
    const announcement = { ...announcementOf('authority-a'), bytes }
    await one.announce(announcement)
    t.ok((await one.hear(bytes, 0)) < 5_000)
    t.ok((await other.hear(bytes, 0)) < 5_000)
  })

  t.test('who comes later hears who was there before, with ages', async t => {
    const { make } = await makeRig(t)
    const early = make()
    const announcements = ['a', 'b', 'c'].map(node => announcementOf(node))
    for (const announcement of announcements) await early.announce(announcement)
    const late = make()
    await late.watch()
    for (const { bytes } of announcements) {
      const ageMs = await late.hear(bytes, 0)
      t.ok(Number.isInteger(ageMs) && ageMs >= 0, `${ageMs} ms`)
    }
  })

  t.test('who is not renewed grows older, and who is, is young again', async t => {
    const { make } = await makeRig(t)
    const [one, other] = [make(), make()]
    await other.watch()
    const first = announcementOf('a')
    await one.announce(first)
    const aged = await other.hearAged(first.bytes, 0, ageMs => ageMs >= 900)
    t.ok(aged < 5_000, `${aged} ms`)
    const from = other.inputs.length
    const renewed = announcementOf('a', 1, 'renewed')
    await one.announce(renewed)
    t.ok((await other.hear(renewed.bytes, from)) < 900)
  })

  t.test('a renewal takes the place of what the incarnation said before', async t => {
    const { make } = await makeRig(t)
    const one = make()
    for (const text of ['first', 'second', 'third']) {
      await one.announce(announcementOf('a', 1, text))
    }
    const other = make()
    await other.watch()
    await other.hear(Buffer.from('third'), 0)
    await other.next('members-heard', other.inputs.length)
    t.same(toldTo(other), ['third'])
  })

  t.test('two incarnations of a node are told beside each other', async t => {
    const { make } = await makeRig(t)
    const [one, clone, other] = [make(), make(), make()]
    await one.announce(announcementOf('a', 1))
    await clone.announce(announcementOf('a', 2))
    await other.watch()
    for (const life of [1, 2]) await other.hear(announcementOf('a', life).bytes, 0)
    t.pass('both are heard')
  })

  t.test('who watches is told again and again, though nothing is new', async t => {
    const { make } = await makeRig(t)
    const client = make()
    await client.watch()
    for (let round = 0; round < 3; round++) {
      await client.next('members-heard', client.inputs.length)
    }
    t.ok(client.inputs.filter(input => input.kind === 'members-heard').length >= 4)
  })

  t.test('who withdraws is gone, and all who watch are told', async t => {
    const { make } = await makeRig(t)
    const [one, other] = [make(), make()]
    await other.watch()
    await one.announce(announcementOf('a', 1))
    await one.announce(announcementOf('a', 2))
    one.withdraw(announcementOf('a', 1))
    t.match(await other.next('member-withdrawn', 0), {
      node: 'a',
      incarnation: incarnationOf(1),
    })
    const late = make()
    await late.watch()
    await late.hear(announcementOf('a', 2).bytes, 0)
    await late.next('members-heard', late.inputs.length)
    t.same(toldTo(late), ['a 2'], 'the other incarnation stays')
    one.withdraw(announcementOf('nobody'))
    await one.announce(announcementOf('b'))
    t.pass('who was not there may withdraw')
  })

  t.test('who withdraws and closes has withdrawn', async t => {
    const { make } = await makeRig(t)
    const [one, other] = [make(), make()]
    await other.watch()
    await one.announce(announcementOf('a'))
    one.withdraw(announcementOf('a'))
    await one.close()
    t.match(await other.next('member-withdrawn', 0), { node: 'a' })
  })

  t.test('a placement is kept, told to who watches, and to who comes later', async t => {
    const { make } = await makeRig(t)
    const [one, other] = [make(), make()]
    await other.watch()
    const bytes = Buffer.from(Array.from({ length: 4_096 }, (_, index) => index & 0xff))
    const placement = { ...placementOf('acme/match/final', 1), bytes }
    t.equal((await one.place(0, placement)).kind, 'placed')
    t.ok(isSame(await other.read(placement.subject, 1, 0), placement))
    const late = make()
    await late.watch()
    const whole = await late.next('placements-read', 0)
    t.ok(whole.isWhole)
    t.equal(whole.placements.length, 1)
    t.ok(isSame(whole.placements[0], placement))
  })

  t.test('a placement changes only from the version that was expected', async t => {
    const { make } = await makeRig(t)
    const client = make()
    const first = placementOf('acme', 1, 'first')
    await client.place(0, first)
    for (const expected of [0, 2]) {
      const answer = await client.place(expected, placementOf('acme', 3))
      t.match(answer, { kind: 'place-refused', code: 'FANFOLD_PLACEMENT_CONFLICT' })
      t.ok(answer.kind === 'place-refused' && isSame(answer.kept, first))
    }
    const none = await client.place(1, placementOf('other', 2))
    t.match(none, { kind: 'place-refused', kept: undefined })
    t.equal((await client.place(1, placementOf('acme', 2))).kind, 'placed')
    t.equal((await client.place(0, placementOf('other', 17))).kind, 'placed', 'what was lost')
    t.equal((await client.place(17, placementOf('other', 18))).kind, 'placed')
  })

  t.test('of several that change one placement at once, exactly one does', async t => {
    const { make } = await makeRig(t)
    const clients = [make(), make(), make(), make()]
    await clients[0]?.place(0, placementOf('acme', 1))
    const answers = await Promise.all(
      clients.map((client, index) => client.place(1, placementOf('acme', 2, `client ${index}`))),
    )
    const winners = answers.flatMap(({ kind }, index) => (kind === 'placed' ? [index] : []))
    t.equal(winners.length, 1)
    const late = make()
    await late.watch()
    const kept = await late.read('acme', 2, 0)
    t.equal(Buffer.from(kept.bytes).toString(), `client ${winners[0]}`)
    for (const answer of answers) {
      if (answer.kind === 'place-refused') t.ok(isSame(answer.kept, kept), 'the others are told')
    }
  })

  t.test(
    'subjects beyond the bound are refused, and those that are there still change',
    async t => {
      const { rig, make } = await makeRig(t)
      const client = make()
      for (let index = 0; index < rig.placementsMax; index++) {
        t.equal((await client.place(0, placementOf(`tenant-${index}`, 1))).kind, 'placed')
      }
      const answer = await client.place(0, placementOf('one-more', 1))
      t.match(answer, { kind: 'place-refused', code: 'FANFOLD_PLACEMENTS_FULL' })
      t.equal((await client.place(1, placementOf('tenant-0', 2))).kind, 'placed')
    },
  )

  t.test('who does not watch is told nothing but its answers', async t => {
    const { make } = await makeRig(t)
    const [quiet, other] = [make(), make()]
    await other.announce(announcementOf('a'))
    await other.place(0, placementOf('acme', 1))
    await quiet.announce(announcementOf('b'))
    await quiet.place(1, placementOf('acme', 2))
    t.same(
      quiet.inputs.map(input => input.kind),
      ['announced', 'placed'],
    )
  })

  t.test('one that is out of reach says so once, and answers no announcement', async t => {
    const { rig, make } = await makeRig(t)
    const client = make()
    await client.watch()
    await client.announce(announcementOf('a'))
    const from = client.inputs.length
    await rig.setReachable(false)
    const lost = await client.next('coordinator-lost', from)
    t.equal(lost.code, 'FANFOLD_COORDINATOR_UNREACHABLE')
    t.ok(lost.message.length > 0)
    const after = client.inputs.length
    client.start(announcementOf('a', 1, 'late'))
    const answer = await client.place(0, placementOf('acme', 1))
    t.match(answer, { kind: 'place-unanswered', code: 'FANFOLD_COORDINATOR_UNREACHABLE' })
    t.same(
      client.inputs.slice(after).map(input => input.kind),
      ['place-unanswered'],
    )
    await rig.setReachable(true)
    await client.next('coordinator-found', after)
  })

  t.test('one that is in reach again tells everything anew', async t => {
    const { rig, make } = await makeRig(t)
    const [client, other] = [make(), make()]
    await client.watch()
    await other.announce(announcementOf('b', 1, 'before'))
    await client.place(0, placementOf('acme', 1))
    const from = client.inputs.length
    await rig.setReachable(false)
    await client.next('coordinator-lost', from)
    await other.next('coordinator-lost', 0)
    await rig.setReachable(true)
    await client.next('coordinator-found', from)
    await other.next('coordinator-found', 0)
    const found = client.inputs.findIndex(input => input.kind === 'coordinator-found')
    t.ok((await client.next('placements-read', found)).isWhole)
    await client.next('members-heard', found)
    await other.announce(announcementOf('b'))
    t.ok((await client.hear(announcementOf('b').bytes, found)) >= 0)
    t.equal((await client.place(1, placementOf('acme', 2))).kind, 'placed')
  })

  t.test('one that was emptied starts anew, and who is there announces itself again', async t => {
    const { rig, make } = await makeRig(t)
    const client = make()
    await client.watch()
    await client.announce(announcementOf('a'))
    await client.place(0, placementOf('acme', 4))
    await rig.clear()
    const again = announcementOf('a', 1, 'again')
    await client.announce(again)
    t.ok((await client.hear(again.bytes, 0)) >= 0)
    const refused = await client.place(4, placementOf('acme', 5))
    t.match(refused, { kind: 'place-refused', kept: undefined })
    t.equal((await client.place(0, placementOf('acme', 4))).kind, 'placed', 'what was is restored')
  })

  t.test('nothing is told from inside an effect', async t => {
    const { make } = await makeRig(t)
    const client = make()
    const placing = (number: number): CoordinatorEffect => ({
      kind: 'coordinator-place',
      placing: number as PlacingId,
      expected: 0,
      placement: placementOf('acme', 1),
    })
    const effects: readonly CoordinatorEffect[] = [
      { kind: 'coordinator-watch' },
      { kind: 'coordinator-announce', announcement: 1 as AnnouncementId, ...announcementOf('a') },
      placing(1),
      placing(2),
    ]
    for (const effect of effects) {
      client.coordinator.perform(effect)
      t.equal(client.inputs.length, 0, effect.kind)
    }
    await client.next('place-refused', 0)
  })

  t.test('close waits for what was begun, and nothing is told after it', async t => {
    const { make } = await makeRig(t)
    const [client, other] = [make(), make()]
    await client.watch()
    client.start(announcementOf('a'))
    await client.close()
    t.ok(client.inputs.some(input => input.kind === 'announced'))
    const told = client.inputs.length
    await other.watch()
    await other.announce(announcementOf('b'))
    await other.next('members-heard', other.inputs.length)
    t.equal(client.inputs.length, told)
  })
}
