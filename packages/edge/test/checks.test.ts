/* An edge checks what it holds and shows; what differs is told, and mended. */
import { sha256 } from '@fanfold/conformance'
import { hashState } from '@fanfold/document'
import { decodeLinkFrame, type LinkFrame, zeroPosition } from '@fanfold/protocol'
import t from 'tap'
import { define, doc, viewer } from './edge-log.ts'
import { type History, Model, put, Show } from './history.ts'
import { byClaims, odds, paged, rule } from './rules.ts'

const one = viewer(1)
const checkEveryMs = 100
const limits = { checkEveryMs, lingerMs: 1e9 }
const start = { score: 0, odds: 1 }

/** An edge with a viewer who sees all but the odds; a check of a document that has changed is under way. */
function watched(definition = odds(), options: ConstructorParameters<typeof Show>[2] = {}): Show {
  const show = new Show(definition, { ...start, pages: {}, title: 't' }, { limits, ...options })
  show.rig.open(one)
  show.rig.observe(one)
  show.rig.frame(answer(show.history))
  show.rig.pass(checkEveryMs)
  show.change(put('/score', 0))
  show.rig.pass(1)
  show.rig.effects()
  return show
}

/** What an authority answers that has what the history says. */
function answer(history: History, ceiling = 239): LinkFrame {
  const { definition, state } = history
  const hashes = (hashState({ state, definition, sha256 }) ?? []).filter(
    ({ tag }) => tag <= ceiling,
  )
  return { kind: 'state-hash', doc, ceiling, at: history.head, hashes }
}

/** What came of checks, streams that began anew, and what the parent was asked. */
const told = (show: Show): string[] =>
  show.rig.effects().flatMap(effect => {
    if (effect.kind === 'link-send') {
      const frame = decodeLinkFrame(effect.frame)
      if (frame?.kind === 'join') return [frame.have === undefined ? 'joins anew' : 'joins']
      return frame?.kind === 'request-state-hash' ? ['asks'] : []
    }
    if (effect.kind !== 'fact') return []
    const { fact } = effect
    if (fact.event === 'resync') return [`resync ${fact.reason}`]
    const isCheck = fact.event === 'state-checked' || fact.event === 'view-checked'
    return isCheck ? [`${fact.event.slice(0, 5).replace('-', '')} ${fact.outcome}`] : []
  })

t.test('a document that has changed is checked once, and what is at rest is not', async t => {
  const show = watched()
  show.rig.frame(answer(show.history))
  t.same(told(show), [], 'what a cohort is sent is watched for a while')
  show.change(put('/odds', 2))
  show.rig.pass(checkEveryMs)
  t.same(told(show), ['state equal', 'view equal', 'asks'])
  show.rig.frame(answer(show.history))
  show.rig.pass(checkEveryMs)
  t.same(told(show), ['state equal', 'view equal'])
  show.rig.pass(10_000)
  t.same(told(show), [], 'nothing has changed since')
  t.equal(show.rig.edge.suspectCount, 0)
})

t.test('without an interval nothing is checked', async t => {
  const show = watched(odds(), { limits: { lingerMs: 1e9 } })
  show.change(put('/score', 1))
  show.rig.pass(10_000)
  t.same(told(show), [])
})

t.test('an answer waits for the record that it is of', async t => {
  const show = watched()
  for (const score of [1, 2]) show.history.change(put('/score', score))
  const ahead = answer(show.history)
  show.rig.frame(ahead)
  show.history.change(put('/score', 3))
  show.rig.pass(checkEveryMs)
  t.same(told(show), [], 'that record is not here')
  show.rig.frame(show.history.last(3))
  show.rig.pass(checkEveryMs)
  t.same(told(show), ['state equal', 'view equal', 'asks'])
})

t.test('records that come together go by an answer of one of them', async t => {
  const show = watched(paged())
  show.history.change(put('/pages/a', 'A'))
  const ahead = answer(show.history)
  show.rig.frame(ahead)
  for (const text of ['AA', 'AAA']) show.history.change(put('/pages/a', text))
  show.rig.frame(show.history.last(3))
  show.rig.pass(checkEveryMs)
  t.same(told(show), ['state equal', 'view equal', 'asks'])
})

for (const [what, frames] of [
  ['of what is past', (show: Show) => [answer(show.history), 'then'] as const],
  [
    'that there is none',
    () => [{ kind: 'state-hash', doc, ceiling: 0, at: zeroPosition, hashes: [] }] as const,
  ],
  ['under another ceiling', (show: Show) => [answer(show.history, 0)] as const],
] as const) {
  t.test(`an answer ${what} is no reason for anything`, async t => {
    const show = watched()
    const [frame, isLate] = frames(show)
    if (isLate !== undefined) show.change(put('/score', 1))
    show.rig.frame(frame as LinkFrame)
    show.rig.pass(checkEveryMs)
    t.same(
      told(show).filter(event => event !== 'asks'),
      ['state none', 'view equal'],
    )
    t.equal(show.rig.edge.suspectCount, 0)
  })
}

t.test(
  'a parent that does not answer is waited for, and the next document has its turn',
  async t => {
    const show = watched()
    show.change(put('/score', 1))
    show.rig.pass(4_000)
    t.same(told(show), [])
    show.rig.pass(1_100)
    t.same(told(show), ['view equal', 'state none', 'asks'])
  },
)

t.test('what is not what the authority has is fetched again, and suspect until it is', async t => {
  const show = watched()
  show.history.change(put('/score', 1))
  show.rig.closeParent()
  show.rig.openParent()
  show.rig.frame(...show.history.wrongSnapshot({ ...start, score: 7 }))
  const model = new Model().take(show.rig.got(one))
  t.match(model.view, { score: 7 }, 'its pieces are what its manifest says')
  show.rig.pass(6_000)
  show.rig.effects()
  show.rig.frame(answer(show.history))
  show.rig.pass(1)
  t.same(told(show).sort(), ['joins anew', 'resync diverged', 'state differs', 'view equal'])
  t.equal(show.rig.edge.suspectCount, 1)
  t.equal(model.take(show.rig.got(one)).status, 'stale', 'who is shown it is told')
  show.rig.frame(...show.history.snapshot())
  t.match(model.take(show.rig.got(one)).view, { score: 1 })
  t.equal(model.status, 'live')
  t.equal(model.problem, undefined)
  show.rig.effects()
  show.rig.pass(checkEveryMs)
  show.rig.frame(answer(show.history))
  show.rig.pass(checkEveryMs)
  t.ok(told(show).includes('state equal'))
  t.equal(show.rig.edge.suspectCount, 0)
})

t.test('what differs again and again is told each time, and fetched three times', async t => {
  const show = watched()
  const wrong = { ...start, score: 7 }
  let resyncs = 0
  let differences = 0
  for (let round = 0; round < 8; round++) {
    show.rig.pass(checkEveryMs)
    const frame = answer(show.history)
    show.rig.frame(
      frame.kind === 'state-hash' ? { ...frame, hashes: frame.hashes.map(flip) } : frame,
    )
    show.rig.pass(checkEveryMs)
    const events = told(show)
    differences += events.filter(event => event === 'state differs').length
    const isAnew = events.includes('resync diverged')
    if (isAnew) {
      resyncs++
      show.rig.pass(3_000)
      show.rig.frame(...show.history.wrongSnapshot(wrong))
      show.rig.effects()
    }
  }
  t.equal(resyncs, 3)
  t.ok(differences > 3, `${differences}`)
  t.equal(show.rig.edge.suspectCount, 1)
})

t.test('what differs now and then is mended so often in ten minutes, and no more', async t => {
  let isShown = false
  const impure = define({ rules: [rule('/odds', () => isShown)], observe: byClaims })
  const show = watched(impure)
  show.rig.pass(6_000)
  show.rig.got(one)
  /** A check that finds what the rule says now and not what was shown, and one that finds it right. */
  const flicker = (score: number): string[] => {
    for (const isOther of [true, false]) {
      show.change(put('/score', score))
      show.rig.pass(checkEveryMs)
      if (isOther) isShown = !isShown
      show.rig.pass(6_000)
    }
    const isMended = show.rig.got(one).some(({ type }) => type === 'snapshot')
    return [
      ...told(show).filter(event => event.startsWith('view')),
      ...(isMended ? ['mended'] : []),
    ]
  }
  for (let turn = 0; turn < 2; turn++) {
    const events: string[] = []
    for (let round = 0; round < 20; round++) events.push(...flicker(round))
    t.ok(events.filter(event => event === 'view equal').length > 5)
    t.ok(events.filter(event => event === 'view differs').length > 5, events.join())
    t.equal(events.filter(event => event === 'mended').length, 3)
    show.rig.pass(600_000)
  }
})

t.test('what differs in both ways is told each time, too, and fetched three times', async t => {
  let isShown = false
  const impure = define({ rules: [rule('/odds', () => isShown)], observe: byClaims })
  const show = watched(impure)
  let resyncs = 0
  for (let round = 0; round < 4; round++) {
    show.rig.pass(checkEveryMs)
    show.rig.effects()
    isShown = !isShown
    show.change(put('/score', round))
    const frame = answer(show.history)
    show.rig.frame(
      frame.kind === 'state-hash' ? { ...frame, hashes: frame.hashes.map(flip) } : frame,
    )
    show.rig.pass(checkEveryMs)
    const events = told(show)
    t.ok(events.includes('state differs') && events.includes('view differs'), events.join())
    if (!events.includes('resync diverged')) continue
    resyncs++
    show.rig.pass(3_000)
    show.rig.frame(...show.history.snapshot())
  }
  t.equal(resyncs, 3)
  t.equal(show.rig.edge.suspectCount, 1)
})

t.test('an assertion that fails in a check costs the edge that document alone', async t => {
  let isShown = false
  const impure = define({ rules: [rule('/odds', () => isShown)], observe: byClaims })
  const show = watched(impure)
  isShown = true
  show.change(put('/score', 1))
  show.rig.frame(answer(show.history))
  show.rig.got(one)
  show.rig.isStumbling = true
  show.rig.pass(checkEveryMs)
  show.rig.isStumbling = false
  t.match(show.rig.got(one), [{ type: 'refused', code: 'FANFOLD_SET_ASIDE' }])
  t.equal(show.rig.edge.documentCount, 0)
  t.equal(show.rig.edge.suspectCount, 0)
})

const flip = <Hash extends { readonly hash: Uint8Array }>(one: Hash): Hash => ({
  ...one,
  hash: one.hash.map(byte => byte ^ 1),
})

t.test('a cohort that is not sent what it may see gets a snapshot', async t => {
  let isShown = false
  // A rule that goes by what is not in the state is what no change tells of.
  const impure = define({ rules: [rule('/odds', () => isShown)], observe: byClaims })
  const show = watched(impure)
  const model = new Model().take(show.rig.got(one))
  isShown = true
  show.change(put('/score', 1))
  model.take(show.rig.got(one))
  t.equal(model.view?.['odds'], undefined)
  show.rig.frame(answer(show.history))
  show.rig.pass(checkEveryMs)
  t.ok(told(show).includes('view differs'))
  t.match(model.take(show.rig.got(one)).view, { score: 1, odds: 1 })
  t.equal(model.problem, undefined)
  show.change(put('/score', 2))
  for (let round = 0; round < 3; round++) show.rig.pass(6_000)
  t.equal(show.rig.edge.suspectCount, 0, 'the next check finds it right')
})

t.test('paced cohorts, computed views and many deltas are checked too', async t => {
  const show = watched(paged())
  const paced = viewer(2)
  show.rig.open(paced)
  show.rig.observe(paced, { maxRate: 5 })
  for (let change = 0; change < 300; change++) {
    show.change(put(`/pages/p${change % 7}`, change), put('/title', `t${change % 3}`))
    show.rig.frame(answer(show.history))
    show.rig.pass(change % 5 === 0 ? checkEveryMs : 1)
  }
  show.rig.pass(6_000)
  const events = told(show)
  t.ok(events.filter(event => event === 'view equal').length > 20, events.join())
  t.notOk(events.includes('view differs'))
})

t.test('a large document is not checked', async t => {
  const show = watched(odds(), { limits: { ...limits, checkBytesMax: 1_024 } })
  show.change(put('/text', 'x'.repeat(2_000)))
  show.rig.pass(6_000)
  show.rig.effects()
  show.change(put('/score', 1))
  show.rig.pass(10 * checkEveryMs)
  t.same(told(show), [])
})
