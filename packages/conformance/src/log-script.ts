import {
  encodeDefinitionParts,
  isJsonObject,
  type JsonObject,
  parsePathPattern,
  parsePointer,
  pointerOf,
  type RecordedDefinition,
  recordedDefinition,
} from '@fanfold/document'
import { assert, encodeUtf8 } from '@fanfold/kernel'
import { partTags, type RecordKind } from '@fanfold/protocol'

/** A recorded definition; the one variant is for every ceiling when `variants` are not said. */
export type BuiltDefinition = Pick<RecordedDefinition, 'variant' | 'viewKey' | 'labels'> &
  Partial<Pick<RecordedDefinition, 'variants'>>

/** The text at each place with a label after the record with this seq: easy to find among bytes. */
export const labelledText = (label: number, seq: number): string => `label-${label}-at-${seq}`

/** What the crowd's parts say, and those that only authorities keep, of records that are whole. */
export const aboveLabels = {
  crowd: 'crowd-above-labels',
  authority: 'only-for-authorities',
} as const

type TaggedPart = readonly [tag: number, payload: Uint8Array]

/** What the records of a built log say. */
export class LogScript {
  readonly #definition: RecordedDefinition | undefined
  /** Pointers to the places with labels, by label in rising order. */
  readonly #places = new Map<number, string[]>()
  /** What the document begins with, without what has a label. */
  readonly #state: JsonObject = { n: 0 }

  /** @param definition what the log begins with; undefined for a log that begins with `create` */
  constructor(definition: BuiltDefinition | undefined) {
    if (definition === undefined) return
    const { variant, viewKey, labels, variants = [{ ceiling: 0, hash: variant }] } = definition
    this.#definition = recordedDefinition({ variants, viewKey, labels })
    for (const { pattern, label } of this.#definition.labels) {
      const place = placeOf(pattern)
      const others = [...this.#places.values()].flat()
      const isApart = others.every(other => !isInside(place, other) && !isInside(other, place))
      assert(isApart, `no labelled place lies inside another, got ${pattern}`)
      this.#places.set(label, [...(this.#places.get(label) ?? []), place])
      this.#addParents(place)
    }
  }

  kindOf(seq: number): RecordKind {
    if (this.#definition === undefined) return seq === 1 ? 'create' : 'delta'
    return seq === 1 ? 'definition' : seq === 2 ? 'create' : 'delta'
  }

  /** The parts of the record with this seq, the public one first. */
  parts(seq: number, isWhole: boolean): [TaggedPart, ...TaggedPart[]] {
    const above: TaggedPart[] = [
      [partTags.crowd, encodeUtf8(aboveLabels.crowd)],
      [partTags.authority, encodeUtf8(aboveLabels.authority)],
    ]
    const [first, ...others] = this.#labelledParts(seq)
    return [first, ...others, ...(isWhole ? above : [])]
  }

  #labelledParts(seq: number): [TaggedPart, ...TaggedPart[]] {
    const kind = this.kindOf(seq)
    if (kind === 'definition' && this.#definition !== undefined) {
      const [first, ...others] = encodeDefinitionParts(this.#definition, new Map())
      assert(first !== undefined, 'a definition has a public part')
      return [first, ...others]
    }
    const open = kind === 'create' ? this.#state : [{ op: 'replace', path: '/n', value: seq }]
    const labelled = [...this.#places].map(([label, places]): TaggedPart => {
      const value = labelledText(label, seq)
      return [label, encodeJson(places.map(path => ({ op: 'add', path, value })))]
    })
    return [[partTags.public, encodeJson(open)], ...labelled]
  }

  #addParents(place: string): void {
    let parent = this.#state
    for (const name of parsePointer(place)?.slice(0, -1) ?? []) {
      const there = parent[name]
      const child = isJsonObject(there) ? there : {}
      parent[name] = child
      parent = child
    }
  }
}

/** A place that the pattern has: any member is the one called `any`. */
function placeOf(text: string): string {
  const pattern = parsePathPattern(text)
  assert(pattern !== undefined, `a pattern, got ${text}`)
  return pointerOf(
    pattern,
    pattern.segments.map(() => 'any'),
  )
}

const isInside = (place: string, other: string): boolean => place.startsWith(`${other}/`)

const encodeJson = (value: unknown): Uint8Array => encodeUtf8(JSON.stringify(value))
