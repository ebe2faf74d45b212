import { decodeUtf8, type Sha256 } from '@fanfold/kernel'
import { type LogRecord, type Position, partTags, zeroPosition } from '@fanfold/protocol'
import { isJsonObject, type JsonObject } from './json.ts'
import { applyPatch, type PatchOperation } from './patch.ts'
import { decodeState, encodeSnapshot, type Snapshot } from './snapshot.ts'

/**
 * A document as a proxy or an edge holds it: a snapshot and the records after it.
 *
 * Nothing is parsed when a record arrives. The state comes into being when somebody asks for it or
 * for a snapshot, or in slices when `settle` is called because too much waits.
 */
export class Replica {
  readonly #sha256: Sha256
  #position: Position = zeroPosition
  /** The newest snapshot at hand, in whatever form it came. */
  #snapshot: Snapshot | undefined
  /** The state at `#position` minus `#pending`; undefined while only `#snapshot` holds it. */
  #state: JsonObject | undefined
  #isMaterialised = true
  /** Records that the state does not hold yet, in order. */
  #pending: LogRecord[] = []
  #pendingBytes = 0
  #isDeleted = false
  #isBroken = false

  constructor(sha256: Sha256) {
    this.#sha256 = sha256
  }

  /** Where the replica is: after the last record it took. */
  get position(): Position {
    return this.#position
  }

  /** True after a `delete` record. */
  get isDeleted(): boolean {
    return this.#isDeleted
  }

  /** True when a record did not apply: the replica is of no more use and must be fetched again. */
  get isBroken(): boolean {
    return this.#isBroken
  }

  /** Bytes of records that wait to be applied. */
  get pendingBytes(): number {
    return this.#pendingBytes
  }

  /** Takes a verified snapshot in place of everything. */
  reset(snapshot: Snapshot): void {
    this.#snapshot = snapshot
    this.#position = snapshot.manifest.at
    this.#state = undefined
    this.#isMaterialised = false
    this.#pending = []
    this.#pendingBytes = 0
    this.#isDeleted = !snapshot.manifest.pieces.some(piece => piece.tag < partTags.crowd)
    this.#isBroken = false
  }

  /** Takes the next record, verified by the caller. */
  append(record: LogRecord): void {
    if (!this.#isBroken) {
      this.#pending.push(record)
      this.#pendingBytes += record.bytes.length
    }
    this.#position = { epoch: record.epoch, seq: record.seq, hash: record.chainHash }
    if (record.kind === 'delete') this.#isDeleted = true
    else if (record.kind === 'create') this.#isDeleted = false
  }

  /**
   * The state now, or `undefined` when the document does not exist or the replica is broken. It is
   * the replica's own object: read it, keep no part of it, change nothing.
   */
  state(): JsonObject | undefined {
    this.settle(Number.POSITIVE_INFINITY)
    return this.#isBroken ? undefined : this.#state
  }

  /** Applies at most `countMax` waiting records. */
  settle(countMax: number): void {
    if (this.#isBroken) return
    if (!this.#isMaterialised && this.#snapshot !== undefined) {
      try {
        this.#state = decodeState(this.#snapshot)
      } catch {
        this.#break()
        return
      }
      this.#isMaterialised = true
    }
    const due = this.#pending.splice(0, Math.min(countMax, this.#pending.length))
    for (const record of due) {
      this.#pendingBytes -= record.bytes.length
      if (!this.#apply(record)) {
        this.#break()
        return
      }
    }
  }

  /**
   * The newest snapshot that was made and the seq it stands at, however old: with the records after
   * it, as good as a new one.
   */
  get lastSnapshot(): Snapshot | undefined {
    return this.#snapshot
  }

  /** A snapshot at the current position, encoded once however often it is asked for. */
  snapshot(): Snapshot | undefined {
    const last = this.#snapshot
    if (last !== undefined && last.manifest.at.seq === this.#position.seq) return last
    const state = this.state()
    if (this.#isBroken || this.#position.seq === 0) return undefined
    this.#snapshot = encodeSnapshot({ at: this.#position, state, sha256: this.#sha256 })
    return this.#snapshot
  }

  /** Nothing it holds is fit to be served: the state is half changed, the snapshot leads to it. */
  #break(): void {
    this.#isBroken = true
    this.#snapshot = undefined
    this.#state = undefined
    this.#pending = []
    this.#pendingBytes = 0
  }

  #apply(record: LogRecord): boolean {
    switch (record.kind) {
      case 'create': {
        const state = parsePayload(record)
        this.#state = isJsonObject(state) ? state : undefined
        return this.#state !== undefined
      }
      case 'delta': {
        const patch = parsePayload(record) as PatchOperation[] | undefined
        if (patch === undefined || this.#state === undefined) return false
        this.#state = applyPatch(this.#state, patch)
        return this.#state !== undefined
      }
      case 'delete':
        this.#state = undefined
        return true
      default:
        // A claim, a session or a definition changes no state.
        return true
    }
  }
}

/** What the public part of a record says, parsed; `undefined` when it is not JSON. */
export function parsePayload(record: LogRecord): unknown {
  const payload = record.payload(partTags.public)
  const text = payload === undefined ? undefined : decodeUtf8(payload)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
