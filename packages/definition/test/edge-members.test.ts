import t from 'tap'
import { z } from 'zod'
import {
  type DeepPartial,
  DefinitionError,
  type DocumentDefinition,
  defineDocument,
  type EdgeDefinition,
  everybody,
  type JsonObject,
  message,
  nobody,
  type StateOf,
  type ViewOf,
  type ViewStateOf,
} from '../src/index.ts'

type Game = {
  phase: string
  odds: Record<string, number>
  hands: Record<string, { cards: string[] }>
  roles: Record<string, string>
}
const emptyGame = (): Game => ({ phase: 'day', odds: {}, hands: {}, roles: {} })

// As an author writes it: nothing is annotated but the state.
const game = defineDocument({
  type: 'game',
  state: emptyGame,
  messages: {
    phase: message(z.string(), (game, phase) => {
      game.phase = phase
    }),
  },
  observe: {
    allow: viewer => viewer.id !== 'banned',
    audience: viewer => ({ premium: viewer.claims['plan'] === 'premium', id: viewer.id }),
    clearance: audience => (audience.premium ? 2 : 0),
    numbering: 'dense',
  },
  privacy: {
    '/odds': audience => audience.premium,
    '/hands/*': (audience, { key }) => key === audience.id,
    '/roles/*': {
      reads: ['/phase'],
      allow: (audience, { key, reads }) => reads['/phase'] === 'over' || key === audience.id,
    },
    '/phase': everybody,
    '/**': nobody,
  },
  labels: { '/roles/*': 2, '/odds': 1 },
  viewState: z.object({ page: z.number() }),
  view: (visible, audience, viewState) => ({
    phase: visible.phase ?? 'night',
    page: viewState?.page ?? 0,
    me: audience.id,
  }),
})

const typeChecks = (): void => {
  defineDocument({
    type: 'game',
    state: emptyGame,
    messages: {},
    observe: { allow: () => true, audience: () => ({ id: '', tags: [''] }) },
    privacy: {
      // @ts-expect-error: the audience has no such member
      '/odds': audience => audience.premium,
      // @ts-expect-error: a rule changes nothing
      '/phase': audience => audience.tags.push('x') > 0,
      // @ts-expect-error: a rule says yes or no
      '/roles': () => 1,
    },
  })
  defineDocument({
    type: 'game',
    state: emptyGame,
    messages: {},
    // @ts-expect-error: a view changes nothing
    view: visible => ({ n: visible.odds['a']++ }),
  })
  defineDocument({
    type: 'game',
    state: emptyGame,
    messages: {},
    privacy: { '/odds': nobody },
    // @ts-expect-error: what a rule may hide may be missing
    view: visible => ({ n: visible.odds['a'] }),
  })
}
void typeChecks

/** Compiles only when both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(_: Same<A, B>): void => undefined

const plain = { type: 'game', state: emptyGame, messages: {} }

t.test('types flow from the literal', async t => {
  same<StateOf<typeof game>, Game>(true)
  same<ViewOf<typeof game>, { phase: string; page: number; me: string }>(true)
  same<ViewStateOf<typeof game>, { page: number }>(true)

  const open = defineDocument({ ...plain, observe: { allow: () => true } })
  same<ViewOf<typeof open>, Game>(true)
  same<ViewStateOf<typeof open>, undefined>(true)
  const ruled = defineDocument({ ...plain, privacy: { '/odds': nobody } })
  same<ViewOf<typeof ruled>, DeepPartial<Game>>(true)
  const labelled = defineDocument({ ...plain, labels: { '/odds': 1 } })
  same<ViewOf<typeof labelled>, DeepPartial<Game>>(true)
  same<DeepPartial<Game>['hands'], { [x: string]: { cards?: string[] } | undefined } | undefined>(
    true,
  )

  const forEdges: EdgeDefinition = game
  const ofAny: DocumentDefinition = game
  t.equal(forEdges, ofAny)
})

t.test('rules, labels and the policy come out checked, in order and frozen', async t => {
  const { observe, rules, isOpen, labels } = game
  t.equal(isOpen, false)
  t.same(
    rules.map(({ pattern, reads }) => [pattern.text, reads.map(({ text }) => text)]),
    [
      ['/odds', []],
      ['/hands/*', []],
      ['/roles/*', ['/phase']],
      ['/phase', []],
    ],
  )
  t.equal(rules[3]?.allow, everybody)
  t.same(labels, [
    { pattern: '/odds', label: 1 },
    { pattern: '/roles/*', label: 2 },
  ])
  const audience = observe?.audience({ id: 'ann', claims: { plan: 'premium' } })
  t.same(audience, { premium: true, id: 'ann' })
  t.equal(observe?.clearance(audience), 2)
  t.equal(observe?.numbering, 'dense')
  t.equal(observe?.allow({ id: 'banned', claims: {} }), false)
  const context = { key: 'ann', keys: ['ann'], reads: { '/phase': 'day' } }
  t.equal(rules[2]?.allow(audience, context), true)
  t.equal(rules[2]?.allow(audience, { ...context, key: 'bob' }), false)
  for (const one of [game, observe, rules, rules[0], labels, labels[0]]) t.ok(Object.isFrozen(one))
})

t.test('what is not declared is closed for observing and open for seeing', async t => {
  const { observe, rules, isOpen, labels, view, viewState } = defineDocument(plain)
  t.same(
    { observe, rules, isOpen, labels, view, viewState },
    {
      observe: undefined,
      rules: [],
      isOpen: true,
      labels: [],
      view: undefined,
      viewState: undefined,
    },
  )
  const policy = defineDocument({ ...plain, observe: { allow: () => true } }).observe
  t.same(policy?.audience({ id: 'a', claims: {} }), {})
  t.equal(policy?.clearance({}), 0)
  t.equal(policy?.numbering, 'document')
})

t.test('only true is permission, and a clearance that is no label is none', async t => {
  const loose = {
    ...plain,
    observe: { allow: async () => true, clearance: () => 240 },
    privacy: { '/odds': () => 1, '/hands': async () => true },
  }
  const made: EdgeDefinition = Reflect.apply(defineDocument, undefined, [loose])
  t.equal(made.observe?.allow({ id: 'a', claims: {} }), false)
  t.throws(() => made.observe?.clearance({}), /a label, 0 … 239/)
  const context = { key: '', keys: [], reads: {} }
  for (const rule of made.rules) t.equal(rule.allow({}, context), false)
})

/** What `defineDocument` says about a literal that the compiler would not let through. */
function problemsOf(members: object): readonly string[] {
  try {
    Reflect.apply(defineDocument, undefined, [{ ...plain, ...members }])
    return []
  } catch (error) {
    if (error instanceof DefinitionError) return error.problems
    throw error
  }
}

t.test('everything that is wrong is named at once, with its place', async t => {
  t.match(
    problemsOf({
      observe: { audience: 1, clearance: 2, numbering: 'sparse', allowed: true },
      privacy: {
        '': nobody,
        odds: nobody,
        '/a/**': nobody,
        '/**/a': nobody,
        '/a/__proto__': nobody,
        '/b': true,
        '/c': { reads: ['/x/*', 7, '/y/**'], allow: nobody, more: 1 },
        '/d': { reads: Array(17).fill('/x'), allow: nobody },
        '/**': () => false,
      },
      labels: { '/a': 0, '/b': 240, '/c': 1.5, '/**': 1, '/d': '1' },
      view: {},
      viewState: z.string,
    }),
    [
      /^observe.allowed: this version/,
      /^observe.allow: a function/,
      /^observe.audience: a function/,
      /^observe.clearance: a function/,
      /^observe.numbering: 'document' or 'dense'/,
      /^privacy.: a pattern is/,
      /^privacy.odds: a pattern is/,
      /^privacy.\/a\/\*\*: a pattern is/,
      /^privacy.\/\*\*\/a: a pattern is/,
      /^privacy.\/a\/__proto__: a pattern is/,
      /^privacy.\/b: a rule is/,
      /^privacy.\/c.more: this version/,
      /^privacy.\/c.reads: 7: a path is/,
      /^privacy.\/c.reads: \/y\/\*\*: a path is/,
      /^privacy.\/d.reads: at most 16 paths, got 17/,
      /^privacy.\/\*\*: it takes nobody or everybody/,
      /^labels.\/a: an integer, 1 … 239/,
      /^labels.\/b: an integer/,
      /^labels.\/c: an integer/,
      /^labels.\/\*\*: a pattern is/,
      /^labels.\/d: an integer/,
      /^privacy.\/c.reads: \/x\/\* has more \* than the pattern, 0/,
      /^view: a function/,
      /^viewState: the schema/,
    ],
  )
  t.match(problemsOf({ viewState: z.string() }), [/^viewState: there is no view/])
  t.match(problemsOf({ observe: () => true, privacy: [], labels: 1 }), [
    /^observe: an object/,
    /^privacy: an object/,
    /^labels: an object/,
  ])
})

t.test('rules and labels are bounded', async t => {
  const many = (count: number, value: (index: number) => unknown): object =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`/m${index}`, value(index)]))
  t.same(problemsOf({ privacy: many(256, () => nobody) }), [])
  t.same(problemsOf({ privacy: many(257, () => nobody) }), [
    'privacy: at most 256 patterns, got 257',
  ])
  t.same(problemsOf({ labels: many(256, () => 239) }), [])
  t.same(problemsOf({ labels: many(12, index => index + 1) }), [])
  t.same(problemsOf({ labels: many(13, index => index + 1) }), [
    'labels: at most 12 different labels, got 13',
  ])
})

const on = (...reads: string[]): object => ({ reads, allow: () => true })

t.test('rules that depend on each other in a circle are refused by their names', async t => {
  t.same(problemsOf({ privacy: { '/a': on('/b'), '/b': on('/c'), '/c': on('/d') } }), [])
  t.same(problemsOf({ privacy: { '/x': on('/a'), '/a': on('/b/deep'), '/b': on('/a') } }), [
    'privacy./a: rules depend on each other: /a → /b → /a',
  ])
  // A path above another rule's places, one below its own, and one that only may meet.
  t.match(problemsOf({ privacy: { '/a/b': on('/c'), '/c/d': on('/a') } }), [/\/a\/b → \/c\/d → /])
  t.match(problemsOf({ privacy: { '/hands/*': on('/hands/*/open') } }), [
    /\/hands\/\* → \/hands\/\*/,
  ])
  t.match(problemsOf({ privacy: { '/a/*': on('/b/*/c'), '/b/x': on('/a/y') } }), [/→/])
  t.match(problemsOf({ privacy: { '/a': on('') } }), [/\/a → \/a/])
})

t.test('under a closed default a collection has a rule for its members', async t => {
  const closed = (rules: object): readonly string[] =>
    problemsOf({ privacy: { ...rules, '/**': nobody } })
  t.same(closed({ '/hands/*/open': everybody }), [
    "privacy./hands/*/open: where '/**' is nobody, /hands/* needs a rule too",
  ])
  t.same(closed({ '/hands/*/open': everybody, '/hands/*': everybody }), [])
  t.same(closed({ '/hands/*/open': everybody, '/hands': everybody }), [])
  t.same(closed({ '/a/*/b/*/c': everybody, '/a/*': everybody, '/a/1/b/*': everybody }).length, 0)
  t.same(closed({ '/a~1/*/b': everybody }).length, 1)
  t.same(problemsOf({ privacy: { '/hands/*/open': everybody } }), [])
  t.same(problemsOf({ privacy: { '/hands/*/open': nobody, '/**': everybody } }), [])
})

t.test('a rule depends on nothing that has a higher label than what it guards', async t => {
  const labels = { '/secret': 2, '/deep/*/x': 1, '/guarded': 2 }
  const asking = (pattern: string, path: string): readonly string[] =>
    problemsOf({ labels, privacy: { [pattern]: on(path) } })
  t.same(asking('/open', '/secret/phase'), [
    'privacy./open.reads: /secret/phase may have label 2, and what the rule covers has 0: label it 2, or read something else',
  ])
  t.equal(asking('/open', '/deep').length, 1, 'a value may hold what has a label')
  t.same(asking('/guarded/*', '/secret/phase'), [])
  t.same(asking('/guarded', '/deep/1/x'), [])
  t.same(asking('/open', '/other'), [])
})

t.test('a view of any JSON has a type', async t => {
  const definition = defineDocument({
    type: 'any',
    state: (): JsonObject => ({}),
    messages: {},
    observe: { allow: () => true },
    privacy: { '/hidden': nobody },
    view: visible => ({ names: Object.keys(visible) }),
  })
  t.same(definition.view?.({ a: 1 }, {}, undefined), { names: ['a'] })
})
