/*
 * Who sees what of a board: drawn as data, so that the text of an edge variant is that data, cut to its
 * ceiling, and an edge makes its definition of nothing else.
 */
import {
  covers,
  everybody,
  nobody,
  type ObserveSpec,
  type PatternText,
  type RuleSpec,
} from '@fanfold/definition'
import { type PathPattern, parsePathPattern } from '@fanfold/document'
import { assert, type Prng } from '@fanfold/kernel'
import { drawMarker } from './marker.ts'

/** What a rule asks; `broken` throws for some while the phase is that. */
export type RuleKind =
  | 'everybody'
  | 'nobody'
  | 'member'
  | 'premium'
  | 'own'
  | 'ownOrOver'
  | 'team'
  | 'even'
  | 'over'
  | 'broken'

/** One rule or one label, with a marker that its text has. */
export type Placed = { readonly pattern: PatternText; readonly note: string }

/** What a board's definition says of its crowd, besides what may be said, which is the same for all. */
export type CrowdRules = {
  readonly aggregatesPerSecond: number
  /** How often the document says how many watch, ms; undefined: it does not. */
  readonly presenceEveryMs: number | undefined
}

/** Everything that two definitions of boards differ in. */
export type BoardRules = {
  readonly isOpen: boolean
  readonly privacy: readonly (Placed & { readonly kind: RuleKind })[]
  readonly labels: readonly (Placed & { readonly label: number })[]
  /** What of a viewer is its audience: its tier, itself, or itself with a tier less. */
  readonly audience: 'tier' | 'self' | 'demoted'
  /** Who may not observe. */
  readonly banned: readonly string[]
  /** What viewers get of what is visible. */
  readonly view: 'visible' | 'page' | 'mine'
  /** Undefined where a crowd has nothing to say. */
  readonly crowd?: CrowdRules | undefined
}

/** What rules know of a viewer. */
export type BoardAudience = {
  readonly tier: number
  readonly id?: string | undefined
  readonly team?: string | undefined
}

/** Everybody sees everything. */
export const openRules: BoardRules = {
  isOpen: true,
  privacy: [],
  labels: [],
  audience: 'tier',
  banned: [],
  view: 'visible',
}

const pageRows = 4
const pages = 6

/** Draws what one definition says; some are open to all, some closed where nothing is said. */
export function drawRules(prng: Prng, subjects: readonly string[]): BoardRules {
  if (prng.chance(0.1)) return openRules
  const isOpen = prng.chance(0.7)
  const wanted = ruleChoices.filter(() => prng.chance(isOpen ? 0.5 : 0.8))
  const privacy = wanted.map(({ pattern, kinds }) => ({
    pattern,
    kind: prng.pick(kinds),
    note: drawMarker(prng),
  }))
  if (!isOpen) {
    // Under a closed default the members of a collection need a rule where one is below them.
    for (const pattern of ['/players/*', '/rows/*', '/vault/notes'] as const) {
      if (privacy.some(rule => rule.pattern === pattern)) continue
      privacy.push({ pattern, kind: 'everybody', note: drawMarker(prng) })
    }
  }
  const isLabelled = prng.chance(0.6)
  const labels = labelChoices
    .filter(() => isLabelled && prng.chance(0.4))
    .map(pattern => ({ pattern, label: 1 + prng.below(2), note: drawMarker(prng) }))
  return {
    isOpen,
    privacy,
    labels,
    audience: prng.pick(['tier', 'self', 'self', 'demoted']),
    banned: prng.chance(0.2) ? [prng.pick(subjects)] : [],
    view: prng.pick(['visible', 'visible', 'visible', 'page', 'mine']),
  }
}

/** The most aggregates per second that a definition allows. */
export const aggregatesPerSecondMax = 50

/** Draws what a definition says of its crowd. */
export function drawCrowd(prng: Prng): CrowdRules {
  return {
    aggregatesPerSecond: prng.pick([5, 10, 10, aggregatesPerSecondMax]),
    presenceEveryMs: prng.chance(0.7) ? prng.pick([100, 500, 1_000]) : undefined,
  }
}

const ruleChoices: readonly { pattern: PatternText; kinds: readonly RuleKind[] }[] = [
  { pattern: '/title', kinds: ['everybody', 'premium', 'member'] },
  { pattern: '/phase', kinds: ['everybody', 'member'] },
  { pattern: '/counters/*', kinds: ['everybody', 'member'] },
  { pattern: '/rows', kinds: ['everybody', 'member', 'over'] },
  { pattern: '/rows/*', kinds: ['even', 'everybody'] },
  { pattern: '/rows/*/marks', kinds: ['premium', 'over', 'broken'] },
  { pattern: '/players/*', kinds: ['everybody', 'member', 'team'] },
  { pattern: '/players/*/scores', kinds: ['premium', 'nobody', 'over'] },
  { pattern: '/players/*/scores/*', kinds: ['even'] },
  { pattern: '/teams', kinds: ['everybody', 'nobody'] },
  { pattern: '/hands/*', kinds: ['own', 'ownOrOver', 'team'] },
  { pattern: '/roles/*', kinds: ['own', 'ownOrOver', 'nobody', 'broken'] },
  { pattern: '/vault', kinds: ['member', 'over', 'premium'] },
  { pattern: '/vault/notes', kinds: ['premium', 'over', 'everybody'] },
  { pattern: '/vault/notes/*', kinds: ['member', 'nobody'] },
]

const labelChoices: readonly PatternText[] = [
  '/vault',
  '/vault/notes',
  '/roles/*',
  '/hands',
  '/players/*/best',
  '/rows',
]

/** The rules that a variant for this ceiling knows: those of higher labels are not in it. */
export function rulesUpTo(rules: BoardRules, ceiling: number): BoardRules {
  return {
    ...rules,
    privacy: rules.privacy.filter(({ pattern }) => labelOf(rules, pattern) <= ceiling),
    labels: rules.labels.filter(({ label }) => label <= ceiling),
  }
}

/** The label that everything at the places of a pattern has at least. */
export function labelOf(rules: BoardRules, pattern: string): number {
  const covering = rules.labels.filter(one => covers(patternOf(one.pattern), patternOf(pattern)))
  return Math.max(0, ...covering.map(({ label }) => label))
}

function patternOf(text: string): PathPattern {
  const pattern = parsePathPattern(text)
  assert(pattern !== undefined, `a path pattern, got ${text}`)
  return pattern
}

type AskedViewer = { readonly id: string; readonly claims: Readonly<Record<string, unknown>> }
type ViewState = { readonly page: number }
type Page = { readonly value: ViewState } | { readonly issues: readonly { message: string }[] }

/** The members of a board's literal that differ between definitions. */
export type BoardEdgeMembers = {
  readonly observe: ObserveSpec<BoardAudience>
  readonly privacy: { readonly [pattern: PatternText]: RuleSpec<BoardAudience> }
  readonly labels: { readonly [pattern: PatternText]: number }
  readonly view?: (visible: Visible, audience: BoardAudience, viewState: unknown) => object
  readonly viewState?: typeof pageSchema
}

/** The members of the literal that say what the rules say. */
export function edgeMembersOf(rules: BoardRules): BoardEdgeMembers {
  const { audience, banned, view, isOpen } = rules
  const privacy: { [pattern: PatternText]: RuleSpec<BoardAudience> } = {}
  for (const { pattern, kind } of rules.privacy) privacy[pattern] = ruleOf(kind)
  if (!isOpen) privacy['/**'] = nobody
  const labels: { [pattern: PatternText]: number } = {}
  for (const { pattern, label } of rules.labels) labels[pattern] = label
  return {
    observe: {
      allow: ({ id }: AskedViewer) => !banned.includes(id),
      audience: ({ id, claims }: AskedViewer): BoardAudience => {
        const tier = Number(claims['tier'])
        if (audience === 'tier') return { tier }
        const own = audience === 'self' ? tier : Math.max(0, tier - 1)
        return { tier: own, id, team: String(claims['team']) }
      },
      clearance: ({ tier }: BoardAudience) => tier,
    },
    privacy,
    labels,
    ...(view === 'visible' ? {} : { view: views[view] }),
    ...(view === 'page' ? { viewState: pageSchema } : {}),
  }
}

function ruleOf(kind: RuleKind): RuleSpec<BoardAudience> {
  switch (kind) {
    case 'everybody':
      return everybody
    case 'nobody':
      return nobody
    case 'member':
      return ({ tier }) => tier >= 1
    case 'premium':
      return ({ tier }) => tier >= 2
    case 'own':
      return ({ id }, { key }) => key === id
    case 'even':
      return ({ tier }, { key }) => tier >= 2 || Number(key) % 2 === 0
    case 'over':
      return { reads: ['/phase'], allow: (_, { reads }) => reads['/phase'] === 'over' }
    case 'ownOrOver':
      return {
        reads: ['/phase'],
        allow: ({ id }, { key, reads }) => key === id || reads['/phase'] === 'over',
      }
    case 'team':
      return {
        reads: ['/teams/*'],
        allow: ({ tier, team }, { reads }) => tier >= 2 || reads['/teams/*'] === team,
      }
    case 'broken':
      return {
        reads: ['/phase'],
        allow: ({ tier }, { reads }) => {
          if (tier === 0 && reads['/phase'] === 'broken') throw new Error('the rule is broken')
          return true
        },
      }
  }
}

/** What a view may find of a board. */
type Visible = {
  readonly title?: string
  readonly rows?: readonly unknown[]
  readonly players?: object
  readonly hands?: { readonly [id: string]: unknown }
  readonly roles?: { readonly [id: string]: unknown }
  readonly vault?: unknown
}

const views = {
  page: ({ title, rows, players, vault }: Visible, _: BoardAudience, viewState: unknown) => {
    // The schema has let it through; who says nothing is on the first page.
    const page = ((viewState as ViewState | undefined)?.page ?? 0) % pages
    return known({
      title,
      page,
      rows: rows?.slice(page * pageRows, (page + 1) * pageRows),
      players: players === undefined ? 0 : Object.keys(players).length,
      vault,
    })
  },
  mine: ({ title, hands, roles }: Visible, { id, tier }: BoardAudience) =>
    known({
      title,
      tier,
      hand: id === undefined ? undefined : hands?.[id],
      role: id === undefined ? undefined : roles?.[id],
    }),
}

/** Without the members that are not there: a view is JSON. */
const known = (members: object): object =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))

/** Takes `{ page }`. */
const pageSchema = {
  '~standard': {
    version: 1 as const,
    vendor: 'fanfold',
    validate: (value: unknown): Page => {
      const page = typeof value === 'object' && value !== null ? Reflect.get(value, 'page') : value
      return Number.isInteger(page)
        ? { value: { page: Number(page) } }
        : { issues: [{ message: 'a page' }] }
    },
  },
}

/** Draws what a viewer says of what it looks at; most often what a board that has pages takes. */
export function drawViewState(prng: Prng): { readonly page: number | string } | undefined {
  if (prng.chance(0.2)) return undefined
  return { page: prng.chance(0.1) ? 'none' : prng.below(2 * pages) }
}
