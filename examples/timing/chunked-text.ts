/*
 * A long text that changes a character at a time.
 *
 * As one string, each edit would write all of it to the log. So it is cut into chunks, of which an
 * edit writes one; chunks are short, because the log keeps a chunk for each key that is struck. They
 * stand in sections, so that a place is found by the lengths of sections instead of all chunks. A
 * length that followed each edit would be written with each: so the section that was written last
 * has none, until another one is written. The bounds: a chunk has at most `chunkMax` code points, a
 * section at most `sectionMax` chunks; none is empty.
 *
 * Positions count code points; a string of JavaScript counts halves of surrogate pairs too, so a
 * chunk's length is counted unless it has none.
 */

/** A document's text. */
export type ChunkedText = {
  /** The chunks, section by section. */
  text: string[][]
  /** Code points of each section; null for the one that was written last. */
  lengths: (number | null)[]
}

/** One edit; positions and counts are code points. */
export type Edit = {
  readonly position: number
  readonly deleteCount: number
  readonly insert: string
}

/** Code points in a chunk, at most. */
export const chunkMax = 24

/** Chunks in a section, at most: as many as two digits of a path can tell apart. */
export const sectionMax = 100

// Cut well under the limit, so that what was just cut is not cut again soon.
const sectionTarget = 75

/** Neighbours of so many code points together become one, when one of them shrinks. */
const mergeMax = chunkMax / 2

/** No text. */
export const emptyText = (): ChunkedText => ({ text: [], lengths: [] })

/** The text in one piece. */
export const readText = ({ text }: ChunkedText): string => text.flat().join('')

/** @throws Error when the edit reaches past the end */
export function splice(text: ChunkedText, { position, deleteCount, insert }: Edit): void {
  let at = position
  let left = deleteCount
  let pending = insert
  // Each turn deletes what it can from one chunk; the first also inserts, and the next go on after.
  do {
    const place = find(text, at, left > 0)
    if (place === undefined) {
      if (left > 0 || at > 0) throw new Error(`position ${at} is past the end`)
      putSections(text, 0, 0, cutEvenly(cutIntoChunks(pending), sectionTarget))
      return
    }
    left -= replaceAt(text, place, { deleteCount: left, insert: pending })
    if (left > 0) at += codePoints(pending)
    pending = ''
  } while (left > 0)
}

type Place = { readonly sectionIndex: number; readonly chunkIndex: number; readonly offset: number }

/**
 * The chunk that holds `position`. Between two chunks it is the end of the first to insert there,
 * and the start of the second when something is to be deleted (`isBefore`).
 */
function find(
  { text, lengths }: ChunkedText,
  position: number,
  isBefore: boolean,
): Place | undefined {
  let rest = isBefore ? position + 1 : position
  for (const [sectionIndex, length] of walk(lengths)) {
    if (length !== null && rest > length) {
      rest -= length
      continue
    }
    for (const [chunkIndex, chunk] of walk(text[sectionIndex] ?? [])) {
      const chunkLength = codePoints(chunk)
      if (rest <= chunkLength) {
        return { sectionIndex, chunkIndex, offset: isBefore ? rest - 1 : rest }
      }
      rest -= chunkLength
    }
  }
  return undefined
}

/** Deletes from one chunk as much as it has, inserts there, and returns how much it deleted. */
function replaceAt(
  text: ChunkedText,
  { sectionIndex, chunkIndex, offset }: Place,
  { deleteCount, insert }: { readonly deleteCount: number; readonly insert: string },
): number {
  const section = text.text[sectionIndex]
  const chunk = section?.[chunkIndex]
  if (section === undefined || chunk === undefined) throw new Error('no chunk at the place found')

  const chunkLength = codePoints(chunk)
  const deleted = Math.min(deleteCount, chunkLength - offset)
  const before = sliceCodePoints(chunk, 0, offset)
  const after = sliceCodePoints(chunk, offset + deleted, chunkLength)
  const chunks = cutAround(before, insert, after)
  const [first] = chunks
  if (chunks.length === 1 && first === chunk) return deleted

  open(text, sectionIndex)
  if (chunks.length === 1 && first !== undefined) section[chunkIndex] = first
  else section.splice(chunkIndex, 1, ...chunks)
  if (deleted > 0) mergeAt(section, chunkIndex)
  if (section.length === 0) putSections(text, sectionIndex, 1, [])
  else if (section.length > sectionMax) {
    const isAtEnd = chunkIndex + chunks.length === section.length && chunks.length < sectionMax
    const parts = isAtEnd
      ? [section.slice(0, -chunks.length), chunks]
      : cutEvenly([...section], sectionTarget)
    putSections(text, sectionIndex, 1, parts)
  }
  return deleted
}

/** Takes the section's length away, and gives the one without its own. */
function open({ text, lengths }: ChunkedText, sectionIndex: number): void {
  if (lengths[sectionIndex] === null) return
  const openIndex = lengths.indexOf(null)
  if (openIndex >= 0) lengths[openIndex] = lengthOf(text[openIndex] ?? [])
  lengths[sectionIndex] = null
}

/** Puts sections in the place of `count` others. */
function putSections(
  { text, lengths }: ChunkedText,
  index: number,
  count: number,
  sections: readonly string[][],
): void {
  text.splice(index, count, ...sections)
  lengths.splice(index, count, ...sections.map(lengthOf))
}

/** Makes one chunk of two small neighbours. */
function mergeAt(section: string[], chunkIndex: number): void {
  for (const index of [chunkIndex - 1, chunkIndex]) {
    const first = section[index]
    const second = section[index + 1]
    if (first === undefined || second === undefined) continue
    if (codePoints(first) + codePoints(second) > mergeMax) continue
    section.splice(index, 2, first + second)
    return
  }
}

/**
 * The chunks that take the place of one. When they are several they are cut where the edit is: who
 * types goes on there, in a chunk with room, and what stands before and after is not written again.
 */
function cutAround(before: string, insert: string, after: string): string[] {
  const beforeLength = codePoints(before)
  const insertLength = codePoints(insert)
  const afterLength = codePoints(after)
  if (beforeLength + insertLength + afterLength <= chunkMax) {
    return cutIntoChunks(before + insert + after)
  }
  if (afterLength <= beforeLength && insertLength + afterLength <= chunkMax) {
    return [before, insert + after]
  }
  if (beforeLength + insertLength <= chunkMax) return [before + insert, after]
  return [...cutIntoChunks(before), ...cutIntoChunks(insert), ...cutIntoChunks(after)]
}

function cutIntoChunks(text: string): string[] {
  if (text === '') return []
  const length = codePoints(text)
  if (length <= chunkMax) return [text]
  const points = surrogate.test(text) ? Array.from(text) : undefined
  return Array.from({ length: Math.ceil(length / chunkMax) }, (_, index) => {
    const [from, to] = [index * chunkMax, (index + 1) * chunkMax]
    return points === undefined ? text.slice(from, to) : points.slice(from, to).join('')
  })
}

/** Parts of about `target` items. */
function cutEvenly<Item>(items: readonly Item[], target: number): Item[][] {
  const { length } = items
  const count = Math.ceil(length / target)
  const cut = (index: number): number => Math.floor((index * length) / count)
  return Array.from({ length: count }, (_, index) => items.slice(cut(index), cut(index + 1)))
}

const surrogate = /[\ud800-\udfff]/

function codePoints(text: string): number {
  if (!surrogate.test(text)) return text.length
  let count = 0
  for (const _ of text) count += 1
  return count
}

const lengthOf = (chunks: readonly string[]): number =>
  chunks.reduce((sum, chunk) => sum + codePoints(chunk), 0)

function sliceCodePoints(text: string, from: number, to: number): string {
  return surrogate.test(text) ? Array.from(text).slice(from, to).join('') : text.slice(from, to)
}

function* walk<Item>(items: readonly Item[]): Generator<[index: number, item: Item], void> {
  for (let index = 0; index < items.length; index++) yield [index, items[index] as Item]
}
