/*
 * The warm store port on virtual time: what is kept is a `WarmDisk`, which outlives the node. Each
 * operation takes a drawn while and then happens all at once.
 *
 * When a node crashes, what was not answered yet is lost. What was kept last may be lost with it, or be
 * torn: its newest records are missing, or a byte of its snapshot is another one. On a disk that is not
 * well nothing is kept, and where no file can be opened nothing is found; no process ends by that. What
 * cannot be read is not found either, and is kept no more.
 */
import type { WarmDocument, WarmEffect, WarmInput, WarmStore } from '@fanfold/document'
import { type Instant, instant, type Prng, unreachable } from '@fanfold/kernel'
import type { DocumentKey } from '@fanfold/protocol'
import type { DiskHealth } from './disk-health.ts'
import type { DiskOptions } from './simulated-log-store.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** What a node has kept; it outlives the stores that write it. */
export class WarmDisk {
  readonly #documents = new Map<DocumentKey, WarmDocument>()
  readonly #damage: { readonly share: number; readonly prng: Prng } | undefined
  #last: DocumentKey | undefined

  /** @param damage the share of what is read that has another bit than what was kept */
  constructor(damage?: { readonly share: number; readonly prng: Prng }) {
    this.#damage = damage
  }

  /** Documents kept. */
  get count(): number {
    return this.#documents.size
  }

  read(doc: DocumentKey): WarmDocument | undefined {
    const document = this.#documents.get(doc)
    const damage = this.#damage
    if (document === undefined || damage?.prng.chance(damage.share) !== true) return document
    return damaged(document, damage.prng)
  }

  keep(doc: DocumentKey, document: WarmDocument): void {
    this.#documents.set(doc, document)
    this.#last = doc
  }

  drop(doc: DocumentKey): void {
    this.#documents.delete(doc)
  }

  /** A crash of the machine: what was kept last may be gone, or torn. */
  crash(prng: Prng): void {
    const doc = this.#last
    const document = doc && this.#documents.get(doc)
    this.#last = undefined
    if (doc === undefined || document === undefined) return
    const fate = prng.pick(['lost', 'shorter', 'damaged', 'whole', 'whole'])
    if (fate === 'lost') this.#documents.delete(doc)
    if (fate === 'shorter') this.#documents.set(doc, withoutTail(document, prng))
    if (fate === 'damaged') this.#documents.set(doc, damaged(document, prng))
  }
}

/** A node's warm store on a simulated disk. */
export class SimulatedWarmStore implements WarmStore {
  readonly #clock: VirtualClock
  readonly #prng: Prng
  readonly #options: DiskOptions
  readonly #disk: WarmDisk
  readonly #receive: (input: WarmInput) => void
  readonly #health: DiskHealth | undefined
  #busyUntil: Instant = instant(0)
  #underWay = 0
  #isGone = false
  #whenIdle: (() => void)[] = []

  constructor(options: {
    readonly clock: VirtualClock
    readonly prng: Prng
    readonly options: DiskOptions
    readonly disk: WarmDisk
    /** Takes the answers, each in an event of its own. */
    readonly receive: (input: WarmInput) => void
    /** How it stands with the disk; well, when it is not said. */
    readonly health?: DiskHealth | undefined
  }) {
    this.#health = options.health
    this.#clock = options.clock
    this.#prng = options.prng
    this.#options = options.options
    this.#disk = options.disk
    this.#receive = options.receive
  }

  perform(effect: WarmEffect): void {
    const { doc } = effect
    switch (effect.kind) {
      case 'warm-read':
        this.#later(() => {
          const { isOutOfFiles = false, isUnreadable = false } = this.#health ?? {}
          if (isUnreadable && !isOutOfFiles) this.#disk.drop(doc)
          const isFound = !isOutOfFiles && !isUnreadable
          const document = isFound ? this.#disk.read(doc) : undefined
          this.#receive({ kind: 'warm-read', doc, document })
        })
        return
      case 'warm-keep': {
        const { document } = effect
        this.#later(() => {
          const isKept = !this.#isUnwritable
          if (isKept) this.#disk.keep(doc, document)
          this.#receive({ kind: 'warm-kept', doc, isKept })
        })
        return
      }
      case 'warm-drop':
        this.#later(() => this.#disk.drop(doc))
        return
      default:
        unreachable(effect)
    }
  }

  close(): Promise<void> {
    if (this.#underWay === 0) return Promise.resolve()
    return new Promise(resolve => this.#whenIdle.push(resolve))
  }

  /** The node is gone at this moment: what is under way does not happen. */
  crash(): void {
    this.#isGone = true
  }

  get #isUnwritable(): boolean {
    const health = this.#health
    return health !== undefined && (health.isFull || health.isOutOfFiles || health.isBroken)
  }

  #later(happen: () => void): void {
    const { syncMinMs, syncMeanMs } = this.#options
    const leastMicros = (syncMinMs + (this.#health?.slowMs ?? 0)) * 1000
    const micros = leastMicros - syncMeanMs * 1000 * Math.log(1 - this.#prng.fraction())
    const start = Math.max(this.#clock.now, this.#busyUntil)
    this.#busyUntil = instant(start + Math.max(1, Math.round(micros)))
    this.#underWay++
    this.#clock.at(this.#busyUntil, () => {
      if (!this.#isGone) happen()
      this.#underWay--
      if (this.#underWay > 0) return
      for (const resume of this.#whenIdle.splice(0)) resume()
    })
  }
}

const withoutTail = (document: WarmDocument, prng: Prng): WarmDocument => ({
  ...document,
  records: document.records.slice(0, prng.below(document.records.length + 1)),
})

function damaged(document: WarmDocument, prng: Prng): WarmDocument {
  const { snapshot } = document
  if (snapshot.pieces.length === 0) return document
  const at = prng.below(snapshot.pieces.length)
  const pieces = snapshot.pieces.map((piece, index) =>
    index === at ? withOtherByte(piece, prng) : piece,
  )
  return { ...document, snapshot: { ...snapshot, pieces } }
}

function withOtherByte(piece: Uint8Array, prng: Prng): Uint8Array {
  const bytes = piece.slice()
  const at = prng.below(Math.max(1, bytes.length))
  bytes[at] = (bytes[at] ?? 0) ^ (1 << prng.below(8))
  return bytes
}
