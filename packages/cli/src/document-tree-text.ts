/* The tree of a document for people: a line for each node, below the one that it has the document from. */
import { type Fields, listOf, numberOf, seconds, textOf, textsOf } from './json-fields.ts'
import { alignColumns } from './output.ts'

/** Nodes that are named where some did not answer. */
const namedMax = 10

/** The tree, and what is missing in it. */
export function documentTreeText(tree: Fields): string {
  const [top] = listOf([tree['top']])
  if (top === undefined) return 'who has the document from whom cannot be told now'
  const notes = [topNote(top), ...missingNotes(tree), pathNote(tree)]
  return [alignColumns(rowsOf(top)), ...notes.filter(note => note !== undefined)].join('\n')
}

/** A node that is still to be shown: what stands before its name, and before those of the nodes below it. */
type Branch = { readonly node: Fields; readonly own: string; readonly below: string }

function rowsOf(top: Fields): string[][] {
  const rows: string[][] = []
  const waiting: Branch[] = [{ node: top, own: '', below: '' }]
  for (let branch = waiting.pop(); branch !== undefined; branch = waiting.pop()) {
    const { node, own, below } = branch
    rows.push(nodeRow(own, node))
    const children = listOf(node['below'])
    const notAsked = numberOf(node['notAsked'])
    const branches = children.map((child, at) => {
      const isLast = at === children.length - 1 && notAsked === 0
      return {
        node: child,
        own: `${below}${isLast ? '└─ ' : '├─ '}`,
        below: `${below}${isLast ? '   ' : '│  '}`,
      }
    })
    if (notAsked > 0) {
      const node = { node: `${notAsked} more, not asked` }
      branches.push({ node, own: `${below}└─ `, below: '' })
    }
    waiting.push(...branches.toReversed())
  }
  return rows
}

function nodeRow(before: string, shown: Fields): string[] {
  const { node, region, role, isSilent, viewers, children } = shown
  const who = [`${before}${textOf(node)}`, textOf(region), textOf(role)]
  if (isSilent === true) return [...who, 'does not answer']
  if (role === undefined) return who
  const { deltasPerSecond, bytesPerSecond } = shown
  return [
    ...who,
    numberOf(shown['seq']) > 0 ? `seq ${numberOf(shown['seq'])}` : 'nothing',
    lagText(shown),
    `${numberOf(children)} streams down`,
    `${numberOf(viewers)} viewers`,
    `${numberOf(deltasPerSecond)} deltas/s`,
    `${Math.round(numberOf(bytesPerSecond))} bytes/s`,
    troubleText(shown),
  ]
}

function lagText({ behind, lagMs }: Fields): string {
  const words: string[] = []
  if (typeof behind === 'number') words.push(`${behind} behind`)
  if (typeof lagMs === 'number') words.push(`${lagMs} ms`)
  return words.join(', ')
}

function troubleText({ seq, isLive, staleForMs, problem }: Fields): string {
  const words: string[] = []
  if (isLive === false && numberOf(seq) > 0) words.push('not live')
  if (typeof staleForMs === 'number') words.push(`stale for ${seconds(staleForMs)}`)
  if (problem !== undefined) words.push(textOf(problem))
  return words.join(', ')
}

function topNote({ node, role, seq }: Fields): string | undefined {
  if (role !== 'authority') return `no authority was reached: this is what is below ${textOf(node)}`
  return numberOf(seq) > 0 ? undefined : `${textOf(node)} does not have the document in memory`
}

function missingNotes({ silent, notAsked }: Fields): string[] {
  const notes: string[] = []
  const names = textsOf(silent)
  if (names.length > 0) {
    const more = names.length > namedMax ? ', …' : ''
    notes.push(`${names.length} do not answer: ${names.slice(0, namedMax).join(', ')}${more}`)
  }
  if (numberOf(notAsked) > 0) notes.push(`${numberOf(notAsked)} were not asked`)
  return notes
}

function pathNote({ path }: Fields): string | undefined {
  const names = textsOf(path)
  return names.length === 0 ? undefined : `from the top to here: ${names.join(' > ')}`
}
