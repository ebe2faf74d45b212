/* Definitions of the tests, as edges have them. */
import type { EdgeDefinition, PrivacyRule, RuleContext } from '@fanfold/definition'
import { type JsonValue, parsePathPattern } from '@fanfold/document'
import { define } from './edge-log.ts'

/** A rule on the places of a pattern. */
export function rule(
  pattern: string,
  allow: (audience: Record<string, unknown>, context: RuleContext) => boolean,
  reads: readonly string[] = [],
): PrivacyRule {
  const parse = (text: string) => {
    const parsed = parsePathPattern(text)
    if (parsed === undefined) throw new Error(`${text} is a pattern`)
    return parsed
  }
  return {
    pattern: parse(pattern),
    reads: reads.map(parse),
    allow: (audience, context) => allow(audience as Record<string, unknown>, context),
  }
}

/** An audience of what the token claims. */
export const byClaims: Partial<NonNullable<EdgeDefinition['observe']>> = {
  audience: viewer => viewer.claims,
}

/** The odds are for those who pay; `/shown` turns `/late` on for all. */
export const odds = (overrides: Parameters<typeof define>[0] = {}): EdgeDefinition =>
  define({
    rules: [
      rule('/odds', audience => audience['premium'] === true),
      rule('/late', (_, { reads }) => reads['/shown'] === true, ['/shown']),
    ],
    ...overrides,
    observe: { ...byClaims, ...overrides.observe },
  })

/** The rule of `/secret` fails while `/broken` is true. */
export const fragile: EdgeDefinition = define({
  rules: [
    rule(
      '/secret',
      (_, { reads }) => {
        if (reads['/broken'] === true) throw new Error('broken')
        return true
      },
      ['/broken'],
    ),
  ],
})

/** A view of one page of `/pages`, which the view state names. */
export const paged = (overrides: Parameters<typeof define>[0] = {}): EdgeDefinition =>
  define({
    view: (visible, _audience, viewState) => {
      const { pages, title } = visible as { pages: Record<string, JsonValue>; title: JsonValue }
      const { page } = (viewState ?? { page: 'a' }) as { page: string }
      return { title, page, text: pages[page] ?? null }
    },
    viewState: {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: value =>
          typeof (value as { page?: unknown })?.page === 'string'
            ? { value }
            : { issues: [{ message: `no page in ${JSON.stringify(value)}` }] },
      },
    },
    ...overrides,
    observe: { ...byClaims, ...overrides.observe },
  })
