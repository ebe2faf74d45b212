import t from 'tap'
import { SeenView } from '../src/seen-view.ts'
import { withoutAbove } from '../src/view-oracle.ts'
import { buildWorld, doc, looker } from './build-world.ts'

const state = {
  title: 'goal mkbbbbbbbbbbbb',
  phase: 'play',
  vault: { gold: 'mkcccccccccccc', notes: {} },
  roles: { s0: 'king', s1: 'pawn' },
}

t.test('a view is what the rules of its place in the log leave of the state', async t => {
  const { oracle, problems } = buildWorld(
    {
      privacy: [
        { pattern: '/title', kind: 'member', note: '' },
        { pattern: '/roles/*', kind: 'ownOrOver', note: '' },
      ],
      audience: 'self',
    },
    [state, { ...state, phase: 'over' }],
  )
  t.same(problems.messages, [])
  const view = (tier: number, seq: number) => {
    const sight = oracle.look(doc, seq, looker(tier), undefined)
    return sight.kind === 'seen' ? JSON.parse(sight.json) : sight.kind
  }
  t.match(view(1, 2), { title: state.title, roles: { s0: 'king' } })
  t.strictSame(view(0, 2).title, undefined)
  t.strictSame(view(0, 2).roles, { s0: 'king' })
  t.strictSame(view(0, 3).roles, state.roles)
  t.equal(view(0, 1), 'absent')
  t.equal(view(0, 9), 'absent')
})

t.test('a document that was deleted is there for nobody, and its past as it was', async t => {
  const { oracle, problems } = buildWorld({}, [state], 'deleted')
  t.same(problems.messages, [])
  const kinds = [1, 2, 3, 4].map(seq => oracle.look(doc, seq, looker(1), undefined).kind)
  t.same(kinds, ['absent', 'seen', 'deleted', 'absent'])
  t.equal(oracle.markersBelow(doc, 3, 239).size, 0)
})

t.test('what has a label is for those who are cleared, behind no lower ceiling', async t => {
  const { oracle, problems } = buildWorld({ labels: [{ pattern: '/vault', label: 2, note: '' }] }, [
    state,
  ])
  t.same(problems.messages, [])
  const markersOf = (tier: number, ceiling: number) => {
    const sight = oracle.look(doc, 2, looker(tier, ceiling), undefined)
    return sight.kind === 'seen' ? [...sight.markers] : sight
  }
  t.same(markersOf(2, 239), ['mkbbbbbbbbbbbb', 'mkcccccccccccc'])
  t.same(markersOf(1, 239), ['mkbbbbbbbbbbbb'])
  t.same(markersOf(2, 1), { kind: 'refused', code: 'FANFOLD_ABOVE_CEILING' })
  t.same([...oracle.markersBelow(doc, 2, 1)], ['mkbbbbbbbbbbbb'])
  t.same([...oracle.markersBelow(doc, 2, 2)], ['mkbbbbbbbbbbbb', 'mkcccccccccccc'])
})

t.test('who is banned is refused, and a view state that is not taken is none', async t => {
  const { oracle } = buildWorld({ banned: ['s1'], view: 'page' }, [state])
  t.match(oracle.look(doc, 2, looker(0, 0, 's1'), undefined), { code: 'FANFOLD_FORBIDDEN' })
  const page = (viewState: unknown) => {
    const sight = oracle.look(doc, 2, looker(0), viewState)
    return sight.kind === 'seen' ? JSON.parse(sight.json).page : sight.kind
  }
  t.same([undefined, { page: 2 }, { page: 'x' }].map(page), [0, 2, 0])
})

t.test(
  'a rule that throws makes the view fail, or may, where a view need not look there',
  async t => {
    const rules = { privacy: [{ pattern: '/roles/*', kind: 'broken', note: '' }] } as const
    const broken = { ...state, phase: 'broken' }
    t.match(buildWorld(rules, [broken]).oracle.look(doc, 2, looker(0), undefined), {
      kind: 'failed',
    })
    const viewed = buildWorld({ ...rules, view: 'page' }, [broken])
    t.match(viewed.oracle.look(doc, 2, looker(0), undefined), { kind: 'seen', mayFail: true })
  },
)

t.test('a difference is told from where it begins', async t => {
  const { oracle } = buildWorld({}, [state])
  const place = { doc, place: 2 }
  t.equal(
    oracle.differsAt(place, looker(0), undefined, SeenView.of(structuredClone(state))),
    undefined,
  )
  t.match(
    oracle.differsAt(place, looker(0), undefined, SeenView.of({ ...state, phase: 'over' })),
    /differs at character \d+: .*over.*the log makes .*play/,
  )
})

t.test('a state below a ceiling is without what a higher label is on', async t => {
  const labels = [
    { pattern: '/vault/notes', label: 1 },
    { pattern: '/roles/*', label: 2 },
  ]
  t.same(withoutAbove(state, labels, 2), state)
  t.same(withoutAbove(state, labels, 1), { ...state, roles: {} })
  t.same(withoutAbove(state, labels, 0), { ...state, roles: {}, vault: { gold: state.vault.gold } })
})
