/*
 * Two edges of one history, for the second of which the document is large, and viewers that do all that
 * viewers do, at either. Whatever happens, what a viewer sees is what the definition says of the state,
 * worked out by the slow and simple oracle, and nobody is sent what is hidden from it.
 */
import type { EdgeDefinition } from '@fanfold/definition'
import type { JsonObject, JsonValue } from '@fanfold/document'
import { naiveView } from '@fanfold/privacy'
import type { ViewerFrame } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import { Rig } from './build-edge.ts'
import { doc, viewer } from './edge-log.ts'
import { History, Model } from './history.ts'
import { definitions, hiding, hush, operation, pages, start } from './walked-documents.ts'

t.setTimeout(400_000)

const viewerCount = 4

const value = fc.constantFrom<JsonValue>(0, 1, 'text', true, { deep: 1 })
const change = fc.oneof(
  fc.record({ path: fc.constantFrom('/score', '/odds', '/late', '/hands/a', '/hands/c'), value }),
  fc.record({ path: fc.constant('/shown'), value: fc.boolean() }),
  fc.record({ path: fc.constantFrom('/list/0', '/list/-'), value }),
)

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ what: fc.constant('change' as const), change }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant('feed' as const), edge: fc.nat(1) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      what: fc.constantFrom('observe', 'resume', 'leave', 'lag', 'drain', 'page', 'renew' as const),
      viewer: fc.nat(viewerCount - 1),
      edge: fc.nat(1),
      page: fc.constantFrom(...pages),
      maxRate: fc.constantFrom(undefined, undefined, 5, 50),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      what: fc.constantFrom('work', 'send', 'pass' as const),
      number: fc.nat(40),
    }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('settle' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constant('define' as const),
      name: fc.constantFrom(...Object.keys(definitions)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('cut' as const), edge: fc.nat(1) }) },
)

/** The same where what the tenant's viewers may be sent is bounded, now this way, now that. */
const boundedStep = fc.oneof(
  { weight: 8, arbitrary: step },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constant('quota' as const),
      bytesPerSecondMax: fc.constantFrom(undefined, 4_000, 40_000),
    }),
  },
)

type Step = typeof boundedStep extends fc.Arbitrary<infer Value> ? Value : never

/** What the history was at a seq. */
type Moment = { readonly name: string; readonly state: JsonObject }

class Walker extends Model {
  readonly id
  edge = 0
  isObserving = false
  maxRate: number | undefined
  /** Whether it was one who pays, and under which definitions, since it was looked at last. */
  hasPaid = false
  claims: Record<string, JsonValue> = { premium: false, hand: 'a' }
  page: string | undefined
  /** It may not be shown anything older than this. */
  floor = 0
  #anchor: { position: string; seq: number; view: JsonObject | undefined } | undefined

  constructor(number: number) {
    super()
    this.id = viewer(number + 1)
  }

  override take(frames: readonly ViewerFrame[]): this {
    for (const frame of frames) {
      super.take([frame])
      if ('position' in frame && frame.position !== undefined) {
        this.#anchor = { position: frame.position, seq: this.seq, view: copy(this.view) }
      }
      if (frame.type !== 'refused') continue
      // It waited until another definition was in force, which takes no view state.
      if (frame.code === 'FANFOLD_NO_VIEW_STATE') this.isObserving = false
      else this.problem ??= frame.code
    }
    return this
  }

  /** Goes back to the view that the last position is of. */
  resume(): string | undefined {
    this.forget()
    this.seq = this.#anchor?.seq ?? 0
    this.view = copy(this.#anchor?.view)
    return this.#anchor?.position
  }

  restart(): void {
    this.forget()
    this.seq = 0
    this.view = undefined
    this.#anchor = undefined
  }
}

const copy = (view: JsonObject | undefined): JsonObject | undefined =>
  view === undefined ? undefined : JSON.parse(JSON.stringify(view))

class Walk {
  readonly #history = new History()
  readonly #moments: Moment[] = []
  readonly #edges = [
    new Rig({ lingerMs: 1e9 }, { recordsMax: 12 }),
    new Rig({ lingerMs: 1e9, largeStateBytes: 500 }, { recordsMax: 12 }),
  ]
  readonly #fed = [0, 0]
  readonly #fedBefore = [0, 0]
  #isSettled = false
  readonly #walkers = Array.from({ length: viewerCount }, (_, number) => new Walker(number))
  #name = 'odds'
  /** Whether a quota may have put off what viewers are shown, since all were shown all. */
  #isBounded = false
  #bytesPerSecondMax: number | undefined

  constructor() {
    this.#history.define(this.#name)
    this.#note()
    this.#history.create(start)
    this.#note()
    for (const [edge, rig] of this.#edges.entries()) {
      rig.isSwift = false
      for (const [name, definition] of Object.entries(definitions)) {
        rig.offered.set(name, definition)
        // The other one has them from its parent, with their texts for the worker.
        if (edge === 0) rig.load(name, definition)
      }
      rig.openParent()
      rig.follow()
      rig.frame(...this.#history.snapshot())
      rig.pass(1)
      this.#fed[edge] = 2
    }
    for (const walker of this.#walkers) {
      for (const rig of this.#edges) rig.open(walker.id, { claims: walker.claims })
    }
  }

  take(step: Step): void {
    this.#isSettled = step.what === 'settle'
    for (const [edge, fed] of this.#fed.entries()) this.#fedBefore[edge] = fed
    switch (step.what) {
      case 'change':
        this.#history.change(operation(this.#history.state, step.change))
        this.#note()
        this.#feed(0)
        break
      case 'define':
        this.#name = step.name
        this.#history.define(step.name)
        this.#note()
        this.#feed(0)
        break
      case 'feed':
        this.#feed(step.edge)
        break
      case 'cut': {
        const rig = this.#rig(step.edge)
        rig.closeParent()
        rig.openParent()
        rig.frame(...this.#history.snapshot())
        // What is large is read in in turns of its own.
        rig.pass(1)
        this.#fed[step.edge] = this.#history.seq
        break
      }
      case 'quota': {
        const { bytesPerSecondMax } = step
        this.#isBounded = true
        this.#bytesPerSecondMax = bytesPerSecondMax
        const quota = bytesPerSecondMax === undefined ? undefined : { bytesPerSecondMax }
        for (const rig of this.#edges) rig.setQuota(quota)
        break
      }
      case 'work':
        for (const rig of this.#edges) rig.work()
        break
      case 'send':
        for (const rig of this.#edges) {
          for (const { id } of this.#walkers) rig.sendOn(id, step.number % 3)
        }
        break
      case 'pass':
        for (const rig of this.#edges) rig.pass(step.number)
        break
      case 'settle':
        for (const rig of this.#edges) {
          for (const { id } of this.#walkers) rig.drain(id)
          for (let round = 0; round < 4; round++) {
            rig.finish()
            // A tenant that was sent too much is shown nothing for ten seconds at most, then each of its cohorts.
            rig.pass(this.#isBounded ? 30_000 : 250)
          }
        }
        break
      default:
        this.#walk(step)
    }
    for (const walker of this.#walkers) this.#check(walker)
    if (this.#isSettled && this.#bytesPerSecondMax === undefined) this.#isBounded = false
  }

  #walk(step: Extract<Step, { viewer: number }>): void {
    const walker = this.#walkers[step.viewer]
    if (walker === undefined) return
    const before = this.#rig(walker.edge)
    switch (step.what) {
      case 'observe':
        walker.maxRate = step.maxRate
        this.#observe(walker, step.edge, undefined)
        return
      case 'resume':
        walker.maxRate = step.maxRate
        this.#observe(walker, step.edge, walker.resume())
        return
      case 'leave':
        before.request(walker.id, { type: 'leave', doc })
        walker.isObserving = false
        return
      case 'lag':
        before.lag(walker.id)
        return
      case 'drain':
        before.drain(walker.id)
        return
      case 'page':
        // Only where the edge's definition takes one is it what the viewer has from then on.
        if (!walker.isObserving || this.#momentAt(walker.edge).name !== 'paged') return
        walker.page = step.page
        before.request(walker.id, { type: 'viewState', doc, viewState: { page: step.page } })
        return
      case 'renew':
        walker.claims = { premium: !walker.claims['premium'], hand: step.page }
        for (const rig of this.#edges) rig.renew(walker.id, { claims: walker.claims })
    }
  }

  #observe(walker: Walker, edge: number, from: string | undefined): void {
    this.#rig(walker.edge).drain(walker.id)
    if (edge !== walker.edge) this.#rig(walker.edge).request(walker.id, { type: 'leave', doc })
    for (const rig of this.#edges) rig.got(walker.id)
    if (from === undefined) {
      walker.restart()
      walker.floor = 0
    } else {
      walker.resume()
    }
    walker.edge = edge
    walker.isObserving = true
    const isPaged = this.#momentAt(edge).name === 'paged'
    if (!isPaged) walker.page = undefined
    const viewState = walker.page === undefined ? undefined : { page: walker.page }
    const { maxRate } = walker
    const options = { ...(from && { from }), ...(maxRate && { maxRate }), viewState }
    this.#rig(edge).observe(walker.id, options)
  }

  #check(walker: Walker): void {
    const rig = this.#rig(walker.edge)
    this.#checkHidden(walker)
    const frames = rig.got(walker.id)
    if (!walker.isObserving) return
    walker.take(frames)
    if (!walker.isObserving) return
    if (walker.problem !== undefined) throw new Error(`${walker.id}: ${walker.problem}`)
    const seq = this.#fed[walker.edge] ?? 0
    // Its socket is full, yet what was under way before that has come.
    const isShown = frames.some(({ type }) => type === 'snapshot' || type === 'delta')
    if (rig.lagging.has(walker.id) && isShown) walker.floor = Math.max(walker.floor, seq)
    // It lags, or waits until this edge is as far as the one it comes from.
    if (rig.lagging.has(walker.id) || seq < walker.floor) return
    // A large view is on its way.
    const isComing = rig.transfers.has(walker.id) || rig.answers.length > 0 || walker.isComing
    if (isComing && !this.#isSettled) return
    const isPaced = walker.maxRate !== undefined || this.#isBounded
    const isBehind = isPaced && !this.#isSettled
    if (isBehind && this.#momentAt(walker.edge).name === 'dense') {
      // Where it stands its numbers do not say.
      walker.floor = seq
      return
    }
    // With a pace, what it sees is what was where it stands.
    const stands = isBehind ? walker.seq : seq
    const { name, state } = this.#moments[Math.max(stands, 1) - 1] as Moment
    const definition = definitions[name] as EdgeDefinition
    const viewState =
      name === 'paged' && walker.page !== undefined ? { page: walker.page } : undefined
    const cohort = { audience: walker.claims, clearance: 0, viewState }
    const expected = JSON.stringify(sorted(naiveView(definition, state, cohort)))
    const got = JSON.stringify(sorted(walker.view ?? null))
    if (got !== expected)
      throw new Error(`${walker.id} sees ${short(got)}, not ${short(expected)}, at ${stands}`)
    walker.floor = stands
  }

  /** Since the step before, nothing of what was hidden from it all the time has come. */
  #checkHidden(walker: Walker): void {
    const isPaying = walker.claims['premium'] === true
    const mayHave = isPaying || walker.hasPaid
    walker.hasPaid = isPaying
    const [before, now] = [this.#fedBefore, this.#fed].map(fed => fed[walker.edge] ?? 0)
    const names = this.#moments.slice((before ?? 1) - 1, now).map(({ name }) => name)
    if (mayHave || !names.every(name => hiding.includes(name))) return
    for (const { bytes } of this.#rig(walker.edge).received.get(walker.id) ?? []) {
      const text = Buffer.from(bytes).toString()
      if (text.includes(hush)) throw new Error(`${walker.id} was sent ${text}`)
    }
  }

  #feed(edge: number): void {
    const rig = this.#rig(edge)
    const count = this.#history.seq - (this.#fed[edge] ?? 0)
    if (count > 0) rig.frame(this.#history.last(count))
    rig.pass(1)
    this.#fed[edge] = this.#history.seq
  }

  #note(): void {
    this.#moments.push({ name: this.#name, state: this.#history.state })
  }

  #momentAt(edge: number): Moment {
    return this.#moments[(this.#fed[edge] ?? 0) - 1] as Moment
  }

  #rig(edge: number): Rig {
    return this.#edges[edge] as Rig
  }
}

const short = (view: string): string => view.replace(/x{9,}/, 'x…')

function sorted(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map(key => [key, sorted(value[key] as JsonValue)]),
  )
}

const holdsFor = (steps: fc.Arbitrary<Step>) =>
  fc.property(fc.array(steps, { maxLength: 80, size: 'max' }), steps => {
    const walk = new Walk()
    for (const one of steps) walk.take(one)
    walk.take({ what: 'settle' })
  })

t.test(
  'whatever happens, viewers see what the definition says, and their ranges adjoin',
  async t => {
    t.doesNotThrow(() => fc.assert(holdsFor(step), { numRuns: 200, includeErrorInReport: true }))
  },
)

t.test('so it is where a quota puts off what they are shown', async t => {
  const holds = holdsFor(boundedStep)
  t.doesNotThrow(() => fc.assert(holds, { numRuns: 100, includeErrorInReport: true }))
})
