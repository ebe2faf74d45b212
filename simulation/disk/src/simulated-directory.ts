import type { Prng } from '@fanfold/kernel'
import type { SimulatedFile, WriteOrder } from './simulated-file.ts'

/** What a name may stand for. */
export type DiskNode = SimulatedFile | SimulatedDirectory

type NameChange = { readonly number: number } & (
  | { readonly kind: 'link'; readonly name: string; readonly node: DiskNode }
  | { readonly kind: 'unlink'; readonly name: string }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }
)

/** What a power cut has done to the names of a directory. */
export type NameLoss = {
  readonly isLossy: boolean
  /** A rename had not been made durable; what became of it is not said. */
  readonly hadRename: boolean
  /** A file is there under its old and its new name. */
  readonly hasBoth: boolean
}

/** Names, as everybody sees them and as the disk has them. */
export class SimulatedDirectory {
  readonly kind = 'directory'
  readonly changedMs: number
  #names = new Map<string, DiskNode>()
  #durable = new Map<string, DiskNode>()
  #changes: NameChange[] = []
  #changeCount = 0

  constructor(nowMs: number) {
    this.changedMs = nowMs
  }

  get names(): ReadonlyMap<string, DiskNode> {
    return this.#names
  }

  /** How many changes there have been: a sync is of those before it. */
  get changeCount(): number {
    return this.#changeCount
  }

  link(name: string, node: DiskNode): void {
    this.#names.set(name, node)
    this.#changes.push({ number: ++this.#changeCount, kind: 'link', name, node })
  }

  unlink(name: string): void {
    this.#names.delete(name)
    this.#changes.push({ number: ++this.#changeCount, kind: 'unlink', name })
  }

  rename(from: string, to: string): void {
    const change = { number: ++this.#changeCount, kind: 'rename', from, to } as const
    apply(this.#names, change)
    this.#changes.push(change)
  }

  /** The first `count` of all changes are durable. */
  sync(count: number): void {
    for (const change of this.#changes) if (change.number <= count) apply(this.#durable, change)
    this.#changes = this.#changes.filter(({ number }) => number > count)
  }

  cutPower(prng: Prng, order: WriteOrder): NameLoss {
    const style = prng.pick(
      order === 'in-order'
        ? (['none', 'all', 'prefix'] as const)
        : (['none', 'all', 'prefix', 'any', 'any'] as const),
    )
    const whole = prng.below(this.#changes.length + 1)
    let kept = 0
    let hasBoth = false
    for (const [index, change] of this.#changes.entries()) {
      const isKept =
        style === 'all' ||
        (style === 'prefix' && index < whole) ||
        (style === 'any' && prng.chance(0.5))
      if (isKept) kept++
      // Some file systems write the new name and then take the old one away.
      const isHalf = isKept && change.kind === 'rename' && style === 'any' && prng.chance(0.6)
      const node = isHalf ? this.#durable.get(change.from) : undefined
      if (isKept) apply(this.#durable, change)
      if (!isHalf || node === undefined) continue
      this.#durable.set(change.from, node)
      hasBoth = true
    }
    const hadRename = this.#changes.some(({ kind }) => kind === 'rename')
    const isLossy = kept < this.#changes.length
    this.#changes = []
    this.#names = new Map(this.#durable)
    return { isLossy, hadRename, hasBoth }
  }

  /** Puts other names in place, durably. */
  replace(names: ReadonlyMap<string, DiskNode>): void {
    this.#durable = new Map(names)
    this.#names = new Map(names)
    this.#changes = []
  }
}

/** Of what is not there nothing can be taken away: the change before it was lost. */
function apply(names: Map<string, DiskNode>, change: NameChange): void {
  switch (change.kind) {
    case 'link':
      names.set(change.name, change.node)
      return
    case 'unlink':
      names.delete(change.name)
      return
    case 'rename': {
      const node = names.get(change.from)
      if (node === undefined) return
      names.delete(change.from)
      names.set(change.to, node)
      return
    }
  }
}
