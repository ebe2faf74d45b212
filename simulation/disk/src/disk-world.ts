/*
 * The log store of production on a simulated disk: processes that come and end, power that goes, and
 * what every store says held against what is true.
 *
 * All is drawn from one seed, and nothing waits for real time: in each turn of the loop one call to
 * the disk happens, or an author does something, or a process ends.
 */
import { Prng } from '@fanfold/kernel'
import { type DocumentKey, parseDocumentKey } from '@fanfold/protocol'
import type { FileSystem } from '@fanfold/storage'
import { examineDamage } from './damage.ts'
import { DocumentTruth } from './document-truth.ts'
import { type DiskWorldOptions, drawDiskWorld } from './drawn-disk-world.ts'
import { RunTrace } from './run-trace.ts'
import { SimulatedDisk } from './simulated-disk.ts'
import { type ProcessWorld, StoreProcess } from './store-process.ts'
import { Tally } from './tally.ts'
import { nextTurn } from './turns.ts'
import { WarmShelf } from './warm-keeper.ts'
import { WorldNotes } from './world-notes.ts'

/** Turns without a call to the disk after which nobody goes on any more. */
const idleTurnsMax = 50

/** How a world ended. */
export type DiskWorldResult = {
  readonly seed: string
  readonly options: DiskWorldOptions
  /** Calls to the disk. */
  readonly events: number
  readonly virtualMs: number
  /** Equal for two runs exactly when the same happened in them. */
  readonly traceHash: string
  /** What was found to be wrong, in words; none when all is well. */
  readonly problems: readonly string[]
  /** The last events before the end, one line each. */
  readonly recent: readonly string[]
  /** What happened how often, in alphabetical order. */
  readonly tally: readonly (readonly [name: string, count: number])[]
}

/** What a run may have beside its seed. */
export type DiskWorldChanges = {
  /** Puts a fault into the way of the stores, for tests of this world. */
  readonly plant?: ((files: FileSystem) => FileSystem) | undefined
  readonly options?: Partial<DiskWorldOptions> | undefined
}

/** Runs the world of a seed. */
export const runDiskWorld = (
  seed: string,
  changes: DiskWorldChanges = {},
): Promise<DiskWorldResult> => new DiskWorld(seed, changes).run()

/** When a process ends, in calls to the disk; then at once, or as soon as something is not synced. */
type PlannedEnd = { readonly at: number; readonly isAtDirt: boolean }

/** Calls for which an end waits until something is not synced. */
const dirtPatience = 60

class DiskWorld {
  readonly #seed: string
  readonly #prng: Prng
  readonly #options: DiskWorldOptions
  readonly #plant: (files: FileSystem) => FileSystem
  readonly #disk: SimulatedDisk
  readonly #notes: WorldNotes
  readonly #truths: readonly DocumentTruth[]
  readonly #shelves: ReadonlyMap<DocumentKey, WarmShelf>
  readonly #processes: StoreProcess[] = []
  readonly #ends = new Map<StoreProcess, PlannedEnd>()
  #processCount = 0
  /** Ends of processes amid a recovery, one after the other. */
  #brokenRecoveries = 0
  #lastRivalryAt = Number.NEGATIVE_INFINITY

  constructor(seed: string, { plant, options }: DiskWorldChanges) {
    this.#seed = seed
    this.#prng = new Prng(seed)
    this.#options = { ...drawDiskWorld(seed), ...options }
    this.#plant = plant ?? (files => files)
    const trace = new RunTrace()
    const tally = new Tally()
    this.#disk = new SimulatedDisk({
      prng: this.#prng,
      order: this.#options.order,
      faults: this.#options.faults,
      tally,
      watch: (at, what) => trace.add(at, what),
    })
    this.#notes = new WorldNotes(tally, trace, () => this.#disk.nowMicros)
    this.#truths = Array.from(
      { length: this.#options.documents },
      (_, index) => new DocumentTruth(parseDocumentKey(`acme/match/${index}`), this.#notes),
    )
    this.#shelves = new Map(this.#truths.map(({ doc }) => [doc, new WarmShelf()]))
  }

  async run(): Promise<DiskWorldResult> {
    const { steps } = this.#options
    let idleTurns = 0
    while (this.#disk.steps < steps && this.#notes.problemCount === 0) {
      await nextTurn()
      idleTurns = (await this.#turn()) ? 0 : idleTurns + 1
      if (idleTurns < idleTurnsMax) continue
      this.#notes.problem(`nothing goes on for ${idleTurns} turns`)
    }
    if (this.#notes.problemCount === 0) await this.#heal()
    for (const process of this.#processes.splice(0)) process.end()
    const { trace, tally, problems } = this.#notes
    return {
      seed: this.#seed,
      options: this.#options,
      events: this.#disk.steps,
      virtualMs: Math.round(this.#disk.nowMicros / 1_000),
      traceHash: trace.hash,
      problems,
      recent: [...trace.recent],
      tally: tally.entries,
    }
  }

  /** One thing happens; false when there was none. */
  async #turn(): Promise<boolean> {
    const prng = this.#prng
    if (this.#processes.length === 0) this.#start()
    if (this.#processes.length < this.#options.processes && prng.chance(0.02)) this.#start()
    for (const process of this.#processes) {
      if (!process.hasFailed && !this.#isDue(process)) continue
      await this.#end(process)
      return true
    }
    if (prng.chance(0.003)) this.#disk.evict()
    // Together they claim the same.
    if (prng.chance(0.01)) {
      const index = prng.below(this.#truths.length)
      for (const { authors } of this.#processes) authors[index]?.act()
      return true
    }
    if (prng.chance(0.25) && prng.pick(prng.pick(this.#processes).authors).act()) return true
    if (prng.chance(0.03) && prng.pick(this.#processes).keeper?.act() === true) return true
    if (this.#disk.step()) return true
    return this.#processes.some(process => process.authors.some(author => author.act()))
  }

  #start(): void {
    const prng = this.#prng
    const name = `p${++this.#processCount}`
    const process = new StoreProcess(
      this.#world,
      name,
      prng.fork('process'),
      this.#processes.every(({ keeper }) => keeper === undefined),
    )
    this.#processes.push(process)
    if (this.#processes.length > 1) this.#lastRivalryAt = this.#processCount
    const life = prng.chance(0.35) ? 40 : 2 * this.#options.lifeSteps
    const at = this.#disk.steps + 1 + prng.below(life)
    this.#ends.set(process, { at, isAtDirt: prng.chance(0.5) })
  }

  #isDue(process: StoreProcess): boolean {
    const end = this.#ends.get(process)
    const { steps } = this.#disk
    if (end === undefined || steps < end.at) return false
    return !end.isAtDirt || this.#disk.isDirty || steps >= end.at + dirtPatience
  }

  get #world(): ProcessWorld {
    return {
      disk: this.#disk,
      notes: this.#notes,
      options: this.#options,
      truths: this.#truths,
      shelves: this.#shelves,
      plant: this.#plant,
      hasRivals: process => this.#hasRivals(process),
    }
  }

  /** Two at a time may claim what the other has; a process started later has the directory alone. */
  #hasRivals(process: StoreProcess): boolean {
    return this.#processes.length > 1 || Number(process.name.slice(1)) <= this.#lastRivalryAt
  }

  async #end(process: StoreProcess): Promise<void> {
    const prng = this.#prng
    const choice = prng.fraction()
    if (!process.hasFailed && choice < 0.2) {
      await process.close()
      this.#forget(process)
      return
    }
    const isPowerCut = choice > 0.5
    const ended = isPowerCut ? this.#processes.slice() : [process]
    this.#noteEnds(ended, isPowerCut ? 'power cut' : 'process ended')
    // What was under way to a warm file happens or does not, and no warm file is synced.
    for (const shelf of this.#shelves.values()) shelf.last = 'any'
    for (const one of ended) {
      one.end()
      this.#forget(one)
    }
    if (!isPowerCut) {
      if (prng.chance(0.2)) this.#disk.evict()
      return
    }
    this.#disk.cutPower()
    if (prng.chance(this.#options.damage)) {
      await examineDamage(this.#world, prng.pick(this.#truths), prng.fork('damage'))
    }
  }

  #noteEnds(ended: readonly StoreProcess[], what: string): void {
    const atWork = new Set(ended.flatMap(process => process.authors.map(author => author.atWork)))
    this.#notes.count(what)
    for (const one of atWork) if (one !== undefined) this.#notes.count(`${what} amid ${one}`)
    if (!atWork.has('recovery')) {
      this.#brokenRecoveries = 0
      return
    }
    this.#brokenRecoveries++
    if (this.#brokenRecoveries === 2) this.#notes.count('ended amid the recovery of a recovery')
    if (this.#brokenRecoveries === 3) this.#notes.count('ended amid recovery three times in a row')
  }

  #forget(process: StoreProcess): void {
    this.#ends.delete(process)
    this.#processes.splice(this.#processes.indexOf(process), 1)
  }

  /** No more faults: what is there is whole, and goes on. */
  async #heal(): Promise<void> {
    this.#disk.faults.heal()
    for (const process of this.#processes.slice()) {
      await process.close()
      this.#forget(process)
    }
    for (let round = 0; round < 2; round++) {
      this.#start()
      const process = this.#processes[0]
      if (process === undefined) return
      for (let turns = 0; turns < 400; turns++) {
        await nextTurn()
        if (!this.#disk.step() || turns < 10) for (const author of process.authors) author.act()
        if (this.#notes.problemCount > 0 || process.hasFailed) return
      }
      await process.close()
      this.#forget(process)
      if (round === 0) this.#disk.cutPower()
    }
    if (this.#disk.isBusy) this.#notes.problem('calls are under way after the end')
  }
}
