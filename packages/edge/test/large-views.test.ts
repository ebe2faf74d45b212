import { type DocumentKey, documentName, parseDocumentKey } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import { type CountedView, LargeViews } from '../src/large-views.ts'

const docs = ['acme/match/one', 'acme/match/two', 'globe/match/one'].map(parseDocumentKey)
const [one, two, other] = docs as [DocumentKey, DocumentKey, DocumentKey]

/** A view as a test has it. */
class View implements CountedView {
  readonly doc: DocumentKey
  readonly #views: LargeViews
  bytes = 0
  isUsed = false
  isForgotten = false

  constructor(views: LargeViews, doc: DocumentKey) {
    this.#views = views
    this.doc = doc
  }

  count(bytes: number, isUsed: boolean): this {
    this.bytes = bytes
    this.isUsed = isUsed
    this.#views.count(this, bytes, isUsed)
    return this
  }

  forget(): void {
    this.bytes = 0
    this.isForgotten = true
    this.#views.forget(this)
  }
}

/** A view that is used, for which there was room. */
function use(views: LargeViews, doc: DocumentKey, bytes: number): View {
  t.ok(views.admit(doc, bytes), `there is room for ${bytes} of ${doc}`)
  return new View(views, doc).count(bytes, true)
}

t.test('views that nobody uses make room, the one used longest ago first', async t => {
  const views = new LargeViews(100)
  const [first, second] = [use(views, one, 40), use(views, other, 40)]
  second.count(40, false)
  first.count(40, false)
  use(views, two, 50)
  t.same([first.isForgotten, second.isForgotten], [false, true])
  t.equal(views.bytes, 90)
})

t.test('a view for which there is no room makes nobody go', async t => {
  const views = new LargeViews(100)
  use(views, one, 60)
  const idle = use(views, other, 20).count(20, false)
  t.notOk(views.admit(other, 41))
  t.notOk(idle.isForgotten)
  t.ok(views.admit(other, 40), 'at the limit')
  t.ok(idle.isForgotten)
})

t.test('a view of more than the limit is made while no other is used', async t => {
  const views = new LargeViews(100)
  const small = use(views, one, 10)
  t.notOk(views.admit(other, 101))
  small.count(10, false)
  const large = use(views, other, 101)
  t.ok(small.isForgotten)
  t.notOk(views.admit(one, 1))
  t.ok(views.grow(large, 1_000), 'as far as it is alone')
  large.forget()
  t.equal(views.bytes, 0)
  use(views, one, 10)
})

t.test(
  'a document has no more than it leaves free, and each next one half of the rest',
  async t => {
    const views = new LargeViews(800)
    const count = (doc: DocumentKey): number => {
      let more = 0
      for (; views.admit(doc, 10); more++) new View(views, doc).count(10, true)
      return more
    }
    t.equal(count(one), 40)
    t.equal(count(two), 20, 'a tenant no more than thrice that')
    t.equal(count(two), 0)
    t.equal(count(other), 10)
    t.ok(views.admit(parseDocumentKey('globe/match/two'), 10), 'a first one')
  },
)

t.test('a first view only has to fit', async t => {
  const views = new LargeViews(100)
  const first = use(views, one, 90)
  t.notOk(views.admit(two, 10), 'it is not the first of its tenant')
  t.notOk(views.admit(other, 11))
  use(views, other, 10)
  first.forget()
  t.ok(views.admit(other, 35))
  t.notOk(views.admit(other, 41))
})

t.test('a view that is used grows as long as all that is used fits', async t => {
  const views = new LargeViews(100)
  const [view, idle] = [use(views, one, 40), use(views, other, 30).count(30, false)]
  use(views, other, 20)
  t.ok(views.grow(view, 10), 'at the limit')
  t.notOk(idle.isForgotten)
  t.ok(views.grow(view, 40))
  t.ok(idle.isForgotten)
  t.notOk(views.grow(view, 41))
  t.ok(views.grow(view, -40), 'and shrinks')
})

t.test('what follows its views gives a tenant no more than another view', async t => {
  const views = new LargeViews(800)
  const made: View[] = []
  for (; views.admit(one, 10); ) made.push(use(views, one, 10))
  for (let round = 0; round < 10; round++) {
    for (const view of made) if (views.extend(view, 5)) view.count(view.bytes + 5, true)
  }
  t.equal(views.bytes, 600)
  const alone = use(views, other, 100)
  t.ok(views.extend(alone, 100), 'a first one only has to fit')
  t.notOk(views.extend(alone, 101))
})

t.test('one that was idle takes a share again', async t => {
  const views = new LargeViews(800)
  const made = Array.from({ length: 80 }, () => use(views, one, 10).count(10, false))
  let count = 0
  for (const view of made) {
    if (!views.mayUse(view)) continue
    view.count(10, true)
    count++
  }
  t.equal(count, 40)
  t.ok(made[0] && views.mayUse(made[0]), 'one that is used already takes no more')
  use(views, other, 10)
})

const step = fc.record({
  what: fc.constantFrom('make', 'make', 'use', 'rest', 'grow', 'extend', 'forget' as const),
  at: fc.nat(30),
  doc: fc.constantFrom(...docs),
  bytes: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 150 })),
})

t.test('whatever happens, all that is counted is what there is, and within the limit', async t => {
  const holds = fc.property(fc.array(step, { maxLength: 120 }), steps => {
    const views = new LargeViews(100)
    let made: View[] = []
    const sumOf = (some: readonly View[]): number => some.reduce((sum, { bytes }) => sum + bytes, 0)
    for (const { what, at, doc, bytes } of steps) {
      const view = made[at % Math.max(1, made.length)]
      const used = made.filter(({ isUsed }) => isUsed)
      if (what === 'make') {
        const ofTenant = used.filter(u => documentName(u.doc).tenant === documentName(doc).tenant)
        const isFirst = ofTenant.length === 0 && sumOf(used) + bytes <= 100
        const isAdmitted = views.admit(doc, bytes)
        if (!isAdmitted && (isFirst || used.length === 0)) throw new Error('a first one fits')
        if (isAdmitted) made.push(new View(views, doc).count(bytes, true))
      } else if (what === 'use') view?.count(view.bytes, true)
      else if (what === 'rest') view?.count(view.bytes, false)
      else if (what === 'forget') view?.forget()
      else if (view !== undefined) {
        const isRoom = what === 'grow' ? views.grow(view, bytes) : views.extend(view, bytes)
        if (isRoom) view.count(view.bytes + bytes, view.isUsed)
      }
      made = made.filter(({ isForgotten }) => !isForgotten)
      if (views.bytes !== sumOf(made)) throw new Error(`${views.bytes} of ${sumOf(made)} bytes`)
      if (views.bytes > 100 && made.length > 1) throw new Error(`${views.bytes} bytes`)
    }
    for (const view of made) view.forget()
    return views.bytes === 0
  })
  t.doesNotThrow(() => fc.assert(holds, { numRuns: 1_000 }))
})
