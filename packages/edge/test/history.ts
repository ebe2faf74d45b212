/*
 * A document's history as a test writes it, and an edge that shows it.
 */
import { sha256 } from '@fanfold/conformance'
import type { EdgeDefinition } from '@fanfold/definition'
import {
  applyPatch,
  Chain,
  encodeDefinitionParts,
  encodeSnapshot,
  type JsonObject,
  type JsonValue,
  type LabelRule,
  Labels,
  type PatchOperation,
  type RecordedDefinition,
  Replica,
} from '@fanfold/document'
import { encodeUtf8 } from '@fanfold/kernel'
import {
  type DocumentKey,
  encodeRecord,
  type LinkFrame,
  type LogRecord,
  type Position,
  partTags,
  type RecordKind,
  saltBytes,
  type ViewerFrame,
  zeroPosition,
} from '@fanfold/protocol'
import { ResumePoints } from '../src/resume-point.ts'
import { Rig, type RigLimits } from './build-edge.ts'
import { channel, doc, hashOf, recorded, snapshotFrames, startMs, viewKey } from './edge-log.ts'

const json = (value: unknown): Uint8Array => encodeUtf8(JSON.stringify(value))
const clone = <Value extends JsonValue | readonly PatchOperation[]>(value: Value): Value =>
  JSON.parse(JSON.stringify(value))

/** A log that is written record by record, and the state that it makes. */
export class History {
  readonly records: LogRecord[] = []
  readonly #chain = new Chain(sha256)
  #state: JsonObject | undefined
  #definition: RecordedDefinition | undefined
  #labels = Labels.none
  readonly #doc: DocumentKey
  readonly #channel: number

  constructor(key: DocumentKey = doc, stream: number = channel) {
    this.#doc = key
    this.#channel = stream
  }

  get seq(): number {
    return this.records.length
  }

  get head(): Position {
    return this.positionAt(this.seq)
  }

  /** What the log says of the definition. */
  get definition(): RecordedDefinition | undefined {
    return this.#definition
  }

  /** The state now, a copy. */
  get state(): JsonObject {
    return clone(this.#state ?? {})
  }

  positionAt(seq: number): Position {
    const record = this.records[seq - 1]
    return record === undefined
      ? zeroPosition
      : { epoch: record.epoch, seq, hash: record.chainHash }
  }

  /** What a viewer holds who has got to `seq` of a view. */
  pointAt(seq: number, name: string, audience: JsonValue = {}, viewState?: JsonValue): string {
    const points = new ResumePoints(sha256, viewKey)
    return points.seal(this.positionAt(seq), points.tag(hashOf(name), audience, viewState))
  }

  define(
    name: string | undefined,
    labels: readonly LabelRule[] = [],
    patch: readonly PatchOperation[] = [],
  ): LogRecord {
    this.#definition = recorded(name, labels)
    this.#labels = Labels.compile(labels)
    this.#apply(patch)
    return this.#append('definition', encodeDefinitionParts(this.#definition, this.#split(patch)))
  }

  create(state: JsonObject): LogRecord {
    const split = this.#labels.splitState(state)
    if (!split.ok) throw new Error(split.message)
    this.#state = clone(state)
    const parts = [...split.parts].map(([tag, patch]): [number, Uint8Array] => {
      const [root] = patch
      const isState = tag === partTags.public && root?.op === 'add'
      return [tag, json(isState ? root.value : patch)]
    })
    return this.#append('create', parts)
  }

  change(...patch: PatchOperation[]): LogRecord {
    this.#apply(patch)
    const parts = [...this.#split(patch)]
    return this.#append(
      'delta',
      parts.map(([tag, part]) => [tag, json(part)]),
    )
  }

  claim(): LogRecord {
    return this.#append('claim', [[partTags.authority, new Uint8Array(2)]])
  }

  /** The frame that brings the last records. */
  last(count = 1): LinkFrame {
    return { kind: 'records', channel: this.#channel, records: this.records.slice(-count) }
  }

  delete(): LogRecord {
    this.#state = undefined
    return this.#append('delete', [])
  }

  /** The frames by which a parent brings the document as it is now, or as it was at a seq. */
  snapshot(ceiling = 239, seq = this.seq): LinkFrame[] {
    const replica = new Replica(sha256)
    for (const record of this.records.slice(0, seq)) replica.append(record)
    const made = replica.snapshot()
    if (made === undefined) throw new Error(`there is nothing at ${seq}`)
    return [
      {
        kind: 'welcome',
        doc: this.#doc,
        channel: this.#channel,
        mode: 'snapshot',
        head: this.head,
        ceiling,
      },
      ...snapshotFrames(made, this.#channel),
    ]
  }

  /** The frames of a parent whose state is another one, at the same place of the same log. */
  wrongSnapshot(state: JsonObject): LinkFrame[] {
    const [at, definition] = [this.head, this.#definition]
    const made = encodeSnapshot({ at, state, definition, sha256 })
    return [
      {
        kind: 'welcome',
        doc: this.#doc,
        channel: this.#channel,
        mode: 'snapshot',
        head: this.head,
        ceiling: 239,
      },
      ...snapshotFrames(made, this.#channel),
    ]
  }

  /** The frame by which a parent goes on from what is held. */
  tail(ceiling = 239): LinkFrame {
    return {
      kind: 'welcome',
      doc: this.#doc,
      channel: this.#channel,
      mode: 'tail',
      head: this.head,
      ceiling,
    }
  }

  #split(patch: readonly PatchOperation[]): ReadonlyMap<number, readonly PatchOperation[]> {
    const split = this.#labels.splitPatch(patch, this.#state ?? {})
    if (!split.ok) throw new Error(split.message)
    return split.parts
  }

  #apply(patch: readonly PatchOperation[]): void {
    if (patch.length === 0) return
    this.#state = applyPatch(this.#state ?? {}, clone(patch))
  }

  #append(kind: RecordKind, parts: readonly (readonly [number, Uint8Array])[]): LogRecord {
    const bytes = encodeRecord({
      kind,
      key: this.#doc,
      epoch: 1,
      seq: this.seq + 1,
      timeMs: startMs + this.seq + 1,
      trace: undefined,
      parts: parts.map(([tag, payload]) => ({ tag, salt: new Uint8Array(saltBytes), payload })),
    })
    const record = this.#chain.seal(bytes, this.head.hash)
    this.records.push(record)
    return record
  }
}

/** A document under a definition, with an edge that follows it; nobody observes it yet. */
export class Show {
  readonly rig: Rig
  readonly history = new History()

  constructor(
    definition: EdgeDefinition,
    state: JsonObject,
    options: {
      labels?: readonly LabelRule[]
      ceiling?: number
      limits?: RigLimits
      ring?: ConstructorParameters<typeof Rig>[1]
    } = {},
  ) {
    const { labels, ceiling, limits, ring } = options
    this.rig = new Rig(limits, ring)
    if (limits?.largeStateBytes === undefined) this.rig.load('first', definition)
    // The worker needs the text of the variant, which the edge has from its parent.
    else this.rig.offered.set('first', definition)
    this.rig.openParent()
    this.history.define('first', labels)
    this.history.create(state)
    // Somebody has to want the document before it is followed.
    this.rig.follow()
    this.rig.frame(...this.history.snapshot(ceiling))
    this.rig.pass(1)
    this.rig.effects()
  }

  /** One more change, which the edge hears of. */
  change(...patch: PatchOperation[]): void {
    this.history.change(...patch)
    this.rig.frame(this.history.last())
  }
}

/** A viewer that believes nothing: it checks that each frame fits what it holds. */
export class Model {
  seq = 0
  view: JsonObject | undefined
  position: string | undefined
  status: string | undefined
  problem: string | undefined

  take(frames: readonly ViewerFrame[]): this {
    for (const frame of frames) this.#take(frame)
    return this
  }

  /** What has come of a view in pieces. */
  #coming: { seq: number; isDense: boolean; pieces: number; view: JsonValue } | undefined

  /** What has come of a view in pieces is dropped. */
  forget(): void {
    this.#coming = undefined
  }

  /** True while a view in pieces is on its way. */
  get isComing(): boolean {
    return this.#coming !== undefined
  }

  #take(frame: ViewerFrame): void {
    if (frame.type === 'snapshot-begin') {
      this.#coming = {
        seq: frame.seq,
        isDense: frame.numbering === 'dense',
        pieces: frame.pieces,
        view: null,
      }
    } else if (frame.type === 'snapshot-piece') {
      const coming = this.#coming
      if (coming === undefined) this.problem ??= 'a piece of nothing'
      for (const [pointer, value] of frame.pairs) {
        if (coming === undefined) return
        if (pointer === '') coming.view = value as JsonValue
        else setAt(coming.view, pointer, value as JsonValue)
      }
      if (coming !== undefined) coming.pieces--
    } else if (frame.type === 'snapshot-end') {
      const coming = this.#coming
      this.#coming = undefined
      if (coming?.pieces !== 0) this.problem ??= 'pieces are missing'
      else this.#reset(coming.seq, coming.view as JsonObject, frame.position, coming.isDense)
    } else if (frame.type === 'snapshot') {
      this.#coming = undefined
      const isDense = frame.numbering === 'dense'
      this.#reset(frame.seq, frame.view as JsonObject, frame.position, isDense)
    } else if (frame.type === 'delta') {
      if (frame.from !== this.seq || frame.seq < frame.from) {
        this.problem ??= `${frame.from}>${frame.seq} at ${this.seq}`
      }
      this.seq = frame.seq
      this.position = frame.position ?? this.position
      this.view = applyPatch(this.view ?? {}, frame.patch as PatchOperation[])
      if (this.view === undefined) this.problem ??= `a patch that does not fit at ${frame.seq}`
    } else if (frame.type === 'left' || frame.type === 'refused') {
      this.#coming = undefined
    } else if (frame.type === 'status') {
      this.status = frame.code ?? frame.status
    }
  }

  #reset(seq: number, view: JsonObject, position: string, isDense: boolean): void {
    if (seq < this.seq && !isDense) this.problem ??= 'it was taken back'
    this.seq = seq
    this.view = view
    this.position = position
  }
}

function setAt(root: JsonValue, pointer: string, value: JsonValue): void {
  const segments = pointer.slice(1).split('/')
  let parent = root as Record<string, JsonValue>
  for (const segment of segments.slice(0, -1)) parent = parent[segment] as typeof parent
  const last = segments.at(-1) as string
  if (Array.isArray(parent)) parent.push(value)
  else parent[last] = value
}

/** Puts a value at a path, whether or not there is one. */
export const put = (path: string, value: JsonValue): PatchOperation => ({ op: 'add', path, value })
