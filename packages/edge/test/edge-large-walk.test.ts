/*
 * What is counted of large views, over all that viewers, workers and parents do: what the rim holds is
 * never more, and what something still refers to is the same.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { WorkerReplicaId } from '@fanfold/document'
import type { TransferId } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import { define, doc, viewer } from './edge-log.ts'
import { hands, large, refusals } from './hands.ts'
import { Model, put } from './history.ts'
import { byClaims } from './rules.ts'

const bytesOf = (frames: readonly Uint8Array[]): number =>
  frames.reduce((sum, { length }) => sum + length, 0)

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
    const id = this.ids[at] ?? viewer(1)
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
