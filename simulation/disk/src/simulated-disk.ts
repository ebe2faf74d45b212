/*
 * A disk that several processes have mounted, on virtual time from a seed.
 *
 * A call waits for a drawn time, and then happens as a whole and is answered; so calls overtake each
 * other, and nothing happens but in `step`. What a process sees is what was written. What outlives a
 * power cut is what was synced: files by `syncData`, names by `syncDirectory`; of the rest any part,
 * in the order of the writes or in none, with the last sector torn or all.
 *
 * When a sync fails, the system takes what it could not write for clean: it is read back until it is
 * forgotten (`evict`, a power cut), and the next sync succeeds without having written it.
 */
import type { Prng } from '@fanfold/kernel'
import { type DiskFaults, FaultDraw } from './disk-faults.ts'
import { type DiskNode, SimulatedDirectory } from './simulated-directory.ts'
import { SimulatedFile, type WriteOrder } from './simulated-file.ts'
import { SimulatedFileSystem } from './simulated-file-system.ts'
import type { Tally } from './tally.ts'

/** How long a call takes at least and at most, µs: in memory, and where it waits for the disk. */
const memoryMicros = { min: 2, max: 200 } as const
const syncMicros = { min: 200, max: 8_000 } as const
const slowFactor = 50

/** A call that has begun. */
export type Call = {
  readonly owner: object
  readonly what: string
  readonly dueMicros: number
  /** Does it and answers, or answers with an error of its own. */
  run(): string
  /** Does it or not, and never answers but with the end of the process. */
  abandon(isDone: boolean): void
}

/** How a disk is made. */
export type SimulatedDiskOptions = {
  readonly prng: Prng
  readonly order: WriteOrder
  readonly faults: DiskFaults
  readonly tally: Tally
  /** Takes what happens, call by call. */
  readonly watch?: ((atMicros: number, what: string) => void) | undefined
}

/** All that a disk holds durably, to be brought back. */
export type DiskImage = ReadonlyMap<string, SimulatedFile | undefined>

/** A disk, and what is under way to it. */
export class SimulatedDisk {
  readonly faults: FaultDraw
  readonly tally: Tally
  readonly root: SimulatedDirectory
  /** Processes that have it mounted. */
  readonly mounts: Set<SimulatedFileSystem> = new Set()
  readonly #prng: Prng
  readonly #order: WriteOrder
  readonly #watch: ((atMicros: number, what: string) => void) | undefined
  #calls: Call[] = []
  #nowMicros = 0
  #steps = 0

  constructor({ prng, order, faults, tally, watch }: SimulatedDiskOptions) {
    this.#prng = prng.fork('disk')
    this.faults = new FaultDraw(prng.fork('faults'), faults)
    this.#order = order
    this.tally = tally
    this.#watch = watch
    this.root = new SimulatedDirectory(0)
  }

  get nowMicros(): number {
    return this.#nowMicros
  }

  /** Calls that have been answered. */
  get steps(): number {
    return this.#steps
  }

  /** Whether calls are under way. */
  get isBusy(): boolean {
    return this.#calls.length > 0
  }

  /** Whether a power cut would lose something that was written. */
  get isDirty(): boolean {
    for (const [, node] of this.walk()) if (node.kind === 'file' && node.isDirty) return true
    return false
  }

  /** The file system as one more process has it. */
  mount(name: string): SimulatedFileSystem {
    return new SimulatedFileSystem(this, name)
  }

  /** A call begins; it happens in a later `step`. */
  begin(call: Omit<Call, 'dueMicros'>, waitsForDisk: boolean): void {
    const { min, max } = waitsForDisk ? syncMicros : memoryMicros
    let micros = min + this.#prng.below(max - min)
    if (this.faults.isSlow) {
      micros *= slowFactor
      this.tally.add('call slow')
    }
    this.#calls.push({ ...call, dueMicros: this.#nowMicros + micros })
  }

  /** Lets the next call happen; false when none is under way. */
  step(): boolean {
    const [first] = this.#calls
    if (first === undefined) return false
    const next = this.#calls.reduce((a, b) => (b.dueMicros < a.dueMicros ? b : a), first)
    this.#calls.splice(this.#calls.indexOf(next), 1)
    this.#nowMicros = next.dueMicros
    this.#steps++
    const outcome = next.run()
    this.#watch?.(this.#nowMicros, `${next.what} ${outcome}`)
    return true
  }

  /** A process ends: of what it has under way some still happens, in any order. */
  abandon(owner: object): void {
    const left = this.#calls.filter(call => call.owner === owner)
    this.#calls = this.#calls.filter(call => call.owner !== owner)
    while (left.length > 0) {
      const [call] = left.splice(this.#prng.below(left.length), 1)
      call?.abandon(this.#prng.chance(0.5))
    }
  }

  /** What became of a file when its sync failed. */
  failSync(file: SimulatedFile): void {
    const loss = file.failSync(this.#prng, this.#order)
    if (loss.isLossy) this.tally.add('sync failed, and what it was to write is lost')
  }

  /** The power goes; every process must have been ended. */
  cutPower(): void {
    const directories = [this.root]
    const files = new Set<SimulatedFile>()
    for (const directory of directories) {
      const loss = directory.cutPower(this.#prng, this.#order)
      if (loss.isLossy) this.tally.add('power cut: names lost')
      if (loss.hadRename) this.tally.add('power cut between rename and directory sync')
      if (loss.hasBoth) this.tally.add('power cut: file under both names of a rename')
      for (const node of directory.names.values()) {
        if (node.kind === 'directory') directories.push(node)
        else files.add(node)
      }
    }
    for (const file of files) {
      const loss = file.cutPower(this.#prng, this.#order)
      if (loss.isLossy) this.tally.add('power cut: writes lost')
      if (loss.isTorn) this.tally.add('power cut: sector torn')
      if (loss.hasZerosBehind) this.tally.add('power cut: file extended with zeros')
      if (loss.holeAt !== undefined) {
        this.tally.add('power cut: later sector without an earlier one')
      }
    }
    this.#watch?.(this.#nowMicros, 'power cut')
  }

  /** The system forgets what it holds in memory and takes for clean. */
  evict(): void {
    for (const [, node] of this.walk()) {
      if (node.kind === 'file' && node.evict()) this.tally.add('lost pages forgotten')
    }
  }

  /** Everything that there is, with its path, those above first. */
  *walk(): Generator<[path: string, node: DiskNode]> {
    const directories: [string, SimulatedDirectory][] = [['', this.root]]
    for (const [path, directory] of directories) {
      for (const [name, node] of directory.names) {
        yield [`${path}/${name}`, node]
        if (node.kind === 'directory') directories.push([`${path}/${name}`, node])
      }
    }
  }

  /** What everybody sees, as one image. */
  save(): DiskImage {
    const image = new Map<string, SimulatedFile | undefined>()
    for (const [path, node] of this.walk()) {
      image.set(path, node.kind === 'file' ? copyOf(node, new Uint8Array(node.bytes)) : undefined)
    }
    return image
  }

  /** Puts an image in the place of all that there is, durably. */
  restore(image: DiskImage): void {
    this.root.replace(new Map())
    for (const [path, file] of image) {
      const { parent, name } = this.#parentOf(path)
      const node = file ?? new SimulatedDirectory(this.nowMicros / 1_000)
      parent.replace(new Map([...parent.names, [name, node]]))
    }
  }

  /** What stands at a path. */
  find(path: string): DiskNode | undefined {
    let node: DiskNode | undefined = this.root
    for (const name of path.split('/')) {
      if (name === '' || name === '.') continue
      if (node?.kind !== 'directory') return undefined
      node = node.names.get(name)
    }
    return node
  }

  #parentOf(path: string): { parent: SimulatedDirectory; name: string } {
    const at = path.lastIndexOf('/')
    const parent = this.find(path.slice(0, at))
    if (parent?.kind !== 'directory') throw new Error(`${path} has a directory above it`)
    return { parent, name: path.slice(at + 1) }
  }
}

/** A file with other bytes, all durable. */
function copyOf({ changedMs, holeAt }: SimulatedFile, bytes: Uint8Array): SimulatedFile {
  const copy = new SimulatedFile(changedMs)
  copy.replace(bytes)
  copy.holeAt = holeAt
  return copy
}
