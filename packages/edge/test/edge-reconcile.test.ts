/*
 * Whatever an edge has seen of a log, all of it or a snapshot and what came after, it ends the same:
 * what it does follows from the state.
 */
import type { EdgeDefinition } from '@fanfold/definition'
import type { JsonObject } from '@fanfold/document'
import {
  decodeLinkFrame,
  type LinkFrame,
  parseDocumentKey,
  type ViewerFrame,
  type ViewerId,
} from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import { Rig } from './build-edge.ts'
import { define, viewer } from './edge-log.ts'
import { History, Model, put, Show } from './history.ts'
import { byClaims, odds } from './rules.ts'

const definitions: Readonly<Record<string, EdgeDefinition>> = {
  open: define({ observe: byClaims }),
  odds: odds(),
  payers: define({
    observe: { ...byClaims, allow: ({ claims }) => claims['premium'] === true },
  }),
}
const start: JsonObject = { score: 0, odds: 1, late: 'x', shown: false }
const viewers: readonly {
  readonly id: ViewerId
  readonly premium: boolean
  readonly rate: number
}[] = [1, 2, 3, 4].map(number => ({
  id: viewer(number),
  premium: number % 2 === 0,
  rate: number > 2 ? 5 : 0,
}))

const event = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ path: fc.constantFrom('/score', '/odds', '/late'), value: fc.nat(3) }),
  },
  { weight: 1, arbitrary: fc.record({ path: fc.constant('/shown'), value: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ define: fc.constantFrom(...Object.keys(definitions)) }) },
  { weight: 1, arbitrary: fc.constant({ claim: true as const }) },
)
const log = fc.record({
  events: fc.array(event, { maxLength: 10 }),
  cut: fc.nat(),
  isDeleted: fc.boolean(),
  batch: fc.integer({ min: 1, max: 4 }),
})

/** What can be seen of an edge at the end, and whether those who may not observe were told so. */
type End = {
  readonly views: readonly (JsonObject | undefined)[]
  readonly ends: readonly string[]
  readonly cohorts: number
  readonly documents: number
  readonly wakeAt: number | undefined
}

/** An edge of which all viewers came first; `cut` is the seq at which it got a snapshot. */
function follow(
  history: History,
  cut: number,
  batch: number,
  forbidden: (premium: boolean) => boolean,
): End {
  const rig = new Rig({ lingerMs: 10_000 }, { recordsMax: 100 })
  for (const [name, definition] of Object.entries(definitions)) rig.load(name, definition)
  rig.openParent()
  const models = new Map<ViewerId, Model>()
  const told = new Set<ViewerId>()
  const take = (): void => {
    for (const { id } of viewers) {
      const frames: ViewerFrame[] = rig.got(id)
      models.get(id)?.take(frames)
      for (const frame of frames) {
        if (frame.type === 'left' || frame.type === 'refused') told.add(id)
      }
    }
  }
  const observe = ({ id, rate }: (typeof viewers)[number]): void => {
    models.set(id, new Model())
    told.delete(id)
    rig.observe(id, rate === 0 ? {} : { maxRate: rate })
  }
  for (const one of viewers) {
    rig.open(one.id, { claims: { premium: one.premium } })
    observe(one)
  }
  rig.frame(...history.snapshot(239, cut))
  for (let first = cut; first < history.seq; first += batch) {
    rig.frame({
      kind: 'records',
      channel: 55,
      records: history.records.slice(first, first + batch),
    })
    take()
  }
  take()
  const ends = viewers.map(({ id, premium }) =>
    forbidden(premium) ? (told.has(id) ? 'gone' : 'still there') : '',
  )
  // Who was sent away by what is over now comes again.
  for (const one of viewers) {
    if (told.has(one.id) && !forbidden(one.premium)) observe(one)
  }
  rig.nowMs = 2_000
  rig.pass(8_000)
  take()
  const problem = [...models.values()].find(model => model.problem !== undefined)?.problem
  if (problem !== undefined) throw new Error(problem)
  const views = viewers.map(({ id, premium }) =>
    forbidden(premium) ? undefined : models.get(id)?.view,
  )
  const { cohortCount, documentCount } = rig.edge
  const wakeAt = rig.edge.wakeAt()
  return { views, ends, cohorts: cohortCount, documents: documentCount, wakeAt }
}

t.test('for any log and any cut, snapshot and tail end as the whole log does', async t => {
  const holds = fc.property(log, ({ events, cut, isDeleted, batch }) => {
    const history = new History()
    let name = 'odds'
    history.define(name)
    history.create(start)
    const created = history.seq
    for (const one of events) {
      if ('define' in one) {
        name = one.define
        history.define(name)
      } else if ('claim' in one) history.claim()
      else history.change(put(one.path, one.value))
    }
    if (isDeleted) history.delete()
    const forbidden = (premium: boolean): boolean => isDeleted || (name === 'payers' && !premium)
    const at = created + (cut % (history.seq - created + 1))
    const whole = follow(history, created, batch, forbidden)
    const led = follow(history, at, batch, forbidden)
    const [one, other] = [whole, led].map(end => JSON.stringify(sorted(end)))
    if (one !== other) throw new Error(`${one} after the log, ${other} after a snapshot at ${at}`)
    if (whole.ends.includes('still there')) throw new Error(`${whole.ends}`)
  })
  t.doesNotThrow(() => fc.assert(holds, { numRuns: 1_000, includeErrorInReport: true }))
})

t.test('why a document is not shown any more is told apart', async t => {
  const one = viewer(1)
  const reasons = (['deleted', 'moved', 'revoked'] as const).map(what => {
    const show = new Show(define({ observe: byClaims }), start)
    show.rig.open(one)
    show.rig.observe(one)
    show.rig.got(one)
    if (what === 'deleted') {
      show.history.delete()
      show.rig.frame(show.history.last())
    } else if (what === 'moved') {
      const code = 'FANFOLD_MOVED'
      const elsewhere = parseDocumentKey('acme/match/elsewhere')
      show.rig.observe(one, { doc: elsewhere })
      show.rig.frame({ kind: 'refused', doc: elsewhere, code, message: '', retryAfterMs: 0 })
    } else {
      show.rig.load('closed', define({ observe: { allow: () => false } }))
      show.history.define('closed')
      show.rig.frame(show.history.last())
    }
    const [frame] = show.rig.got(one)
    return frame?.type === 'left' ? frame.reason : frame?.type === 'refused' ? frame.code : ''
  })
  t.same(reasons, ['deleted', 'FANFOLD_MOVED', 'FANFOLD_FORBIDDEN'])
})

t.test('when the parent is lost all viewers hear it at once, and when it is back', async t => {
  const show = new Show(define(), start)
  const many = Array.from({ length: 20 }, (_, number) => viewer(10 + number))
  for (const [number, id] of many.entries()) {
    show.rig.open(id)
    show.rig.observe(id, number % 2 === 0 ? {} : { maxRate: 1 })
    show.rig.got(id)
  }
  show.rig.closeParent()
  for (const id of many) t.match(show.rig.got(id), [{ type: 'status', status: 'stale' }])
  show.rig.openParent()
  show.history.change(put('/score', 1))
  show.rig.frame(show.history.tail(), show.history.last())
  show.rig.pass(1_000)
  for (const id of many) {
    const frames = show.rig.got(id)
    t.match(
      frames.find(frame => frame.type === 'status'),
      { status: 'live' },
    )
    t.ok(frames.some(frame => frame.type === 'delta'))
    t.equal(frames.length, 2, 'and no more: nobody has to come again')
  }
})

t.test('the parent is told how many viewers observe a document', async t => {
  const show = new Show(define(), start, { limits: { lingerMs: 1e6 } })
  show.rig.pass(2_000)
  show.rig.sent()
  for (const number of [1, 2, 3]) {
    show.rig.open(viewer(number))
    show.rig.observe(viewer(number))
  }
  show.rig.pass(2_000)
  t.match(signals(show.rig).at(-1), { kind: 'signal', signal: 'presence', value: 3 })
  show.rig.take({ kind: 'viewer-closed', viewer: viewer(1) })
  show.rig.pass(2_000)
  t.match(signals(show.rig).at(-1), { kind: 'signal', signal: 'presence', value: 2 })
})

/** The signals to the parent since the last time. */
const signals = (rig: Rig): LinkFrame[] =>
  rig
    .effects()
    .flatMap(effect => (effect.kind === 'link-signal' ? (decodeLinkFrame(effect.frame) ?? []) : []))

/** JSON with names in their order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1))
  return Object.fromEntries(entries.map(([name, member]) => [name, sorted(member)]))
}
