/*
 * A tree for people: what an admin port says of it, in lines. What is not there is left out, for nodes of other
 * versions say more or less.
 */
import { documentTreeText } from './document-tree-text.ts'
import { type Fields, fieldsOf, listOf, numberOf, seconds, textOf, textsOf } from './json-fields.ts'
import { alignColumns } from './output.ts'

/** The fleet by region, or one node where there is none; behind that the document, when it was asked about. */
export function treeText(topology: Fields): string {
  const parts = [nodesText(topology)]
  const document = fieldsOf(topology['document'])
  if (document !== undefined) parts.push(documentText(document, textOf(topology['node'])))
  return parts.join('\n\n')
}

function nodesText(topology: Fields): string {
  const fleet = fieldsOf(topology['fleet'])
  if (fleet === undefined) return alignColumns([aloneRow(topology)])
  const members = listOf(fleet['members'])
  const regions = [...new Set(members.map(({ region }) => textOf(region)))].toSorted()
  const rows = regions.flatMap(region => {
    const within = members.filter(member => member['region'] === region)
    const viewers = within.reduce((sum, { load }) => sum + numberOf(fieldsOf(load)?.['viewers']), 0)
    const byRole = within.toSorted((a, b) => compare(sortKey(a), sortKey(b)))
    return [[region, `${viewers} viewers`], ...byRole.map(memberRow)]
  })
  const known = ageText(fleet)
  return [...(known === undefined ? [] : [known]), alignColumns(rows)].join('\n')
}

/** What is known may be old. */
function ageText({ isFrozen, knownForMs }: Fields): string | undefined {
  if (isFrozen !== true) return undefined
  const age = typeof knownForMs === 'number' ? `, last heard ${seconds(knownForMs)} ago` : ''
  return `where members meet is not reached: the fleet as it was${age}`
}

const memberRow = ({ node, roles, load, isDraining }: Fields): string[] => {
  const { viewers, children, documents, bytesPerSecond } = fieldsOf(load) ?? {}
  return [
    `  ${textOf(node)}`,
    rolesOf(roles),
    `${numberOf(documents)} documents`,
    `${numberOf(children)} streams down`,
    `${numberOf(viewers)} viewers`,
    `${numberOf(bytesPerSecond)} bytes/s`,
    isDraining === true ? 'going' : '',
  ]
}

const aloneRow = ({ node, region, roles, authority, proxy, edge }: Fields): string[] => {
  const counts: readonly Fields[] = [authority, proxy, edge]
    .map(fieldsOf)
    .filter(one => one !== undefined)
  const sumOf = (name: string): number => counts.reduce((sum, one) => sum + numberOf(one[name]), 0)
  return [
    textOf(node),
    textOf(region),
    rolesOf(roles),
    `${sumOf('documents')} documents`,
    `${sumOf('children')} streams down`,
    `${sumOf('viewers')} viewers`,
  ]
}

function documentText(document: Fields, node: string): string {
  const { doc, owner, next, isNextHot, why, problem } = document
  const lines: string[] = []
  if (owner !== undefined || why !== undefined) {
    const hot = isNextHot === true ? ', which stands by' : ''
    const other = next === undefined ? '' : `, then ${textOf(next)}${hot}`
    lines.push(`${textOf(doc)}: ${textOf(owner ?? 'nobody')} (${textOf(why)})${other}`)
  } else {
    lines.push(textOf(doc))
  }
  const trouble = fieldsOf(problem)
  if (trouble !== undefined) lines.push(`  ${textOf(trouble['message'])}`)
  for (const { region, proxies } of listOf(document['regions'])) {
    const names = textsOf(proxies)
    lines.push(`  ${textOf(region)}: ${names.length === 0 ? 'no proxy' : names.join(', then ')}`)
  }
  const tree = fieldsOf(document['tree']) ?? {}
  // Who is in the tree says there how it stands.
  const here = textsOf(tree['path']).length > 0 ? {} : (fieldsOf(document['here']) ?? {})
  for (const [role, standing] of Object.entries(here)) {
    const fields = fieldsOf(standing)
    if (fields !== undefined) lines.push(`  here, the ${role} of ${node}: ${standingText(fields)}`)
  }
  return `${lines.join('\n')}\n\n${documentTreeText(tree)}`
}

function standingText(standing: Fields): string {
  const { epoch, seq, parent, children, viewers, isLive, staleForMs, refusal } = standing
  const words = [`seq ${numberOf(seq)} of epoch ${numberOf(epoch)}`]
  if (parent !== undefined) words.push(`from ${textOf(parent)}`)
  if (isLive === false) words.push('not live')
  if (typeof staleForMs === 'number') words.push(`stale for ${seconds(staleForMs)}`)
  if (children !== undefined) words.push(`${numberOf(children)} streams down`)
  if (viewers !== undefined) words.push(`${numberOf(viewers)} viewers`)
  if (refusal !== undefined) words.push(`refused: ${textOf(refusal)}`)
  return words.join(', ')
}

const rolesOf = (roles: unknown): string => (Array.isArray(roles) ? roles.join(',') : '')

/** Authorities first, then proxies, then edges; of each by name. */
const sortKey = ({ roles, node }: Fields): string => {
  const all = rolesOf(roles)
  const rank = ['authority', 'proxy', 'edge'].findIndex(role => all.includes(role))
  return `${rank} ${textOf(node)}`
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
