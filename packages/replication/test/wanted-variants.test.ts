import { sha256 } from '@fanfold/conformance'
import { Prng, toHex } from '@fanfold/kernel'
import { type LinkEffect, limits } from '@fanfold/protocol'
import t from 'tap'
import { HeldVariants } from '../src/held-variants.ts'
import { defaultVariantLimits, type VariantLimits, WantedVariants } from '../src/wanted-variants.ts'
import { at, framesOf, link } from './build-stream.ts'
import { variantOf } from './build-variant.ts'

const askedMax = limits.variantsAskedMax.value
const one = variantOf('one')
const many = Array.from({ length: askedMax + 3 }, (_, index) => variantOf(`variant ${index}`))

/** What a node wants, what it asks for and what it is told. */
class Rig {
  readonly told: { name: string; isHere: boolean }[] = []
  readonly held = new HeldVariants(1_000_000)
  readonly wanted: WantedVariants
  onTold: ((name: string) => void) | undefined
  nowMs = 0
  readonly #effects: LinkEffect[] = []

  constructor(limits: Partial<VariantLimits> = {}) {
    this.wanted = new WantedVariants({
      sha256,
      prng: new Prng('variants'),
      limits: { ...defaultVariantLimits, ...limits },
      answerMaxMs: 2_000,
      held: this.held,
      tell: (name, variant) => {
        this.told.push({ name, isHere: variant !== undefined })
        this.onTold?.(name)
      },
    })
  }

  attach(...numbers: number[]): void {
    this.wanted.attach(numbers.map(link))
    this.pass(0)
  }

  want(...names: string[]): void {
    for (const name of names) this.wanted.want(name)
    this.pass(0)
  }

  pass(ms: number): void {
    this.nowMs += ms
    this.wanted.tick(at(this.nowMs), this.#effects)
  }

  /** Passes the time up to the next thing that is due; how long it was, ms. */
  passWait(): number {
    const wait = ((this.wanted.wakeAt() ?? 0) - at(this.nowMs)) / 1_000
    this.pass(wait)
    return wait
  }

  take({ variant }: typeof one, from = 1): void {
    this.wanted.receive({ kind: 'variant', variant }, link(from), at(this.nowMs), this.#effects)
  }

  takeNone({ variant }: typeof one, from = 1): void {
    const frame = { kind: 'no-variant', hash: variant.hash } as const
    this.wanted.receive(frame, link(from), at(this.nowMs), this.#effects)
  }

  /** Names asked for since the last time, and of which link. */
  asked(): { name: string; of: number }[] {
    return this.#effects
      .splice(0)
      .flatMap(effect =>
        framesOf([effect]).flatMap(frame =>
          frame.kind === 'request-variant' ? { name: toHex(frame.hash), of: effect.link } : [],
        ),
      )
  }

  toldNow(): { name: string; isHere: boolean }[] {
    return this.told.splice(0)
  }
}

t.test('what is wanted is asked for once, and told and kept when it comes', async t => {
  const rig = new Rig()
  rig.attach(1)
  rig.want(one.name, one.name)
  t.same(rig.asked(), [{ name: one.name, of: 1 }])
  t.same(rig.toldNow(), [])
  rig.take(one)
  t.same(rig.toldNow(), [{ name: one.name, isHere: true }])
  t.same(rig.held.get(one.name), one.variant)
  t.match(rig.wanted, { count: 0, isPumpDue: false })
  t.equal(rig.wanted.wakeAt(), undefined)
})

t.test('what is kept is in memory of its own', async t => {
  const rig = new Rig()
  rig.attach(1)
  rig.want(one.name)
  const frame = Buffer.concat([new Uint8Array(100), one.variant.code])
  const { variant } = one
  rig.take({ ...one, variant: { ...variant, code: frame.subarray(100) } })
  t.equal(rig.held.get(one.name)?.code.buffer.byteLength, variant.code.length)
})

t.test('what is at hand is told without asking, in the next turn', async t => {
  const rig = new Rig()
  rig.held.put(one.name, one.variant)
  rig.attach(1)
  rig.wanted.want(one.name)
  t.same(rig.told, [])
  t.ok(rig.wanted.isPumpDue)
  rig.pass(0)
  t.same(rig.toldNow(), [{ name: one.name, isHere: true }])
  t.same(rig.asked(), [])
})

t.test('what the parent has not is told, and asked for again after waits that grow', async t => {
  const rig = new Rig()
  rig.attach(1)
  rig.want(one.name)
  const waits: number[] = []
  for (let round = 0; round < 12; round++) {
    t.equal(rig.asked().length, 1)
    rig.takeNone(one)
    t.same(rig.toldNow(), [{ name: one.name, isHere: false }])
    waits.push(rig.passWait())
  }
  for (const [round, wait] of waits.entries()) {
    const step = Math.min(5_000, 50 * 2 ** round)
    t.ok(wait >= step / 2 && wait <= step, `${wait} in ${step}`)
  }
})

t.test('no answer is as the answer that there is none', async t => {
  const rig = new Rig()
  rig.attach(1)
  rig.want(one.name)
  rig.asked()
  rig.pass(1_999)
  t.same(rig.toldNow(), [])
  rig.pass(1)
  t.same(rig.toldNow(), [{ name: one.name, isHere: false }])
  t.ok(rig.passWait() <= 50)
  t.equal(rig.asked().length, 1)
})

t.test('an answer that comes late is an answer', async t => {
  const rig = new Rig()
  rig.attach(1)
  rig.want(one.name)
  rig.pass(2_000)
  rig.take(one)
  t.same(rig.toldNow().at(-1), { name: one.name, isHere: true })
  t.equal(rig.wanted.wakeAt(), undefined)
})

t.test('a new parent is asked at once, whatever the wait was', async t => {
  const rig = new Rig()
  rig.attach(1)
  rig.want(one.name)
  rig.takeNone(one)
  rig.asked()
  rig.attach(2)
  t.same(rig.asked(), [{ name: one.name, of: 2 }])
  rig.takeNone(one, 2)
  t.ok(rig.passWait() <= 50, 'and the waits begin anew')
})

t.test('without a parent it is told that there is none, and the next one is asked', async t => {
  const rig = new Rig()
  rig.want(one.name)
  t.same(rig.toldNow(), [{ name: one.name, isHere: false }])
  t.notOk(rig.wanted.isPumpDue)
  rig.attach(1)
  t.same(rig.asked(), [{ name: one.name, of: 1 }])
  rig.attach()
  t.same(rig.toldNow(), [{ name: one.name, isHere: false }])
  t.equal(rig.wanted.count, 1)
})

t.test('of several parents one is asked after the other, and then it cannot be had', async t => {
  const rig = new Rig()
  rig.attach(1, 2, 3)
  rig.want(one.name)
  t.same(rig.asked(), [{ name: one.name, of: 1 }])
  rig.takeNone(one, 2)
  t.same(rig.asked(), [], 'nothing was asked of the second one')
  rig.takeNone(one, 1)
  t.same(rig.asked(), [{ name: one.name, of: 2 }])
  rig.pass(2_000)
  t.same(rig.asked(), [{ name: one.name, of: 3 }], 'one that is silent has none')
  t.same(rig.toldNow(), [])
  rig.takeNone(one, 3)
  t.same(rig.toldNow(), [{ name: one.name, isHere: false }])
  t.ok(rig.passWait() <= 50)
  t.same(rig.asked(), [{ name: one.name, of: 1 }], 'and all are asked anew')
})

t.test(
  'when a parent comes who is asked goes on, and when it goes the others are asked',
  async t => {
    const rig = new Rig()
    rig.attach(1)
    rig.want(one.name)
    rig.asked()
    rig.attach(2, 1)
    t.same(rig.asked(), [])
    rig.takeNone(one, 1)
    t.same(rig.asked(), [{ name: one.name, of: 2 }])
    rig.attach(1)
    t.same(rig.asked(), [{ name: one.name, of: 1 }])
    rig.take(one, 1)
    t.same(rig.toldNow(), [{ name: one.name, isHere: true }])
  },
)

t.test('what nobody wants any more is not asked for, told or kept', async t => {
  const rig = new Rig()
  rig.attach(1)
  rig.want(one.name)
  rig.asked()
  rig.wanted.unwant(one.name)
  rig.takeNone(one)
  rig.take(one)
  rig.pass(10_000)
  t.same(rig.told, [])
  t.same(rig.asked(), [])
  t.equal(rig.held.count, 0)
})

t.test('a text that is not the one of its name is refused, and the name still wanted', async t => {
  const rig = new Rig()
  rig.attach(1)
  rig.want(one.name)
  const wrong = { ...one, variant: { ...one.variant, code: new Uint8Array(3) } }
  t.throws(() => rig.take(wrong), { name: 'ProtocolError', code: 'FANFOLD_BAD_FRAME' })
  t.same(rig.told, [])
  t.equal(rig.held.count, 0)
  rig.asked()
  rig.attach(2)
  t.same(rig.asked(), [{ name: one.name, of: 2 }])
})

t.test('a wrong text under a name that nobody wants is nothing', async t => {
  const rig = new Rig()
  rig.attach(1)
  rig.take({ ...one, variant: { ...one.variant, code: new Uint8Array(3) } })
  t.equal(rig.held.count, 0)
})

t.test('at the limit all are asked for; the next ones when there is room', async t => {
  const rig = new Rig()
  rig.attach(1)
  rig.want(...many.map(({ name }) => name))
  t.equal(rig.asked().length, askedMax)
  t.notOk(rig.wanted.isPumpDue)
  if (many[0] !== undefined) rig.take(many[0])
  if (many[1] !== undefined) rig.takeNone(many[1])
  t.same(
    rig.asked().map(({ name }) => name),
    many.slice(askedMax, askedMax + 2).map(({ name }) => name),
  )
  rig.pass(2_000)
  t.equal(rig.asked().length, 2, 'the one without room so far, and the one that has waited')
})

t.test('as many as may be are wanted, one more is not', async t => {
  const rig = new Rig({ wantedMax: 2 })
  t.ok(rig.wanted.want('00'.repeat(32)))
  t.ok(rig.wanted.want('01'.repeat(32)))
  t.notOk(rig.wanted.want('02'.repeat(32)))
  t.ok(rig.wanted.want('01'.repeat(32)), 'once more is no more')
  t.equal(rig.wanted.count, 2)
})

t.test('who wants it again when told that there is none is told in a later turn', async t => {
  const rig = new Rig()
  rig.onTold = name => {
    rig.wanted.unwant(name)
    rig.wanted.want(name)
  }
  rig.want(one.name)
  t.equal(rig.toldNow().length, 1)
  rig.pass(0)
  t.equal(rig.toldNow().length, 1)
})
