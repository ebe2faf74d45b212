/* What a sequence chart is made of. */

/** Where writers stand: they have one lane together. */
export const writersLane = 'writers'

/** How an item is to be looked at. */
export type Tone = 'data' | 'control' | 'trouble' | 'storage'

/** What an item says. */
export type Label = {
  /** What it is, the same for items of which several in a row are one. */
  readonly what: string
  /** A number or a range, for those that have one. */
  readonly detail: string
  readonly tone: Tone
  /** The document that it is about, when it is about one. */
  readonly doc: string | undefined
}

/** A frame, a request or a write on its way. */
export type Message = {
  readonly kind: 'message'
  readonly from: string
  readonly to: string
  readonly atMicros: number
  arrivedMicros: number | undefined
  readonly label: Label
}

/** Something that happens at one node. */
export type Mark = {
  readonly kind: 'mark'
  readonly lane: string
  readonly atMicros: number
  readonly label: Label
}

/** What a chart is made of. */
export type Item = Message | Mark

/** Numbers in words: one, or the first and the last. */
export const rangeOf = (numbers: readonly number[]): string => {
  const [first] = numbers
  const last = numbers.at(-1)
  if (first === undefined) return ''
  return first === last ? `${first}` : `${first}–${last}`
}
