import type { EdgeDefinition } from '@fanfold/definition'
import type { JsonObject, PatchOperation } from '@fanfold/document'
import t from 'tap'
import { StagedChange } from '../src/staged-change.ts'
import { ViewRules } from '../src/view-rules.ts'
import { define, everybody, itself } from './build-view.ts'

const definition = define({
  '/odds': everybody,
  '/hands/*': itself,
  '/roles/*': { reads: ['/phase'], allow: everybody },
  '/bids/*/price': everybody,
})

const state = (): JsonObject => ({
  odds: 1,
  hands: { anna: [1, 2] },
  roles: { anna: 'fox', ben: 'owl' },
  phase: 1,
  bids: [{ price: 1 }, { price: 2 }],
  plain: { a: { b: 1 } },
})

const staged = (patch: PatchOperation[], rules: EdgeDefinition = definition): StagedChange =>
  new StagedChange(new ViewRules(rules), state(), patch)

const pointersOf = ({ regions, locations, gates }: StagedChange): unknown => ({
  regions: regions.map(({ place }) => place.pointer),
  locations: locations.map(({ pointer }) => pointer),
  gates: gates.map(({ pointer }) => pointer),
})

t.test('a place with no rule below it is a region, at the depth where patterns end', async t => {
  const change = staged([
    { op: 'replace', path: '/plain/a/b', value: 2 },
    { op: 'add', path: '/hands/anna/0', value: 0 },
    { op: 'add', path: '/plain/c', value: 3 },
  ])
  t.same(pointersOf(change), { regions: ['/plain', '/hands/anna'], locations: [], gates: [] })
  t.ok(change.isAllRegions)
})

t.test('a place with rules below it is a location, and so is an array with such', async t => {
  const hands = staged([{ op: 'replace', path: '/hands', value: {} }])
  t.same(pointersOf(hands), { regions: [], locations: ['/hands'], gates: [] })
  const bids = staged([{ op: 'replace', path: '/bids/1/price', value: 3 }])
  t.same(pointersOf(bids), { regions: [], locations: ['/bids'], gates: [] })
  t.notOk(bids.isAllRegions)
})

t.test('regions, locations and gates within a location are part of it', async t => {
  const all = { ...state(), odds: 2, phase: 2 }
  const change = staged([
    { op: 'replace', path: '/odds', value: 2 },
    { op: 'replace', path: '/hands', value: {} },
    { op: 'replace', path: '', value: all },
  ])
  t.same(pointersOf(change), { regions: [], locations: [''], gates: [] })
})

t.test('what a rule reads makes gates of its places that hold something', async t => {
  const change = staged([{ op: 'replace', path: '/phase', value: 2 }])
  t.same(pointersOf(change), {
    regions: ['/phase'],
    locations: [],
    gates: ['/roles/anna', '/roles/ben'],
  })
})

t.test('where nobody sees anything nothing is looked at, and not all is told', async t => {
  const closed = define({ '/odds': everybody }, { isOpen: false })
  const change = staged(
    [
      { op: 'replace', path: '/odds', value: 2 },
      { op: 'replace', path: '/phase', value: 2 },
    ],
    closed,
  )
  t.same(pointersOf(change), { regions: ['/odds'], locations: [], gates: [] })
  t.notOk(change.isAllRegions)
})

t.test('a patch that leads to where it started is idle', async t => {
  const change = staged([
    { op: 'replace', path: '/phase', value: 2 },
    { op: 'replace', path: '/phase', value: 1 },
  ])
  t.ok(change.isIdle)
  t.same(pointersOf(change), { regions: [], locations: [], gates: [] })
})

t.test('a region tells what it comes to where a value was lost on the way', async t => {
  const change = staged([
    { op: 'replace', path: '/odds', value: 'a slip' },
    { op: 'replace', path: '/odds', value: 2 },
    { op: 'replace', path: '/plain/a/b', value: 2 },
  ])
  change.prepare()
  t.ok(change.isLossy)
  t.notOk(change.isAllRegions)
  t.same(
    change.regions.map(region => region.texts()),
    [
      ['{"op":"replace","path":"/odds","value":2}'],
      ['{"op":"replace","path":"/plain/a/b","value":2}'],
    ],
  )
})

t.test(
  'a patch that does not fit is a change of the root, of which no bytes may go out',
  async t => {
    const change = staged([{ op: 'remove', path: '/nothing' }])
    t.same(pointersOf(change), { regions: [], locations: [''], gates: [] })
    t.ok(change.isLossy)
  },
)

t.test('an operation is told with what it needs and nothing else', async t => {
  const operation: PatchOperation = { op: 'replace', path: '/odds', value: 2 }
  const change = staged([Object.assign(operation, { note: 'for the log' })])
  change.prepare()
  t.same(change.regions[0]?.texts(), ['{"op":"replace","path":"/odds","value":2}'])
})
