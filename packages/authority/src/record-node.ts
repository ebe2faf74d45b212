/*
 * A node is what the recorder knows of one container of the state while a handler runs: where it
 * is, and how it was. A container never changes its parent (what is assigned is copied), so one
 * way up leads from each node to the root, or to where the container was taken out.
 */
import {
  type DocumentLimits,
  describePointer,
  escapeSegment,
  forbiddenKeys,
  type JsonObject,
  type JsonProblem,
  type JsonValue,
  type Pointer,
  textBytes,
} from '@fanfold/document'

/** What a handler did that no document allows; the state is as if it had not tried. */
export class RecordRefusal extends Error {
  override readonly name = 'RecordRefusal'
  readonly code: JsonProblem['code']
  readonly pointer: Pointer

  constructor(code: JsonProblem['code'], pointer: Pointer, message: string) {
    super(message)
    this.code = code
    this.pointer = pointer
  }
}

/** An object or an array of the state. */
export type Container = JsonObject | JsonValue[]

/** What the nodes of one `record` share. */
export interface Recording {
  readonly limits: DocumentLimits
  /** False once the handler is done: what it kept of the state is dead. */
  readonly isOpen: boolean
  /** The stand-in for a container below `parent`: the same one each time. */
  draftOf(target: Container, parent: RecordNode, segment: string | number): object
  /** A checked copy of what a handler assigns at `segment` of `node`. */
  adopt(value: unknown, node: RecordNode, segment: string | number): JsonValue
  /** Notes that `node` is about to change for the first time. */
  changes(node: RecordNode): void
}

/** Reading this member of a stand-in gives its node; nobody outside the recorder has the symbol. */
export const nodeKey: unique symbol = Symbol('fanfold.node')

/** The node behind a stand-in, or `undefined` for what is none. */
export function nodeOf(value: object): RecordNode | undefined {
  const node: unknown = Reflect.get(value, nodeKey)
  return node instanceof RecordNode ? node : undefined
}

/** One container while a handler runs. */
export abstract class RecordNode {
  readonly recording: Recording
  readonly parent: RecordNode | undefined
  /** Segments of the pointer to the container. */
  readonly depth: number
  /** True when the container came into the state during this recording: nothing to write down. */
  readonly isFresh: boolean
  /** At least the bytes of the pointer to the container. */
  readonly #pointerBytesMax: number
  /** Where in `parent`; for an element of an array, where it was when last looked at. */
  #segment: string | number

  constructor(
    recording: Recording,
    parent: RecordNode | undefined,
    segment: string | number,
    isFresh: boolean,
  ) {
    this.recording = recording
    this.parent = parent
    this.#segment = segment
    this.isFresh = isFresh
    this.depth = parent === undefined ? 0 : parent.depth + 1
    this.#pointerBytesMax =
      parent === undefined ? 0 : parent.#pointerBytesMax + segmentBytesMax(segment)
  }

  abstract readonly target: Container

  /** The container as it was before the recording: itself if it did not change, or a shallow copy. */
  abstract before(): Container

  /** Makes the container as it was before the recording. */
  abstract restore(): void

  /** The member's name; or the index, which is right as long as no element of `parent` has moved. */
  get segment(): string | number {
    return this.#segment
  }

  /** The handler met the container here. */
  metAt(segment: string | number): void {
    this.#segment = segment
  }

  /** The pointer to the container as things are. */
  pointer(): Pointer {
    const { parent } = this
    if (parent === undefined) return ''
    const siblings = parent.target
    if (Array.isArray(siblings) && siblings[Number(this.#segment)] !== this.target) {
      const index = siblings.indexOf(this.target)
      if (index >= 0) this.#segment = index
    }
    return parent.pointerTo(this.#segment)
  }

  /** The pointer to a member or an element. */
  pointerTo(segment: string | number): Pointer {
    const name = typeof segment === 'number' ? segment : escapeSegment(segment)
    return `${this.pointer()}/${name}`
  }

  /** Throws when the handler is done and this is a leftover. */
  assertOpen(): void {
    if (!this.recording.isOpen) {
      throw new Error(
        'a part of the state was kept after its message; take it from the state anew each time',
      )
    }
  }

  refuse(code: JsonProblem['code'], segment: PropertyKey, what: string): never {
    const pointer = this.pointerTo(typeof segment === 'symbol' ? String(segment) : segment)
    throw new RecordRefusal(code, pointer, `${what}: ${describePointer(pointer)}`)
  }

  /** Throws when a member or an element at `segment` would break a limit. */
  checkSegment(segment: string | number): void {
    const { depthMax, memberNameBytesMax, pointerBytesMax } = this.recording.limits
    if (this.depth >= depthMax.value) {
      this.refuse('FANFOLD_TOO_DEEP', segment, `a value is at most ${depthMax.value} segments deep`)
    }
    if (typeof segment === 'string') {
      if (forbiddenKeys.has(segment)) {
        this.refuse('FANFOLD_FORBIDDEN_KEY', segment, `no member may be named ${segment}`)
      }
      // A UTF-16 unit is at most six bytes of JSON: short names need not be counted.
      if (segment.length * 6 > memberNameBytesMax.value) {
        const bytes = textBytes(segment) - 2
        if (bytes > memberNameBytesMax.value) {
          const max = memberNameBytesMax.value
          const what = `a member's name has at most ${max} bytes, got ${bytes}`
          this.refuse('FANFOLD_TOO_LARGE', segment, what)
        }
      }
    }
    if (this.#pointerBytesMax + segmentBytesMax(segment) > pointerBytesMax.value) {
      const bytes = textBytes(this.pointerTo(segment)) - 2
      if (bytes > pointerBytesMax.value) {
        const what = `a pointer has at most ${pointerBytesMax.value} bytes, got ${bytes}`
        this.refuse('FANFOLD_TOO_LARGE', segment, what)
      }
    }
  }

  // What no stand-in allows, whatever is behind it.

  defineProperty(_target: object, key: PropertyKey): boolean {
    return this.refuse('FANFOLD_NOT_JSON', key, 'a member is set by assignment only')
  }

  setPrototypeOf(): boolean {
    return this.refuse('FANFOLD_NOT_JSON', '__proto__', 'a document has no prototypes')
  }

  preventExtensions(): boolean {
    throw new RecordRefusal(
      'FANFOLD_NOT_JSON',
      this.pointer(),
      `the state cannot be frozen: ${describePointer(this.pointer())}`,
    )
  }

  ownKeys(target: object): (string | symbol)[] {
    this.assertOpen()
    return Reflect.ownKeys(target)
  }

  /** What reading a member or an element gives. */
  protected read(value: JsonValue, segment: string | number): unknown {
    if (typeof value !== 'object' || value === null) return value
    return this.recording.draftOf(value, this, segment)
  }
}

/** A slash, and at most six bytes of JSON for a unit (`~` and `/` become two). */
const segmentBytesMax = (segment: string | number): number =>
  typeof segment === 'number' ? 11 : 1 + 6 * segment.length
