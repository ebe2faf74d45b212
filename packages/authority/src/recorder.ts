/*
 * Runs a handler on the state itself and writes down what it changed. The handler sees stand-ins
 * (proxies) made as it walks; a change goes through to the state at once, and how each touched
 * member was is kept. From that come the patch and the undo.
 *
 * The cost follows the change: no document is copied or compared, and no map's keys are listed,
 * however many it has. An array whose elements move is the exception: its references are copied
 * and compared once.
 */

import {
  adoptJson,
  type DocumentLimits,
  documentLimits,
  type JsonObject,
  type JsonProblem,
  type JsonValue,
  type PatchOperation,
  type Pointer,
} from '@fanfold/document'
import { AssertionError, assert } from '@fanfold/kernel'
import { ArrayNode } from './record-array.ts'
import {
  type Container,
  nodeOf,
  type Recording,
  type RecordNode,
  RecordRefusal,
} from './record-node.ts'
import { ObjectNode } from './record-object.ts'
import { writePatch } from './record-patch.ts'

/** Why a handler's changes do not count; the state is as before. */
export type RecordProblem = {
  readonly code: JsonProblem['code'] | 'FANFOLD_HANDLER_FAILED'
  /** Where, if the problem has a place. */
  readonly pointer?: Pointer | undefined
  readonly message: string
}

/** What became of a handler's run. */
export type Recorded =
  | {
      readonly ok: true
      /**
       * What changed, in few operations; empty when nothing did. Values in it are the state's own:
       * encode the patch before the state changes again, and keep none of it.
       */
      readonly patch: PatchOperation[]
      /** By how much `jsonBytes` of the state grew. */
      readonly bytesDelta: number
      /** Makes the state as it was. Of several recordings, undo the newest first; each once. */
      undo(): void
    }
  | { readonly ok: false; readonly problem: RecordProblem }

/** Bounds of one recording. */
export type RecordOptions = {
  /** Default: `documentLimits`. */
  readonly limits?: DocumentLimits | undefined
  /** By how many bytes the state may grow; default: without this bound. */
  readonly stateBytesLeft?: number | undefined
}

/**
 * Runs `run` on a stand-in for `root` and answers with the patch, or with the problem after undoing
 * everything. What the handler throws is a problem; only our own assertions are thrown on.
 */
export function record(
  root: JsonObject,
  run: (draft: JsonObject) => unknown,
  options: RecordOptions = {},
): Recorded {
  const limits = options.limits ?? documentLimits
  const recording = new OpenRecording(root, limits)
  try {
    const result = run(recording.draft)
    if (isThenable(result)) {
      // Its changes after this moment fail; nobody waits to hear of it.
      result.then(ignore, ignore)
      throw new Error('a handler is synchronous, this one returned a promise')
    }
    recording.close()
    const { patch, patchBytes, bytesDelta } = recording.write()
    const patchBytesMax = limits.patchBytesMax.value
    if (patchBytes > patchBytesMax) {
      const message = `a change has at most ${patchBytesMax} bytes, got ${patchBytes}`
      throw new RecordRefusal('FANFOLD_TOO_LARGE', '', message)
    }
    const bytesLeft = options.stateBytesLeft ?? Number.POSITIVE_INFINITY
    if (bytesDelta > 0 && bytesDelta > bytesLeft) {
      const message = `the state can grow by ${Math.max(0, bytesLeft)} bytes, not by ${bytesDelta}`
      throw new RecordRefusal('FANFOLD_TOO_LARGE', '', message)
    }
    return { ok: true, patch, bytesDelta, undo: () => recording.undo() }
  } catch (error) {
    recording.close()
    recording.undo()
    if (error instanceof AssertionError) throw error
    return { ok: false, problem: problemOf(error) }
  }
}

class OpenRecording implements Recording {
  readonly limits: DocumentLimits
  readonly draft: JsonObject
  isOpen = true
  readonly #nodes = new Map<Container, ObjectNode | ArrayNode>()
  /** Containers that were assigned: what is in them is new as a whole. */
  readonly #adopted = new Set<JsonValue>()
  readonly #changed: RecordNode[] = []
  #writtenBytes = 0
  #isUndone = false

  constructor(root: JsonObject, limits: DocumentLimits) {
    this.limits = limits
    const node = new ObjectNode(this, undefined, '', root, false)
    this.#nodes.set(root, node)
    this.draft = node.draft
  }

  close(): void {
    this.isOpen = false
  }

  write(): ReturnType<typeof writePatch> {
    return writePatch(this.#changed, this.#nodes)
  }

  undo(): void {
    assert(!this.#isUndone, 'a recording is undone once')
    this.#isUndone = true
    for (const node of this.#changed) node.restore()
  }

  draftOf(target: Container, parent: RecordNode, segment: string | number): object {
    const known = this.#nodes.get(target)
    if (known !== undefined) {
      known.metAt(segment)
      return known.draft
    }
    const isFresh = parent.isFresh || this.#adopted.has(target)
    const node = Array.isArray(target)
      ? new ArrayNode(this, parent, segment, target, isFresh)
      : new ObjectNode(this, parent, segment, target, isFresh)
    this.#nodes.set(target, node)
    return node.draft
  }

  changes(node: RecordNode): void {
    this.#changed.push(node)
  }

  adopt(value: unknown, node: RecordNode, segment: string | number): JsonValue {
    if (typeof value === 'number' && Number.isFinite(value)) return value === 0 ? 0 : value
    if (typeof value === 'boolean' || value === null) return value
    if (typeof value === 'string') {
      // A unit is at most six bytes of JSON: a short text needs no counting.
      const bytes = value.length * 6 + 2
      if (bytes <= this.limits.textBytesMax.value) return this.#spend(value, value.length + 2, node)
    }
    const adopted = adoptJson(value, this.limits, node.pointerTo(segment), behind)
    if (!adopted.ok) {
      const { code, pointer, message } = adopted.problem
      throw new RecordRefusal(code, pointer, message)
    }
    if (typeof adopted.value === 'object') this.#adopted.add(adopted.value)
    return this.#spend(adopted.value, adopted.bytes, node)
  }

  #spend(value: JsonValue, bytes: number, node: RecordNode): JsonValue {
    this.#writtenBytes += bytes
    const max = this.limits.writtenBytesMax.value
    if (this.#writtenBytes > max) {
      const message = `one message assigns at most ${max} bytes, got ${this.#writtenBytes}`
      throw new RecordRefusal('FANFOLD_TOO_LARGE', node.pointer(), message)
    }
    return value
  }
}

/** What is behind a stand-in; anything else is itself. */
function behind(value: object): object {
  const node = nodeOf(value)
  node?.assertOpen()
  return node === undefined ? value : node.target
}

function problemOf(error: unknown): RecordProblem {
  if (error instanceof RecordRefusal) {
    const { code, pointer, message } = error
    return { code, pointer, message }
  }
  return { code: 'FANFOLD_HANDLER_FAILED', message: describeThrown(error) }
}

/** The text of what a handler threw, which may be anything, and may throw when it is looked at. */
function describeThrown(error: unknown): string {
  try {
    const text = error instanceof Error ? error.message : String(error)
    return String(text).slice(0, thrownLengthMax)
  } catch {
    return `the handler threw a ${typeof error}`
  }
}

/** Units of a thrown message that reach the writer. */
const thrownLengthMax = 500

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'

const ignore = (): void => undefined
