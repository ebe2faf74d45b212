/*
 * What large views hold at an edge is bounded, and counted as it is.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { JsonObject, WorkerReplicaId } from '@fanfold/document'
import { milliseconds } from '@fanfold/kernel'
import type { TransferId, ViewerFrame, ViewerId } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import type { EdgeEffect } from '../src/edge-effect.ts'
import { define, doc, viewer } from './build-edge.ts'
import { Model, put, Show } from './history.ts'
import { byClaims, rule } from './rules.ts'

const [one, two, three] = [viewer(1), viewer(2), viewer(3)]
const hands = ['a', 'b', 'c', 'd']
/** Everybody sees the rows, and a hand of its own: each hand is a cohort. `/isLate` turns `/late` on. */
const definition = define({
  rules: [
    rule('/hands/*', (audience, { key }) => audience['hand'] === key),
    rule('/late', (_, { reads }) => reads['/isLate'] === true, ['/isLate']),
  ],
  observe: byClaims,
})
const rows = (count: number): JsonObject =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`row${at}`, 'x'.repeat(100)]))

/**
 * A large document of some 10 kB, or of more in several pieces, as is each view of it; nothing happens
 * at the worker by itself.
 */
function large(largeViewsBytesMax: number, rowCount = 90): Show {
  const state = { n: 0, hands: { a: 1, b: 2, c: 3, d: 4 }, rows: rows(rowCount) }
  const show = new Show(definition, state, {
    limits: { largeStateBytes: 5_000, largeViewsBytesMax, lingerMs: 1e9 },
    ring: { bytesMax: 10_000_000, ageMax: milliseconds(60_000) },
  })
  show.rig.isSwift = false
  return show
}

function join(show: Show, id: ViewerId, hand: string): Model {
  show.rig.open(id, { claims: { hand } })
  show.rig.observe(id)
  return new Model()
}

const transfersOf = (effects: readonly EdgeEffect[]) =>
  effects.flatMap(effect => (effect.kind === 'viewer-transfer' ? [effect] : []))
const bytesOf = (frames: readonly Uint8Array[]): number =>
  frames.reduce((sum, { length }) => sum + length, 0)
const refusals = (frames: readonly ViewerFrame[]) =>
  frames.flatMap(frame => (frame.type === 'refused' ? [frame] : []))

t.test(
  'a viewer for whose view there is no room has to come again, and is served then',
  async t => {
    const show = large(25_000)
    const { rig } = show
    const model = join(show, one, 'a')
    join(show, two, 'b')
    rig.work()
    const [refused, ...more] = rig.got(two)
    t.match(refused, { type: 'refused', doc, code: 'FANFOLD_OVERLOADED' })
    const wait = refused?.type === 'refused' ? refused.retryAfter : undefined
    t.ok(wait !== undefined && wait >= 500 && wait < 2_500, `${wait}`)
    t.same(more, [])
    rig.finish()
    t.equal(model.take(rig.got(one)).view?.['n'], 0)
    rig.pass(100_000)
    rig.finish()
    show.change(put('/n', 1))
    t.same(rig.got(two), [], 'the edge has let the request go')
    rig.request(two, { type: 'viewState', doc, viewState: 1 })
    t.match(rig.got(two), [{ type: 'refused', code: 'FANFOLD_NOT_OBSERVED' }])
    rig.observe(two)
    rig.finish()
    t.equal(new Model().take(rig.got(two)).view?.['n'], 1)
  },
)

t.test('what is said of when to come again differs from viewer to viewer', async t => {
  const show = large(25_000)
  join(show, one, 'a')
  const waits = new Set<number | undefined>()
  for (let number = 2; number < 12; number++) {
    join(show, viewer(number), 'b')
    for (const { retryAfter } of refusals(show.rig.got(viewer(number)))) waits.add(retryAfter)
  }
  t.ok(waits.size > 5, `${waits.size}`)
})

t.test('who sees the same as one that is sent a view needs no other', async t => {
  const show = large(25_000)
  for (const id of [one, two, three]) join(show, id, 'a')
  show.rig.work()
  t.equal(transfersOf(show.rig.effects()).length, 3)
  const { largeViewBytes } = show.rig.edge
  t.ok(largeViewBytes > 10_000 && largeViewBytes < 13_000, `${largeViewBytes}`)
})

t.test('a view counts until the last who is sent it has it, leaves, moves or is gone', async t => {
  for (const what of ['has it', 'leaves', 'moves', 'is refused', 'is gone'] as const) {
    const show = large(250_000, 1_100)
    const { rig } = show
    join(show, one, 'a')
    join(show, two, 'a')
    rig.work()
    rig.sendOn(one)
    const isRoom = (): boolean => {
      join(show, three, 'b')
      const isServed = refusals(rig.got(three)).length === 0
      rig.take({ kind: 'viewer-closed', viewer: three })
      return isServed
    }
    t.notOk(isRoom(), `${what}: it is on its way to another`)
    rig.sendOn(two, 2)
    t.notOk(isRoom(), `${what}: and not there yet`)
    if (what === 'has it') rig.sendOn(two)
    else if (what === 'leaves') rig.request(two, { type: 'leave', doc })
    else if (what === 'moves') rig.renew(two, { claims: { hand: 'c' } })
    else if (what === 'is refused') rig.renew(two, { documents: [] })
    else rig.take({ kind: 'viewer-closed', viewer: two })
    rig.finish()
    t.ok(isRoom(), what)
  }
})

t.test('a viewer whose view changes while there is no room is told to come again', async t => {
  const show = large(25_000)
  const { rig } = show
  const model = join(show, one, 'a')
  rig.finish()
  model.take(rig.got(one))
  join(show, two, 'b')
  rig.work()
  rig.renew(one, { claims: { hand: 'c' } })
  t.match(rig.got(one), [{ type: 'refused', code: 'FANFOLD_OVERLOADED', retryAfter: Number }])
  show.change(put('/n', 1))
  t.same(rig.got(one), [], 'it is shown nothing of a view that is not its own')
  rig.finish()
  rig.observe(one)
  rig.finish()
  const { view } = new Model().take(rig.got(one))
  t.match(view, { n: 1, hands: { c: 3 } })
})

t.test('a view of more than the limit comes to its viewers, one after the other', async t => {
  const show = large(1)
  const { rig } = show
  const model = join(show, one, 'a')
  join(show, two, 'b')
  t.match(rig.got(two), [{ type: 'refused', code: 'FANFOLD_OVERLOADED', retryAfter: Number }])
  rig.work()
  show.change(put('/n', 1))
  rig.finish()
  t.equal(model.take(rig.got(one)).view?.['n'], 1)
  t.equal(model.problem, undefined)
  rig.observe(two)
  rig.finish()
  t.match(new Model().take(rig.got(two)).view, { n: 1, hands: { b: 2 } })
})

t.test('a view that nobody is sent is kept for a minute, and no longer', async t => {
  const show = large(1_000_000)
  const { rig } = show
  join(show, one, 'a')
  rig.finish()
  rig.pass(50_000)
  rig.effects()
  join(show, two, 'a')
  t.equal(transfersOf(rig.effects()).length, 1, 'at once: it is there')
  rig.finish()
  rig.pass(50_000)
  t.ok(rig.edge.largeViewBytes > 10_000, 'from then on')
  rig.pass(30_000)
  t.equal(rig.edge.largeViewBytes, 0)
  join(show, three, 'a')
  t.equal(transfersOf(rig.effects()).length, 0)
  rig.finish()
  t.match(new Model().take(rig.got(three)).view, { hands: { a: 1 } })
})

t.test('a view that nothing leads on from is not kept', async t => {
  const show = large(1_000_000)
  join(show, one, 'a')
  show.rig.finish()
  for (let n = 0; n < 1_100; n++) show.change(put('/n', n))
  t.equal(show.rig.edge.largeViewBytes, 0)
})

t.test('what follows a view counts as well', async t => {
  const show = large(1_000_000)
  join(show, one, 'a')
  show.rig.finish()
  const before = show.rig.edge.largeViewBytes
  show.change(put('/n', 'x'.repeat(1_000)))
  const more = show.rig.edge.largeViewBytes - before
  t.ok(more > 1_000 && more < 1_500, `${more}`)
})

t.test('a view that turns out larger than there is room for goes to nobody', async t => {
  const show = large(45_000)
  const { rig } = show
  for (const [id, hand] of [
    [one, 'a'],
    [two, 'b'],
  ] as const) {
    join(show, id, hand)
    rig.finish()
  }
  show.change(put('/late', rows(180)))
  rig.pass(100_000)
  t.equal(rig.edge.largeViewBytes, 0)
  show.change(put('/isLate', true))
  rig.effects()
  const asked = (): number => rig.effects().filter(({ kind }) => kind === 'worker-view').length
  join(show, three, 'a')
  join(show, viewer(4), 'b')
  t.equal(asked(), 2, 'as far as is known they fit')
  rig.work()
  t.match(rig.got(viewer(4)), [{ type: 'refused', code: 'FANFOLD_OVERLOADED', retryAfter: Number }])
  rig.observe(viewer(4))
  t.equal(refusals(rig.got(viewer(4))).length, 1)
  t.equal(asked(), 0, 'none is made in vain')
  t.ok(rig.edge.largeViewBytes < 45_000, `${rig.edge.largeViewBytes}`)
  rig.finish()
  t.same(new Model().take(rig.got(three)).view?.['late'], rows(180))
  rig.observe(viewer(4))
  rig.finish()
  t.match(new Model().take(rig.got(viewer(4))).view, { late: rows(180), hands: { b: 2 } })
})

const viewersMax = 5
const limit = 45_000
const step = fc.record({
  what: fc.constantFrom(
    ...(['observe', 'observe', 'observe', 'leave', 'close', 'lag', 'drain', 'renew'] as const),
    ...(['work', 'work', 'send', 'send', 'change', 'cut', 'fail', 'define', 'pass'] as const),
  ),
  viewer: fc.nat(viewersMax - 1),
  hand: fc.constantFrom(...hands),
  number: fc.nat(4),
  isFar: fc.boolean(),
})
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

/** An edge of which all is tried, and what its rim holds of large views. */
class Trial {
  readonly show = large(limit)
  readonly ids = Array.from({ length: viewersMax }, (_, at) => viewer(at + 1))
  readonly #frames = new Map<TransferId, readonly Uint8Array[]>()
  readonly #arrays: { readonly bytes: number; readonly frames: WeakRef<object> }[] = []
  readonly #replicas = new Set<WorkerReplicaId>()
  #change = 0

  constructor() {
    this.show.rig.offered.set('second', define({ observe: byClaims }))
    for (const [at, id] of this.ids.entries()) {
      this.show.rig.open(id, { claims: { hand: hands[at % hands.length] ?? 'a' } })
    }
  }

  take({ what, viewer: at, hand, number, isFar }: Step): void {
    const { rig, history } = this.show
    const id = this.ids[at] ?? one
    switch (what) {
      case 'observe':
        rig.observe(id, isFar ? { maxRate: 5 } : {})
        break
      case 'leave':
        rig.request(id, { type: 'leave', doc })
        break
      case 'close':
        rig.take({ kind: 'viewer-closed', viewer: id })
        rig.transfers.delete(id)
        rig.lagging.delete(id)
        rig.open(id, { claims: { hand } })
        break
      case 'renew':
        rig.renew(id, { claims: { hand } })
        break
      case 'lag':
        rig.lag(id)
        break
      case 'drain':
        rig.drain(id)
        break
      case 'work':
        rig.work()
        break
      case 'send':
        rig.sendOn(id, number)
        break
      case 'change':
        this.show.change(put('/n', 'y'.repeat(isFar ? 2_000 : ++this.#change)))
        break
      case 'define':
        history.define(isFar ? 'second' : 'first')
        rig.frame(history.last())
        break
      case 'cut':
        rig.closeParent()
        rig.openParent()
        rig.frame(...history.snapshot(isFar ? 0 : 239))
        rig.pass(1)
        break
      case 'fail':
        this.#fail()
        break
      case 'pass':
        rig.pass(isFar ? 30_000 : number)
    }
    this.#note()
  }

  /** Bytes that the rim holds. */
  get heldBytes(): number {
    const transfers = [...this.show.rig.transfers.values()]
    const frames = new Set(transfers.map(({ transfer }) => this.#frames.get(transfer) ?? []))
    return [...frames].reduce((sum, each) => sum + bytesOf(each), 0)
  }

  /** Bytes of views that something still refers to. */
  get livingBytes(): number {
    const living = this.#arrays.filter(({ frames }) => frames.deref() !== undefined)
    return living.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /** The test's own references go. */
  forget(): void {
    this.#frames.clear()
  }

  #fail(): void {
    const { rig } = this.show
    for (const replica of [...this.#replicas]) {
      this.#replicas.delete(replica)
      rig.answers.splice(0)
      rig.worker.perform({ kind: 'worker-close', replica })
      rig.take({ kind: 'worker-failed', replica, message: 'no room' })
    }
  }

  #note(): void {
    for (const effect of this.show.rig.effects()) {
      if (effect.kind === 'worker-open') this.#replicas.add(effect.replica)
      else if (effect.kind === 'worker-close') this.#replicas.delete(effect.replica)
      if (effect.kind !== 'viewer-transfer') continue
      const { transfer, frames } = effect
      const isNew = this.#arrays.every(before => before.frames.deref() !== frames)
      if (isNew) this.#arrays.push({ bytes: bytesOf(frames), frames: new WeakRef(frames) })
      this.#frames.set(transfer, frames)
    }
  }
}

t.test('whatever happens, what the rim holds is counted, and is nothing in the end', async t => {
  let refused = 0
  let most = 0
  const holds = fc.property(
    fc.array(step, { maxLength: 80, size: 'max' }),
    fc.boolean(),
    (steps, isDeleted) => {
      const trial = new Trial()
      const { rig, history } = trial.show
      for (const each of steps) {
        trial.take(each)
        const { largeViewBytes } = rig.edge
        most = Math.max(most, largeViewBytes)
        for (const id of trial.ids) refused += refusals(rig.got(id)).length
        if (trial.heldBytes > largeViewBytes) throw new Error(`${trial.heldBytes} at the rim`)
        if (largeViewBytes > limit) throw new Error(`${largeViewBytes} bytes`)
      }
      if (isDeleted) {
        history.delete()
        rig.frame(history.last())
      } else {
        for (const id of trial.ids) rig.request(id, { type: 'leave', doc })
      }
      if (rig.transfers.size > 0 || rig.edge.largeViewBytes !== 0) {
        throw new Error(`${rig.edge.largeViewBytes} bytes for nobody`)
      }
      for (let round = 0; round < 4; round++) rig.work()
      return rig.edge.largeViewBytes === 0
    },
  )
  t.doesNotThrow(() => fc.assert(holds, { numRuns: 150 }))
  t.ok(refused > 100 && most > limit / 2, `${refused} refusals, ${most} bytes`)
})

t.test('everybody is served in the end, however often there was no room', async t => {
  const holds = fc.property(fc.array(step, { maxLength: 40, size: 'max' }), steps => {
    const trial = new Trial()
    const { rig, history } = trial.show
    for (const each of steps) trial.take(each)
    const waiting = new Map(trial.ids.map(id => [id, new Model()]))
    for (const id of trial.ids) {
      rig.drain(id)
      rig.request(id, { type: 'leave', doc })
      rig.got(id)
    }
    for (let round = 0; round < 20 && waiting.size > 0; round++) {
      for (const id of waiting.keys()) if (round === 0) rig.observe(id)
      for (let time = 0; time < 4; time++) {
        rig.finish()
        rig.pass(250)
      }
      for (const [id, model] of [...waiting]) {
        const frames = rig.got(id)
        if (refusals(frames).length > 0) rig.observe(id)
        else if (model.take(frames).view?.['n'] === history.state['n']) waiting.delete(id)
      }
    }
    return waiting.size === 0
  })
  t.doesNotThrow(() => fc.assert(holds, { numRuns: 100 }))
})

/** Makes all go that nothing refers to. */
const collect = async (): Promise<void> => {
  setFlagsFromString('--expose-gc')
  // What a weak reference was asked for stays until the turn is over.
  await new Promise(resolve => setImmediate(resolve))
  runInNewContext('gc')()
}

t.test('what is counted of views that are made is what is still referred to', async t => {
  const still = step.filter(({ what }) => what !== 'change' && what !== 'fail')
  const cases = fc.sample(fc.array(still, { minLength: 20, maxLength: 60 }), {
    seed: 7,
    numRuns: 30,
  })
  let living = 0
  for (const steps of cases) {
    const trial = new Trial()
    for (const each of steps) trial.take(each)
    // None is being made.
    for (let round = 0; round < 6; round++) trial.take({ ...(steps[0] as Step), what: 'work' })
    for (const id of trial.ids) trial.show.rig.got(id)
    trial.forget()
    await collect()
    t.equal(trial.show.rig.edge.largeViewBytes, trial.livingBytes)
    living += trial.livingBytes
  }
  t.ok(living > 100_000, `${living}`)
})
