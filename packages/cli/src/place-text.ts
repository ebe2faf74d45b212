/* Placements for people: where a subject is, what is to be done with it, and all that is placed. */
import { type Fields, fieldsOf, listOf, numberOf, optionalTextOf, textOf } from './json-fields.ts'
import { alignColumns } from './output.ts'
import type { PlacedSubject } from './placed-subject.ts'
import { type QuotaWish, quotaAfter, quotaText } from './quota-options.ts'
import { quotaIn } from './quota-use.ts'

/** What is wanted of a subject. */
export type PlacementPlan = { readonly who: string; readonly why: string } & (
  | {
      readonly kind: 'node'
      /** The node; undefined to release it. */
      readonly node: string | undefined
    }
  | { readonly kind: 'quota'; readonly quota: QuotaWish }
)

/** Where a subject is, and who said so. */
export function subjectText(seen: PlacedSubject): string {
  const { subject, placed, problem } = seen
  const lines = [...ageLines(seen), `${subject}: ${ownerText(seen)}`]
  if (placed !== undefined) {
    const { node, quota, version, who, why, at } = placed
    const where = node === undefined ? 'released' : `placed on ${node}`
    const what = quota === undefined ? where : node === undefined ? 'bounded' : `${where}, bounded`
    lines.push(`  ${what} by ${who}, ${at} (version ${version}): ${why}`)
  }
  if (problem !== undefined) lines.push(`  ${problem}`)
  return [...lines, ...quotaLines(seen), ...apartLines(seen)].join('\n')
}

/** What is so now, what will be, and which node is asked for it. */
export function planText(seen: PlacedSubject, plan: PlacementPlan): string {
  const { who, why } = plan
  const quota = seen.placed?.quota
  const said = [
    ['  by', `${who}: ${why}`],
    ['  asked', `node ${seen.asked}, which knows version ${seen.version}`],
  ]
  if (plan.kind === 'quota') {
    const rows = [
      ['  now', quotaText(quota)],
      ['  then', quotaText(quotaAfter(quota, plan.quota))],
      ...said,
    ]
    return [...ageLines(seen), `bound ${seen.subject}`, alignColumns(rows)].join('\n')
  }
  const { node } = plan
  const then =
    node === undefined
      ? `${isDocument(seen) ? 'whoever' : 'each document whoever'} it would be if nothing were said of it`
      : node
  const rows = [['  now', ownerText(seen)], ['  then', then], ...said]
  return [
    ...ageLines(seen),
    `${node === undefined ? 'release' : 'place'} ${seen.subject}`,
    alignColumns(rows),
    ...apartLines(seen),
  ].join('\n')
}

/** All that operators have said, a line each. */
export function placementsText({ placements, isFrozen }: Fields): string {
  const rows = listOf(placements).map(placement => {
    const { subject, node, version, who, at, why, problem } = placement
    const quota = quotaIn(fieldsOf(placement['quota']))
    const bounds = quota === undefined ? [] : [`may take ${quotaText(quota)}`]
    const trouble = optionalTextOf(problem)
    return [
      textOf(subject),
      optionalTextOf(node) ?? (quota === undefined ? '(released)' : '(not placed)'),
      `version ${numberOf(version)}`,
      textOf(who),
      textOf(at),
      [textOf(why), ...bounds, ...(trouble === undefined ? [] : [trouble])].join('; '),
    ]
  })
  const text = rows.length === 0 ? 'nothing is placed' : alignColumns(rows)
  return [...(isFrozen === true ? [frozenText] : []), text].join('\n')
}

/** Whose a subject is. */
export function ownerText(seen: PlacedSubject): string {
  const { subject, owner, why, by, authorities } = seen
  if (owner === undefined && isDocument(seen)) return `nobody (${why})`
  if (owner === undefined) {
    const nodes = authorities.length === 0 ? 'nobody takes it' : authorities.join(', ')
    return `each document whose it is drawn to be: ${nodes} (${why})`
  }
  return by === undefined || by === subject ? `${owner} (${why})` : `${owner} (${why} of ${by})`
}

const frozenText = 'where members meet is not reached: what is placed as it was'

const isDocument = ({ subject }: PlacedSubject): boolean => subject.includes('/')

const ageLines = ({ isFrozen }: PlacedSubject): string[] => (isFrozen ? [frozenText] : [])

/** What a tenant may take, and has at the node that was asked. */
function quotaLines({ asked, use }: PlacedSubject): string[] {
  if (use === undefined) return []
  const { whole, here, documents, viewers, isHeld } = use
  const held = isHeld ? ', and its viewers are shown less often for now' : ''
  return [
    `  may take ${quotaText(whole)}`,
    `  at ${asked} ${quotaText(here)}; it has ${documents} documents and ${viewers} viewers there${held}`,
  ]
}

/** Documents of a tenant that do not go with it. */
function apartLines({ apart, apartCount }: PlacedSubject): string[] {
  if (apartCount === 0) return []
  const shown = apart.map(({ subject, node }) => `    ${subject} on ${node}`)
  const more = apartCount > apart.length ? [`    and ${apartCount - apart.length} more`] : []
  return [`  placed by themselves, and not touched: ${apartCount}`, ...shown, ...more]
}
