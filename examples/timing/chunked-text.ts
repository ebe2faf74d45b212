/*
 * A long text that changes a character at a time.
 *
 * As one string, each edit would write all of it to the log. So it is cut into chunks, of which an
 * edit writes one, and chunks are grouped in sections, whose lengths are all that is read to find a
 * place: for 100,000 characters about 130 small reads instead of 2,000. The bounds: a chunk has at
 * most `chunkMax` code points, a section at most `sectionMax` chunks; none is empty.
 *
 * Positions count code points; a string of JavaScript counts halves of surrogate pairs too, so a
 * chunk's length is counted unless it has none.
 */

/** A document's text. */
export type ChunkedText = {
  sections: Section[]
}

/** Neighbouring chunks; `length` is the sum of their code points. */
export type Section = { length: number; chunks: string[] }

/** One edit; positions and counts are code points. */
export type Edit = {
  readonly position: number
  readonly deleteCount: number
  readonly insert: string
}

/** Code points in a chunk, at most. */
export const chunkMax = 64

/** Chunks in a section, at most. */
export const sectionMax = 32

// Cut a third under the limit, so that what was just cut is not cut again by the next key.
const chunkTarget = 40
const sectionTarget = 20

/** No text. */
export const emptyText = (): ChunkedText => ({ sections: [] })

/** The text in one piece. */
export const readText = (text: ChunkedText): string =>
  text.sections.map(section => section.chunks.join('')).join('')

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
      text.sections.push(...cutIntoSections(cutIntoChunks(pending)))
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
function find(text: ChunkedText, position: number, isBefore: boolean): Place | undefined {
  let rest = isBefore ? position + 1 : position
  const { sections } = text
  for (const [sectionIndex, section] of walk(sections)) {
    const { length } = section
    if (rest > length) {
      rest -= length
      continue
    }
    for (const [chunkIndex, chunk] of walk(section.chunks)) {
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
  place: Place,
  edit: { readonly deleteCount: number; readonly insert: string },
): number {
  const { sections } = text
  const section = sections[place.sectionIndex]
  const chunk = section?.chunks[place.chunkIndex]
  if (section === undefined || chunk === undefined) throw new Error('no chunk at the place found')

  const chunkLength = codePoints(chunk)
  const deleted = Math.min(edit.deleteCount, chunkLength - place.offset)
  const replaced =
    sliceCodePoints(chunk, 0, place.offset) +
    edit.insert +
    sliceCodePoints(chunk, place.offset + deleted, chunkLength)
  const replacedLength = codePoints(replaced)
  const lengthChange = replacedLength - chunkLength

  if (replacedLength > 0 && replacedLength <= chunkMax) {
    if (replaced !== chunk) section.chunks[place.chunkIndex] = replaced
  } else {
    section.chunks.splice(place.chunkIndex, 1, ...cutIntoChunks(replaced))
  }
  if (lengthChange !== 0) section.length += lengthChange
  const { length: chunkCount } = section.chunks
  if (chunkCount === 0) {
    sections.splice(place.sectionIndex, 1)
  } else if (chunkCount > sectionMax) {
    sections.splice(place.sectionIndex, 1, ...cutIntoSections([...section.chunks]))
  }
  return deleted
}

function cutIntoChunks(text: string): string[] {
  const length = codePoints(text)
  if (length === 0) return []
  if (length <= chunkMax) return [text]
  return cutEvenly(length, chunkTarget).map(([from, to]) => sliceCodePoints(text, from, to))
}

function cutIntoSections(chunks: readonly string[]): Section[] {
  return cutEvenly(chunks.length, sectionTarget).map(([from, to]) => {
    const part = chunks.slice(from, to)
    return { length: part.reduce((sum, chunk) => sum + codePoints(chunk), 0), chunks: part }
  })
}

/** Ranges of about `target` that cover 0 … `length`. */
function cutEvenly(length: number, target: number): [from: number, to: number][] {
  const count = Math.ceil(length / target)
  return Array.from({ length: count }, (_, index) => [
    Math.floor((index * length) / count),
    Math.floor(((index + 1) * length) / count),
  ])
}

const surrogate = /[\ud800-\udfff]/

function codePoints(text: string): number {
  if (!surrogate.test(text)) return text.length
  let count = 0
  for (const _ of text) count += 1
  return count
}

function sliceCodePoints(text: string, from: number, to: number): string {
  return surrogate.test(text) ? Array.from(text).slice(from, to).join('') : text.slice(from, to)
}

function* walk<Item>(items: readonly Item[]): Generator<[index: number, item: Item], void> {
  for (let index = 0; index < items.length; index++) yield [index, items[index] as Item]
}
