import { copyBytes, equalBytes, type Prng } from '@fanfold/kernel'

/** What a disk writes whole, in the best case. */
export const sectorBytes = 512

/** How a disk brings to its platter what was not synced: in the order of the writes, or in any. */
export type WriteOrder = 'in-order' | 'any-order'

/** What a power cut has done to a file. */
export type FileLoss = {
  /** Something that was not synced is gone or torn. */
  readonly isLossy: boolean
  readonly isTorn: boolean
  readonly hasZerosBehind: boolean
  /** Where the first of the lost bytes is behind which later ones have survived. */
  readonly holeAt: number | undefined
}

type Change =
  | {
      readonly number: number
      readonly kind: 'write'
      readonly at: number
      readonly bytes: Uint8Array
    }
  | { readonly number: number; readonly kind: 'cut'; readonly length: number }

/** The part of a write that lies in one sector; a cut is one too. */
type Chunk =
  | { readonly kind: 'write'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'cut'; readonly length: number }

type Fate = 'written' | 'lost' | 'first-part' | 'last-part' | 'zeros' | 'garbage'

/**
 * The bytes of a file, twice: as the system has them in memory, where everybody sees them, and as the
 * disk has them. Between them lie the changes that nobody has synced.
 *
 * A sector that was being written when the power went may hold anything where it was written, and
 * holds what it held elsewhere.
 */
export class SimulatedFile {
  readonly kind = 'file'
  changedMs: number
  /** Where bytes were lost behind which later ones have survived. */
  holeAt: number | undefined
  #cached: Uint8Array = new Uint8Array(0)
  #durable: Uint8Array = new Uint8Array(0)
  #changes: Change[] = []
  #changeCount = 0

  constructor(nowMs: number) {
    this.changedMs = nowMs
  }

  get length(): number {
    return this.#cached.length
  }

  /** The bytes that everybody sees; not to be changed. */
  get bytes(): Uint8Array {
    return this.#cached
  }

  /** How many changes there have been: a sync is of those before it. */
  get changeCount(): number {
    return this.#changeCount
  }

  get isDirty(): boolean {
    return this.#changes.length > 0
  }

  write(at: number, bytes: Uint8Array): void {
    const change = {
      number: ++this.#changeCount,
      kind: 'write',
      at,
      bytes: copyBytes(bytes),
    } as const
    this.#changes.push(change)
    this.#cached = applied(this.#cached, change)
  }

  cut(length: number): void {
    const change = { number: ++this.#changeCount, kind: 'cut', length } as const
    this.#changes.push(change)
    this.#cached = applied(this.#cached, change)
  }

  /** The first `count` of all changes are durable. */
  sync(count: number): void {
    for (const change of this.#changes) {
      if (change.number <= count) this.#durable = applied(this.#durable, change)
    }
    this.#changes = this.#changes.filter(({ number }) => number > count)
  }

  /**
   * A sync that fails: some of what was to be written is on the disk, and the system takes all of it
   * for clean. It is seen as long as it stays in memory.
   */
  failSync(prng: Prng, order: WriteOrder): FileLoss {
    const { bytes, loss } = this.#survivors(prng, order)
    this.#durable = bytes
    this.#changes = []
    this.holeAt ??= loss.holeAt
    return loss
  }

  /** The system forgets what it takes for clean; true when that was not what the disk has. */
  evict(): boolean {
    let bytes: Uint8Array = this.#durable.slice()
    for (const change of this.#changes) bytes = applied(bytes, change)
    const hasChanged = !equalBytes(bytes, this.#cached)
    this.#cached = bytes
    return hasChanged
  }

  cutPower(prng: Prng, order: WriteOrder): FileLoss {
    const { bytes, loss } = this.#survivors(prng, order)
    const holeAt = this.holeAt ?? loss.holeAt
    this.replace(bytes)
    this.holeAt = holeAt
    return loss
  }

  /** Puts other bytes in place, durably: damage, or what somebody brought back. */
  replace(bytes: Uint8Array): void {
    this.#durable = bytes
    this.#cached = bytes.slice()
    this.#changes = []
    this.holeAt = undefined
  }

  #survivors(prng: Prng, order: WriteOrder): { bytes: Uint8Array; loss: FileLoss } {
    let bytes: Uint8Array = this.#durable.slice()
    const chunks = this.#changes.flatMap(chunksOf)
    const fates = drawFates(prng, order, chunks.length)
    let lostAt: number | undefined
    let holeAt: number | undefined
    let isTorn = false
    for (const [index, chunk] of chunks.entries()) {
      const fate = fates[index] ?? 'lost'
      const isPart = fate !== 'written' && fate !== 'lost'
      if (isPart) isTorn = true
      if (chunk.kind === 'cut') {
        if (fate === 'written') bytes = applied(bytes, { ...chunk, number: 0 })
        continue
      }
      if (fate !== 'lost' && lostAt !== undefined) holeAt = Math.min(holeAt ?? lostAt, lostAt)
      if (fate === 'last-part') holeAt = Math.min(holeAt ?? chunk.at, chunk.at)
      if (fate !== 'written') lostAt = Math.min(lostAt ?? chunk.at, chunk.at)
      bytes = withFate(bytes, chunk, fate, prng)
    }
    const hasZerosBehind = bytes.length < this.#cached.length && prng.chance(0.3)
    if (hasZerosBehind) bytes = grown(bytes, this.#cached.length)
    return { bytes, loss: { isLossy: lostAt !== undefined, isTorn, hasZerosBehind, holeAt } }
  }
}

function drawFates(prng: Prng, order: WriteOrder, count: number): Fate[] {
  const style = prng.pick(
    order === 'in-order' ? (['none', 'all', 'prefix', 'prefix'] as const) : styles,
  )
  if (style === 'none') return []
  if (style === 'all') return Array.from({ length: count }, () => 'written')
  if (style === 'any') return Array.from({ length: count }, () => prng.pick(anyFates))
  const whole = prng.below(count + 1)
  const fates: Fate[] = Array.from({ length: whole }, () => 'written')
  fates.push(prng.pick(order === 'in-order' ? tornInOrder : tornFates))
  return fates.slice(0, count)
}

const styles = ['none', 'all', 'prefix', 'any', 'any'] as const
const tornInOrder = ['lost', 'first-part', 'zeros', 'garbage'] as const
const tornFates = ['lost', 'first-part', 'last-part', 'zeros', 'garbage'] as const
const anyFates = ['written', 'written', 'written', 'lost', 'lost', ...tornFates] as const

function chunksOf(change: Change): Chunk[] {
  if (change.kind === 'cut') return [change]
  const chunks: Chunk[] = []
  const end = change.at + change.bytes.length
  for (let at = change.at; at < end; ) {
    const next = Math.min(end, (Math.floor(at / sectorBytes) + 1) * sectorBytes)
    const bytes = change.bytes.subarray(at - change.at, next - change.at)
    chunks.push({ kind: 'write', at, bytes })
    at = next
  }
  return chunks
}

function withFate(
  before: Uint8Array,
  { at, bytes }: Extract<Chunk, { kind: 'write' }>,
  fate: Fate,
  prng: Prng,
): Uint8Array {
  const part = prng.below(bytes.length + 1)
  switch (fate) {
    case 'lost':
      return before
    case 'written':
      return withBytes(before, at, bytes)
    case 'first-part':
      return withBytes(before, at, bytes.subarray(0, part))
    case 'last-part':
      return withBytes(before, at + part, bytes.subarray(part))
    case 'zeros':
      return withBytes(before, at, whereChanged(before, at, bytes, new Uint8Array(bytes.length)))
    case 'garbage':
      return withBytes(before, at, whereChanged(before, at, bytes, prng.bytes(bytes.length)))
  }
}

/** What a byte was before and is to be, it also is in between. */
function whereChanged(
  before: Uint8Array,
  at: number,
  bytes: Uint8Array,
  torn: Uint8Array,
): Uint8Array {
  for (const [index, byte] of bytes.entries()) if (before[at + index] === byte) torn[index] = byte
  return torn
}

const applied = (bytes: Uint8Array, change: Change): Uint8Array =>
  change.kind === 'write'
    ? withBytes(bytes, change.at, change.bytes)
    : change.length <= bytes.length
      ? bytes.slice(0, change.length)
      : grown(bytes, change.length)

function withBytes(before: Uint8Array, at: number, bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) return before
  const after = at + bytes.length > before.length ? grown(before, at + bytes.length) : before
  after.set(bytes, at)
  return after
}

function grown(before: Uint8Array, length: number): Uint8Array {
  const after = new Uint8Array(length)
  after.set(before)
  return after
}
