import { decodeUtf8 } from '@fanfold/kernel'
import { type DocumentKey, parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { type MadeView, type UnframedView, ViewFraming } from '../src/view-framing.ts'

const doc = parseDocumentKey('acme/match/final')
const other = parseDocumentKey('acme/match/other')

/** A view of so many pieces, and where it goes when it is made. */
function viewOf(
  count: number,
  key: DocumentKey = doc,
): UnframedView & { readonly made: readonly MadeView[] } {
  const made: MadeView[] = []
  const pieces = Array.from({ length: count }, (_, at) => new Uint8Array(65_536).fill(48 + at))
  return { doc: key, pieces, take: view => made.push(view), made }
}

t.test('a view of one slice has its frames at once', async t => {
  const framing = new ViewFraming()
  const small = viewOf(16)
  framing.add(small)
  t.notOk(framing.isDue)
  const [made] = small.made
  t.equal(made?.pieces, small.pieces)
  t.equal(made?.frames.length, 16)
  const text = decodeUtf8(made?.frames[3] ?? new Uint8Array(0))
  const head = '{"type":"snapshot-piece","doc":"acme/match/final","index":3,"pairs":'
  t.equal(text, `${head}${'3'.repeat(65_536)}}`)
})

t.test('a larger one has them a slice in each turn', async t => {
  const framing = new ViewFraming()
  const large = viewOf(100)
  framing.add(large)
  let turns = 1
  for (; framing.isDue; turns++) {
    t.same(large.made, [], 'and goes nowhere before')
    const over = framing.tick()
    t.equal(over, framing.isDue ? undefined : doc)
  }
  t.equal(turns, Math.ceil(100 / 16))
  t.equal(large.made[0]?.frames.length, 100)
})

t.test('views are made one after the other, in their order', async t => {
  const framing = new ViewFraming()
  const views = [viewOf(40), viewOf(1, other), viewOf(2)]
  for (const view of views) framing.add(view)
  t.same(
    views.map(({ made }) => made.length),
    [0, 0, 0],
  )
  const over = []
  while (framing.isDue) over.push(framing.tick())
  t.same(over, [undefined, doc, other, doc])
  t.same(
    views.map(({ made }) => made[0]?.frames.length),
    [40, 1, 2],
  )
})

t.test('nobody is told of the views of a document that began anew', async t => {
  const framing = new ViewFraming()
  const views = [viewOf(40), viewOf(40, other), viewOf(40)]
  for (const view of views) framing.add(view)
  framing.delete(doc)
  while (framing.isDue) framing.tick()
  t.same(
    views.map(({ made }) => made[0]?.frames.length),
    [undefined, 40, undefined],
  )
})
