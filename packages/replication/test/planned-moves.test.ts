import type { ErrorCode, LinkFrame, LinkId } from '@fanfold/protocol'
import t from 'tap'
import type { Routes, Tiers } from '../src/routed-parents.ts'
import { after, doc, framesOf, link } from './build-stream.ts'
import { head, linkEffects, log, Rig, records, snapshotFrames, welcome } from './following-rig.ts'

const [a, b, c] = [link(1), link(2), link(3)]
/** What each of the parents calls the document. */
const channels = new Map([
  [a, 7],
  [b, 8],
  [c, 9],
])

/** Trees of which nothing is known. */
const noTiers: Tiers = {
  isMovable: () => true,
  redirected: () => undefined,
  welcomed: () => undefined,
  pathChanged: () => undefined,
  refused: () => false,
  lost: () => false,
  forget: () => undefined,
  wakeAt: () => undefined,
  due: () => [],
}

type Routed = { readonly rig: Rig; readonly go: (...route: string[]) => void }

/** A rig that is connected to three nodes, and follows the document live from node a. */
function live(tiers: Partial<Tiers> = {}): Routed {
  let route: readonly string[] = ['a']
  const routes: Routes = { routeOf: () => route, tiers: { ...noTiers, ...tiers } }
  const rig = new Rig({ routes })
  const go = (...next: string[]): void => {
    route = next
    rig.reroute()
  }
  rig.follow()
  for (const [node, of] of Object.entries({ a, b, c })) rig.open(of, node)
  rig.take([welcome('snapshot'), ...snapshotFrames(head)], a)
  rig.effects()
  rig.events()
  return { rig, go }
}

/** The same, while b is asked beside. */
function moving(tiers?: Partial<Tiers>): Routed {
  const made = live(tiers)
  made.go('b', 'c')
  made.rig.effects()
  return made
}

const tail = (of: LinkId, ceiling?: number): LinkFrame =>
  welcome('tail', channels.get(of), doc, ceiling)

const some = (of: LinkId, from: number, to: number): LinkFrame =>
  records(log.slice(from - 1, to), channels.get(of))

const refused = (code: ErrorCode, retryAfterMs = 0): LinkFrame => ({
  kind: 'refused',
  doc,
  code,
  message: '',
  retryAfterMs,
})

/** What was sent since the last time: over which link, and the kinds of the frames. */
function sent(rig: Rig): string[] {
  const effects = linkEffects(rig.effects())
  return [a, b, c].flatMap((of, index) =>
    framesOf(effects, of).map(({ kind }) => `${'abc'[index]} ${kind}`),
  )
}

/** Seqs of the records that were told since the last time. */
const seqs = (rig: Rig): number[] =>
  rig.told
    .splice(0)
    .flatMap(({ event }) => (event.kind === 'records' ? event.records.map(({ seq }) => seq) : []))

const servedBy = (rig: Rig): LinkId | undefined => rig.following.get(doc)?.upstream.link

t.test('the old parent serves until the new one has taken the document', async t => {
  const { rig, go } = live()
  go('b')
  const [join] = rig.sent(b)
  t.match(join, { kind: 'join', have: head, take: 'tail' })
  rig.take([some(a, 11, 12)], a)
  t.same(seqs(rig), [11, 12])
  rig.take([tail(b)], b)
  t.same(sent(rig), ['a leave'])
  t.equal(servedBy(rig), b)
  rig.take([some(a, 13, 13)], a)
  t.same(seqs(rig), [], 'what was under way from the old one is nobody’s')
  rig.take([some(b, 11, 14)], b)
  t.same(seqs(rig), [13, 14], 'what came from both is told once')
  t.ok(rig.following.get(doc)?.upstream.isLive)
  t.equal(rig.staleMs, undefined)
})

t.test(
  'said again, that it is to move asks nobody anew; not any more, the new one is left',
  async t => {
    const { rig, go } = moving()
    go('b', 'c')
    t.same(sent(rig), [])
    go('c')
    t.same(sent(rig), ['b leave', 'c join'])
    rig.take([tail(b)], b)
    t.equal(servedBy(rig), a, 'who was left may have answered before')
    go('a')
    t.same(sent(rig), ['c leave'])
    rig.take([some(a, 11, 11)], a)
    t.same(seqs(rig), [11])
  },
)

t.test('a new parent that refuses is asked again later, and the old one stays', async t => {
  const { rig } = moving()
  rig.take([refused('FANFOLD_NO_PARENT', 250)], b)
  t.same(rig.events(), [], 'nobody is told: the document is served')
  rig.pass(249)
  t.same(sent(rig), [])
  rig.take([some(a, 11, 12)], a)
  rig.pass(1)
  const [join] = rig.sent(b)
  t.match(join, { kind: 'join', have: after(log[11]) }, 'from what is held then')
  rig.take([refused('FANFOLD_NO_PARENT')], b)
  rig.pass(100)
  t.same(sent(rig), ['b join'])
  t.equal(servedBy(rig), a)
})

t.test('it counts as refused in the routes', async t => {
  const told: unknown[] = []
  const { rig } = moving({
    refused: (_doc, node, isForGood) => {
      told.push({ node, isForGood })
      return true
    },
  })
  rig.take([refused('FANFOLD_NO_PARENT')], b)
  rig.take([tail(b)], b)
  t.equal(servedBy(rig), a, 'what nobody asked for is no answer')
  rig.pass(50)
  rig.pass(2_000)
  t.same(told, [
    { node: 'b', isForGood: false },
    { node: 'b', isForGood: true },
  ])
})

t.test('a new parent that is silent is left, and asked again later', async t => {
  const { rig } = moving()
  rig.pass(1_999)
  t.same(sent(rig), [])
  rig.pass(1)
  t.same(sent(rig), ['b leave'])
  rig.pass(50)
  t.same(sent(rig), ['b join'])
  t.equal(servedBy(rig), a)
  t.equal(rig.staleMs, undefined)
  const silent = rig.following.parents.requests.counts.filter(({ count }) => count > 0)
  t.match(silent, [{ node: 'a' }, { node: 'b', outcome: 'timeout', count: 1 }])
})

t.test('a parent that says much else may take longer to answer', async t => {
  const { rig } = moving()
  rig.pass(1_500)
  rig.take([{ kind: 'ping' }], b)
  rig.pass(1_500)
  t.same(sent(rig), [])
})

t.test('when the link to the new parent closes the next one is asked', async t => {
  const { rig } = moving()
  rig.close(b)
  t.same(sent(rig), ['c join'])
  rig.take([tail(c)], c)
  t.equal(servedBy(rig), c)
  t.equal(rig.staleMs, undefined)
})

t.test('when the old parent closes first, the new one is asked for what there is', async t => {
  const { rig } = moving()
  rig.close(a)
  t.same(sent(rig), ['b leave', 'b join'])
  t.equal(rig.staleMs, 0)
  rig.take([tail(b)], b)
  t.equal(rig.staleMs, undefined, 'what it says to the first question is as good')
  rig.take([tail(b), some(b, 11, 11)], b)
  t.same(seqs(rig), [11])
})

t.test('when both close the document waits for another one', async t => {
  const { rig } = moving()
  rig.close(b)
  rig.close(a)
  rig.effects()
  t.equal(servedBy(rig), c)
  rig.close(c)
  t.equal(servedBy(rig), undefined)
  t.equal(rig.staleMs, 0)
  rig.open(link(4), 'b')
  t.equal(servedBy(rig), link(4))
})

t.test('a document that is not followed any more leaves both', async t => {
  const { rig } = moving()
  rig.unfollow()
  t.same(sent(rig), ['a leave', 'b leave'])
  rig.take([tail(b)], b)
  rig.pass(60_000)
  t.same(sent(rig), [])
})

t.test('a parent that begins after what is held has the tail soon', async t => {
  const { rig } = moving()
  rig.take([some(a, 11, 13)], a)
  rig.effects()
  rig.take([refused('FANFOLD_NO_TAIL')], b)
  const [join] = rig.sent(b)
  t.match(join, { kind: 'join', have: after(log[12]), take: 'tail' }, 'more has come meanwhile')
})

t.test('one that has it not at the last try is taken as it is', async t => {
  const { rig } = moving()
  for (let tries = 1; tries < 4; tries++) {
    rig.take([refused('FANFOLD_NO_TAIL')], b)
    t.equal(servedBy(rig), a)
    rig.pass(200)
    t.same(sent(rig), ['b join'])
  }
  rig.take([refused('FANFOLD_NO_TAIL')], b)
  t.equal(servedBy(rig), b)
  const frames = linkEffects(rig.effects())
  t.match(framesOf(frames, a), [{ kind: 'leave' }])
  t.match(framesOf(frames, b), [{ kind: 'leave' }, { kind: 'join', take: 'any' }])
})

t.test('what comes under a lower ceiling ends at once what was held', async t => {
  const { rig } = moving()
  rig.take([tail(b, 1)], b)
  t.equal(servedBy(rig), b)
  t.match(rig.events(), ['ceiling'])
  t.match(rig.sent(b), [{ kind: 'join', have: undefined, take: 'any' }])
})

t.test(
  'a stream that is in trouble when the new parent takes it asks for what there is',
  async t => {
    const { rig } = moving()
    rig.restart()
    rig.effects()
    rig.take([tail(b)], b)
    t.equal(servedBy(rig), b)
    const frames = linkEffects(rig.effects())
    t.match(framesOf(frames, a), [{ kind: 'leave' }])
    t.match(framesOf(frames, b).at(-1), { kind: 'join', have: undefined, take: 'any' })
  },
)

t.test('one that was only behind goes over as it is', async t => {
  const { rig } = moving()
  rig.take([some(a, 12, 12)], a)
  t.same(sent(rig), ['a join'])
  rig.take([tail(b), some(b, 11, 13)], b)
  t.equal(servedBy(rig), b)
  t.same(seqs(rig), [11, 12, 13])
})

t.test('records that do not follow, from the new parent, are asked for again there', async t => {
  const { rig } = moving()
  rig.take([some(a, 11, 13)], a)
  rig.take([tail(b), some(b, 15, 15)], b)
  rig.events()
  const frames = framesOf(linkEffects(rig.effects()), b)
  t.match(frames.at(-1), { kind: 'join', have: after(log[12]), take: 'any' })
})

t.test('when the tail ends that was taken alone, there is a snapshot', async t => {
  const { rig } = moving()
  rig.take([tail(b)], b)
  rig.effects()
  rig.events()
  rig.take([{ kind: 'ended', channel: 8, code: 'FANFOLD_NO_TAIL', message: '' }], b)
  t.match(rig.sent(b), [{ kind: 'join', have: head, take: 'any' }])
  t.same(rig.events(), [], 'which is no refusal')
})

t.test(
  'a parent that stands where it can serve nothing is left, and the old one stays',
  async t => {
    const { rig } = moving({ welcomed: (_doc, node) => (node === 'b' ? 'loop' : undefined) })
    rig.take([tail(b)], b)
    t.same(sent(rig), ['b leave'])
    t.equal(servedBy(rig), a)
  },
)

t.test('a parent that names others, who serves nothing itself, is not who serves', async t => {
  const told: unknown[] = []
  const { rig } = moving({ redirected: (_doc, named) => told.push(named) })
  rig.take([{ kind: 'redirect', doc, to: ['c'] }], b)
  t.same(told, [{ from: 'b', to: ['c'], isServed: false }])
  t.same(sent(rig), [], 'the same one is not asked again at once')
  rig.take([{ kind: 'redirect', doc, to: ['c'] }], a)
  t.match(told[1], { from: 'a', isServed: true })
})

t.test(
  'one that has refused is left when the document is to go elsewhere: it would wait for it',
  async t => {
    const { rig, go } = moving()
    rig.take([refused('FANFOLD_NO_PARENT', 250)], b)
    t.same(sent(rig), [])
    go('a')
    t.same(sent(rig), ['b leave'])
    go('b')
    rig.take([refused('FANFOLD_NO_PARENT', 250)], b)
    rig.effects()
    rig.unfollow()
    t.same(sent(rig), ['a leave', 'b leave'])
  },
)
