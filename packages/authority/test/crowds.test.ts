/* What crowds say, from links of children to the log and back. */
import { count, countBy, defineDocument, message, presence, reducer } from '@fanfold/definition'
import { decodeLinkFrame, type LinkId, partTags } from '@fanfold/protocol'
import {
  decodeEntry,
  decodeStandings,
  encodeAggregate,
  encodeContent,
  type Part,
  type Range,
  type Standing,
} from '@fanfold/reduction'
import t from 'tap'
import { z } from 'zod'
import type { AuthorityFact } from '../src/authority-effect.ts'
import { child, peer } from './build-authority.ts'
import { doc, link, send, startMs } from './build-document.ts'
import { variantsFrom } from './build-labelled.ts'
import { OwnedRig } from './build-owned.ts'

const cheers = countBy({ top: 8 })
const claps = count()
const other = link(2)

const definition = defineDocument({
  type: 'match',
  state: (): { cheers: Record<string, number>; claps: number; viewers: number; log: string[] } => ({
    cheers: {},
    viewers: 0,
    claps: 0,
    log: [],
  }),
  messages: {
    goal: message(z.object({ team: z.string() }), (match, { team }) => {
      match.log.push(team)
    }),
  },
  presence: presence({
    everyMs: 2_000,
    apply: (match, viewers) => {
      match.viewers = viewers
    },
  }),
  reducers: {
    cheer: reducer({
      message: z.object({ team: z.string() }),
      of: ({ team }) => team,
      into: countBy({ top: 8 }),
      apply: (match, counts) => {
        for (const [team, times] of counts) {
          match.cheers[team] = (match.cheers[team] ?? 0) + times
          if (team === 'poison') throw new Error('not this one')
        }
      },
    }),
    clap: reducer({
      message: z.object({}),
      into: count(),
      apply: (match, times) => {
        match.claps += times
        match.log.push(`${times} claps`)
      },
    }),
  },
})

const cheered = (counts: Record<string, number>): Part => {
  const voice = { id: '', timeMs: 0, stamp: 0, draw: () => 0 }
  let sum = cheers.empty()
  for (const [team, times] of Object.entries(counts)) {
    for (let at = 0; at < times; at++) sum = cheers.fold(sum, team, voice) ?? sum
  }
  return { reducer: 'cheer', shape: cheers.shape, bytes: cheers.encode(sum) }
}
const clapped = (times: number): Part => ({
  reducer: 'clap',
  shape: claps.shape,
  bytes: claps.encode({ count: times }),
})

type Answer = {
  readonly link: LinkId
  readonly number: number
  readonly waitMs: number
  readonly sessions: readonly number[]
  readonly standings: readonly Standing[]
}

/** A served document whose crowd may say something. */
class CrowdRig extends OwnedRig {
  #number = 0
  #seen: AuthorityFact[] = []

  /** @param before whose document it was; nobody has it from this one then */
  constructor(before?: CrowdRig) {
    super()
    this.take({ kind: 'definition-loaded', definition })
    if (before !== undefined) this.logs.set(doc, [...(before.logs.get(doc) ?? [])])
    this.commitGoal()
    if (before !== undefined) return
    this.join()
    this.take({ kind: 'link-opened', link: other, peer: { ...peer, node: 'n2' }, dialled: false })
    this.ask(doc, other)
    this.answers()
  }

  commitGoal(): void {
    this.write({ action: send('goal', { team: 'home' }) })
    this.answerAll()
  }

  /** A child says something; what is due is done, and durable if `isDurable`. */
  say(
    said: { readonly asked?: number; readonly ranges?: readonly Range[]; readonly parts?: Part[] },
    from = child,
  ): number {
    const { asked = 0, ranges = [], parts = [] } = said
    const number = ++this.#number
    const content = encodeContent(parts)
    const aggregate = ranges.length === 0 ? new Uint8Array(0) : encodeAggregate({ ranges, content })
    this.frame({ kind: 'crowd', doc, number, asked, aggregate }, from)
    return number
  }

  /** Time goes on to what is due, and the log answers all. */
  pass(ms = 1_000): void {
    const endMs = this.nowMs + ms
    for (let turn = 0; turn < 1_000; turn++) {
      const wakeAt = this.authority.wakeAt()
      if (wakeAt === undefined || wakeAt > endMs * 1_000) break
      this.nowMs = Math.max(this.nowMs, Math.ceil(wakeAt / 1_000))
      this.turn()
      this.answerAll()
    }
    this.nowMs = endMs
  }

  /** What children were answered since the last time. */
  answers(): Answer[] {
    return this.effects().flatMap(effect => {
      if (effect.kind === 'fact') this.#seen.push(effect.fact)
      if (effect.kind !== 'link-send') return []
      const frame = decodeLinkFrame(effect.frame)
      if (frame?.kind !== 'crowd-answer') return []
      const { number, waitMs, sessions } = frame
      const standings = frame.standings.length === 0 ? [] : decodeStandings(frame.standings)
      return [{ link: effect.link, number, waitMs, sessions, standings }]
    })
  }

  facts<Event extends AuthorityFact['event']>(
    event: Event,
  ): Extract<AuthorityFact, { event: Event }>[] {
    this.answers()
    const facts = this.#seen.filter(
      (fact): fact is Extract<AuthorityFact, { event: Event }> => fact.event === event,
    )
    this.#seen = []
    return facts
  }

  /** A session for the child. */
  session(from = child): number {
    this.say({ asked: 1 }, from)
    this.pass()
    const [answer] = this.answers()
    return answer?.sessions[0] ?? 0
  }

  /** Each number of viewers that the document was told. */
  viewersTold(): unknown[] {
    return (this.logs.get(doc) ?? []).flatMap(record => {
      const patch = record.payload(partTags.public)
      const isPatch = record.kind === 'delta' && patch !== undefined
      const operations = isPatch ? JSON.parse(new TextDecoder().decode(patch)) : []
      return Array.isArray(operations)
        ? operations.filter(({ path }) => path === '/viewers').map(({ value }) => value)
        : []
    })
  }

  /** What the log says of sessions, and the patches beside it. */
  records(): unknown[] {
    return (this.logs.get(doc) ?? []).flatMap(record => {
      const crowd = record.payload(partTags.crowd)
      if (crowd === undefined) return []
      const patch = record.payload(partTags.public)
      const text = patch === undefined ? undefined : new TextDecoder().decode(patch)
      return [{ kind: record.kind, ...decodeEntry(crowd), patch: text && JSON.parse(text) }]
    })
  }
}

const open = (session: number, upTo: number): Standing => ({ session, state: 'open', upTo })

t.test('sessions are begun in the log, and drawn for who asks', async t => {
  const rig = new CrowdRig()
  const number = rig.say({ asked: 2 })
  rig.turn()
  t.same(rig.answers(), [], 'not before it is durable')
  rig.answerAll()
  const [answer] = rig.answers()
  t.match(answer, { link: child, number, standings: [], waitMs: 100 })
  const sessions = [...(answer?.sessions ?? []), rig.session(other)]
  t.same(rig.records(), [
    { kind: 'session', opened: sessions.slice(0, 2), sealed: [], counted: [], patch: undefined },
    { kind: 'session', opened: sessions.slice(2), sealed: [], counted: [], patch: undefined },
  ])
  t.equal(new Set(sessions).size, 3, 'each number once')
  const near = sessions.filter(one => sessions.some(two => Math.abs(one - two) === 1))
  t.same(near, [], 'and none tells of another')
})

t.test('what a crowd says changes the document in the record that counts it', async t => {
  const rig = new CrowdRig()
  const session = rig.session()
  const ranges = [{ session, after: 0, upTo: 2 }]
  rig.say({ ranges, parts: [cheered({ red: 2, blue: 1 }), clapped(5)] })
  rig.pass()
  t.match(rig.answers(), [{ link: child, standings: [open(session, 2)] }])
  t.match(rig.records().at(-1), {
    kind: 'delta',
    counted: ranges,
    patch: [
      { path: '/claps', value: 5 },
      { path: '/cheers/red', value: 2 },
      { path: '/cheers/blue', value: 1 },
      { path: '/log/1', value: '5 claps' },
    ],
  })
  t.match(rig.facts('crowd-counted').at(-1), { windows: 2, isRefused: false })
  t.ok((rig.logs.get(doc)?.at(-1)?.timeMs ?? 0) >= startMs, 'its time is the wall clock’s')
})

t.test('what was counted is not counted again, and who sends it is told', async t => {
  const rig = new CrowdRig()
  const session = rig.session()
  const said = { ranges: [{ session, after: 0, upTo: 2 }], parts: [clapped(5)] }
  rig.say(said)
  rig.pass()
  rig.say(said, other)
  rig.pass()
  t.match(rig.answers(), [
    { link: child, standings: [open(session, 2)] },
    { link: other, standings: [open(session, 2)] },
  ])
  t.equal(rig.records().length, 2)
  t.match(rig.facts('crowd-counted').at(-1), { windows: 0, isRefused: true })
})

t.test('a storm of the same, over two links, counts once', async t => {
  const rig = new CrowdRig()
  const session = rig.session()
  const said = { ranges: [{ session, after: 0, upTo: 2 }], parts: [clapped(5)] }
  for (let time = 0; time < 100; time++) {
    rig.say(said, time % 2 === 0 ? child : other)
    if (time % 7 === 0) rig.pass(time)
  }
  rig.pass(10_000)
  const counted = rig.records().filter(record => JSON.stringify(record).includes('claps'))
  t.equal(counted.length, 1)
  t.match(counted, [{ patch: [{ path: '/claps', value: 5 }, {}] }])
})

t.test('of two that meet, one that is refused does not hold up the other', async t => {
  const rig = new CrowdRig()
  const [one, two] = [rig.session(), rig.session(other)]
  rig.say({ ranges: [{ session: one, after: 4, upTo: 5 }], parts: [clapped(9)] })
  rig.say({ ranges: [{ session: two, after: 0, upTo: 1 }], parts: [clapped(1)] }, other)
  rig.pass()
  t.match(rig.answers(), [
    { link: child, standings: [open(one, 0)] },
    { link: other, standings: [open(two, 1)] },
  ])
  t.match(rig.records().at(-1), { counted: [{ session: two }], patch: [{ value: 1 }, {}] })
})

t.test('the log is told at most as often as the budget has it, and children to wait', async t => {
  const rig = new CrowdRig()
  const children = [
    { from: child, session: rig.session(), upTo: 0, isAnswered: true },
    { from: other, session: rig.session(other), upTo: 0, isAnswered: true },
  ]
  const before = rig.records().length
  rig.pass(200)
  for (let round = 0; round < 200; round++) {
    for (const one of children) {
      if (!one.isAnswered) continue
      const ranges = [{ session: one.session, after: one.upTo, upTo: ++one.upTo }]
      rig.say({ ranges, parts: [clapped(1)] }, one.from)
      one.isAnswered = false
    }
    rig.pass(10)
    for (const { link: to, waitMs } of rig.answers()) {
      t.equal(waitMs, 200)
      for (const one of children) if (one.from === to) one.isAnswered = true
    }
  }
  const told = rig.records().length - before
  t.ok(told >= 19 && told <= 21, `${told} records in two seconds`)
})

t.test('a sum that cannot be applied is lost, and costs no other one', async t => {
  const rig = new CrowdRig()
  const session = rig.session()
  const parts = [
    cheered({ poison: 1, red: 1 }),
    clapped(2),
    { reducer: 'clap', shape: 'sum/0', bytes: Uint8Array.of(1) },
    { reducer: 'clap', shape: 'count', bytes: Uint8Array.of(0xff) },
  ]
  rig.say({ ranges: [{ session, after: 0, upTo: 1 }], parts })
  rig.pass()
  t.match(rig.answers(), [{ standings: [open(session, 1)] }])
  t.match(rig.records().at(-1), { patch: [{ path: '/claps', value: 2 }, {}] })
  t.match(
    rig.facts('sum-failed').map(({ reducer: name, code }) => [name, code]),
    [
      ['clap', 'FANFOLD_NO_REDUCER'],
      ['clap', 'FANFOLD_BAD_FRAME'],
      ['cheer', 'FANFOLD_HANDLER_FAILED'],
    ],
  )
})

t.test(
  'an append that the log refuses counts nothing, and what was said is tried again',
  async t => {
    const rig = new CrowdRig()
    const session = rig.session()
    rig.pass()
    rig.say({ ranges: [{ session, after: 0, upTo: 1 }], parts: [clapped(3)] })
    rig.turn()
    rig.refuse('FANFOLD_LOG_FULL')
    t.same(rig.answers(), [])
    rig.pass(2_000)
    t.match(rig.answers(), [{ standings: [open(session, 1)] }])
    t.match(rig.records().at(-1), { patch: [{ path: '/claps', value: 3 }, {}] })
    t.equal(rig.records().length, 2)
  },
)

t.test('another authority that has the log goes on where this one was', async t => {
  const rig = new CrowdRig()
  const session = rig.session()
  rig.say({ ranges: [{ session, after: 0, upTo: 3 }], parts: [clapped(3)] })
  rig.pass()
  rig.move(doc)
  rig.bring(doc)
  rig.answers()
  rig.ask()
  rig.answerAll()
  rig.say({ ranges: [{ session, after: 2, upTo: 4 }], parts: [clapped(1)] })
  rig.pass()
  t.match(rig.answers(), [{ standings: [open(session, 3)] }])
  rig.say({ ranges: [{ session, after: 3, upTo: 4 }], parts: [clapped(1)] })
  rig.pass()
  t.match(rig.answers(), [{ standings: [open(session, 4)] }])
  t.match(rig.records().at(-1), { patch: [{ path: '/claps', value: 4 }, {}] })
  t.ok(rig.session() > session + 1, 'an epoch has sessions of its own')
})

t.test('a session that is idle for an hour is sealed', async t => {
  const rig = new CrowdRig()
  const [idle, busy] = [rig.session(), rig.session(other)]
  for (let round = 1; round <= 4; round++) {
    rig.pass(1_000_000)
    rig.say(
      { ranges: [{ session: busy, after: round - 1, upTo: round }], parts: [clapped(1)] },
      other,
    )
    rig.pass()
  }
  t.match(
    rig.records().find(record => (record as { sealed: number[] }).sealed.length > 0),
    {
      sealed: [idle],
      opened: [],
    },
  )
  rig.answers()
  rig.say({ ranges: [{ session: idle, after: 0, upTo: 1 }], parts: [clapped(1)] })
  rig.pass()
  t.match(rig.answers(), [{ standings: [{ session: idle, state: 'sealed', upTo: 0 }] }])
})

t.test(
  'how many watch is in the document, as often as it says, and when it is another number',
  async t => {
    const rig = new CrowdRig()
    const watch = (value: number, from = child): void => {
      rig.frame({ kind: 'signal', signal: 'presence', doc, value }, from)
    }
    const told = (): unknown[] => rig.viewersTold()
    watch(10)
    rig.pass(1_000)
    t.same(told(), [], 'other nodes may have some')
    rig.pass(1_000)
    t.same(told(), [10])
    watch(11)
    watch(5, other)
    rig.pass(1_999)
    t.same(told(), [10], 'not before it is due')
    rig.pass(1)
    t.same(told(), [10, 16])
    watch(12)
    watch(11)
    const { length } = rig.logs.get(doc) ?? []
    rig.pass(10_000)
    t.equal(rig.logs.get(doc)?.length, length, 'the same number is no news')
    const session = rig.session()
    rig.pass(200)
    watch(20)
    rig.say({ ranges: [{ session, after: 0, upTo: 1 }], parts: [clapped(1)] })
    rig.pass(0)
    t.match(rig.records().at(-1), {
      patch: [{ path: '/claps', value: 1 }, { path: '/viewers', value: 25 }, {}],
    })
    rig.take({ kind: 'link-closed', link: child, reason: 'gone' })
    rig.pass(2_000)
    t.equal(told().at(-1), 5)
  },
)

t.test('a definition that shows how many watch shows those who came before it', async t => {
  const rig = new CrowdRig()
  for (const variants of [[], variantsFrom(1)]) {
    rig.take({ kind: 'definition-loaded', definition: { ...definition, presence: undefined } })
    rig.answerAll()
    rig.frame({ kind: 'signal', signal: 'presence', doc, value: 10 + variants.length })
    rig.pass(10_000)
    const before = rig.viewersTold().length
    rig.take({ kind: 'definition-loaded', definition, variants })
    rig.answerAll()
    rig.pass(2_000)
    t.same(rig.viewersTold().slice(before), [10 + variants.length])
  }
})

t.test('a definition that shows how many watch elsewhere shows it there too', async t => {
  const rig = new CrowdRig()
  rig.frame({ kind: 'signal', signal: 'presence', doc, value: 10 })
  rig.pass(2_000)
  t.same(rig.viewersTold(), [10])
  const elsewhere = presence<{ log: string[] }>({
    everyMs: 2_000,
    apply: (match, viewers) => {
      match.log.push(`${viewers} watch`)
    },
  })()
  rig.take({ kind: 'definition-loaded', definition: { ...definition, presence: elsewhere } })
  rig.answerAll()
  rig.pass(10_000)
  const patches = (rig.logs.get(doc) ?? []).map(record => record.payload(partTags.public))
  const said = patches.filter(
    patch => patch && new TextDecoder().decode(patch).includes('10 watch'),
  )
  t.equal(said.length, 1, 'once')
})

t.test(
  'what was to be told when a definition came that says nothing is told by the next',
  async t => {
    const rig = new CrowdRig()
    const silent = { ...definition, presence: undefined }
    rig.frame({ kind: 'signal', signal: 'presence', doc, value: 10 })
    // It is judged by the definition that has come meanwhile.
    rig.write({ action: send('goal', { team: 'away' }) })
    rig.take({ kind: 'definition-loaded', definition: silent, variants: variantsFrom(1) })
    rig.nowMs += 2_000
    rig.turn()
    rig.answerAll()
    t.same(rig.viewersTold(), [])
    rig.take({ kind: 'definition-loaded', definition, variants: variantsFrom(2) })
    rig.answerAll()
    rig.pass(10_000)
    t.same(rig.viewersTold(), [10])
  },
)

t.test('a bad aggregate closes the link of who sends it', async t => {
  const rig = new CrowdRig()
  rig.effects()
  rig.frame({ kind: 'crowd', doc, number: 1, asked: 0, aggregate: Uint8Array.of(1, 2, 3) })
  t.match(rig.effects(), [{ kind: 'link-close', link: child, code: 'FANFOLD_BAD_FRAME' }])
  rig.frame({ kind: 'crowd', doc, number: 1, asked: 0, aggregate: Uint8Array.of(0, 0) }, other)
  t.match(rig.effects(), [{ kind: 'link-close', link: other }])
})

t.test('who has not joined the document, or has left it, is not answered', async t => {
  const rig = new CrowdRig()
  rig.frame({ kind: 'leave', doc })
  rig.say({ asked: 1 })
  rig.pass()
  t.same(rig.answers(), [])
  t.same(rig.records(), [])
})

t.test('who serves a document next says that nobody watches any more', async t => {
  const rig = new CrowdRig()
  rig.frame({ kind: 'signal', signal: 'presence', doc, value: 10 })
  rig.pass(2_000)
  t.same(rig.viewersTold(), [10])
  const next = new CrowdRig(rig)
  next.pass(1_999)
  t.same(next.viewersTold(), [10], 'somebody may have come by then')
  next.pass(1)
  t.same(next.viewersTold(), [10, 0])
  const { length } = next.logs.get(doc) ?? []
  next.pass(10_000)
  t.equal(next.logs.get(doc)?.length, length)
})

t.test('a document that is deleted is told of no viewers', async t => {
  const rig = new CrowdRig()
  rig.write({ action: { type: 'delete' } })
  rig.answerAll()
  rig.frame({ kind: 'signal', signal: 'presence', doc, value: 10 })
  rig.pass(2_000)
  t.same(rig.viewersTold(), [])
  t.not(rig.authority.wakeAt(), rig.nowMs * 1_000, 'and nobody waits to tell it')
})

t.test(
  'a child that has made room is sent the next, whatever else happens to the document',
  async t => {
    const rig = new CrowdRig()
    for (let goal = 0; goal < 4; goal++) rig.commitGoal()
    const [first] = rig.logs.get(doc) ?? []
    const narrow = link(3)
    rig.take({ kind: 'link-opened', link: narrow, peer: { ...peer, node: 'n3' }, dialled: false })
    rig.effects()
    const have = first && { epoch: first.epoch, seq: first.seq, hash: first.chainHash }
    rig.frame({ kind: 'join', doc, have, credit: 1, take: 'tail', codecs: 0 }, narrow)
    const frames = () =>
      rig.effects().flatMap(effect => {
        const isOurs = effect.kind === 'link-send' && effect.link === narrow
        const frame = isOurs ? decodeLinkFrame(effect.frame) : undefined
        return frame === undefined ? [] : [frame]
      })
    const [welcome, records] = frames()
    t.match(records, { kind: 'records', records: { length: 1 } })
    const channel = welcome?.kind === 'welcome' ? welcome.channel : 0
    rig.frame({ kind: 'credit', channel, bytes: 1_000_000 }, narrow)
    // Before the turn in which that goes out something is done for the document, and the log does not answer yet.
    rig.write({ action: send('goal', { team: 'away' }) })
    for (let turn = 0; turn < 10; turn++) rig.turn()
    t.match(frames(), [{ kind: 'records', records: { length: 4 } }])
  },
)
