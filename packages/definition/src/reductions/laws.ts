/*
 * Whether a reduction keeps to its laws, looked at with values that its author gives: order, grouping and
 * sending twice over a wire must make no difference, and no sum may be larger than it says.
 */
import { equalBytes, Prng } from '@fanfold/kernel'
import { type Reduction, reductionProblem, type Voice } from './reduction.ts'

/** What a reduction is looked at with. */
export type LawsOptions<Value> = {
  /** Values that its messages may have, the odd ones too; at least one. */
  readonly values: readonly Value[]
  /** How many times, each with another draw of crowds; 200 when not said. */
  readonly rounds?: number | undefined
  /** Draws the crowds; equal seeds draw equal ones. */
  readonly seed?: string | undefined
}

/** How many messages each of three crowds has, at most. */
const crowdMax = 40

/** Each problem once. */
type Problems = Set<string>

/**
 * What is wrong with a reduction; nothing when it keeps to its laws as far as was looked: the sum of nothing
 * changes nothing, order and grouping make no difference (bit for bit where it is exact, within `isSame` where
 * it is approximate), bytes give the same sum again and are no more than `bytesMax`, `merge` leaves what it
 * takes from as it was.
 */
export function reductionProblems<Value, Sum, Result>(
  reduction: Reduction<Value, Sum, Result>,
  options: LawsOptions<Value>,
): string[] {
  const problems: Problems = new Set()
  const shape = reductionProblem(reduction)
  if (shape !== undefined) return [shape]
  if (options.values.length === 0) throw new RangeError('values: at least one')
  const prng = new Prng(options.seed ?? 'laws')
  for (let round = 0; round < (options.rounds ?? 200); round++) {
    new Look(reduction, prng.fork(`${round}`), problems).at(options.values)
  }
  return [...problems]
}

/** One look. */
class Look<Value, Sum, Result> {
  readonly #reduction: Reduction<Value, Sum, Result>
  readonly #prng: Prng
  readonly #problems: Problems

  constructor(reduction: Reduction<Value, Sum, Result>, prng: Prng, problems: Problems) {
    this.#reduction = reduction
    this.#prng = prng
    this.#problems = problems
  }

  at(values: readonly Value[]): void {
    const crowds = [this.#crowd(values), this.#crowd(values), this.#crowd(values)] as const
    const [a, b, c] = crowds.map(crowd => this.#sumOf(crowd))
    if (a === undefined || b === undefined || c === undefined) return
    const nothing = this.#bytes(this.#reduction.empty())
    this.#same('the sum of nothing changes something', [a, nothing], [a])
    this.#same('the sum of nothing changes something', [nothing, a], [a])
    this.#same('merging depends on the order', [a, b], [b, a])
    this.#same('merging depends on the grouping', [a, b, c], [a, this.#mergedBytes([b, c])])
    const all = this.#sumOf(this.#shuffled(crowds.flat()))
    this.#same('folding all is not merging the sums of some', [a, b, c], [all])
  }

  /** What a crowd says, and by whom: the same however often it is said again. */
  #crowd(values: readonly Value[]): { value: Value; voice: Voice }[] {
    const prng = this.#prng
    return Array.from({ length: prng.below(crowdMax + 1) }, () => {
      const draw = prng.uint32()
      const voice = {
        id: `voice-${prng.below(20)}`,
        timeMs: 1_000 + prng.below(50),
        stamp: prng.below(50),
        draw: () => draw,
      }
      return { value: prng.pick(values), voice }
    })
  }

  /** The sum of a crowd as it travels; undefined when there is no room for all of it. */
  #sumOf(crowd: readonly { value: Value; voice: Voice }[]): Uint8Array | undefined {
    let sum = this.#reduction.empty()
    for (const { value, voice } of crowd) {
      const next = this.#reduction.fold(sum, value, voice)
      if (next === undefined) return undefined
      sum = next
    }
    return this.#bytes(sum)
  }

  #bytes(sum: Sum): Uint8Array {
    const { bytesMax } = this.#reduction
    const bytes = this.#reduction.encode(sum)
    if (bytes.length > bytesMax) {
      this.#problems.add(`a sum has more than bytesMax of ${bytesMax} bytes`)
    }
    if (!equalBytes(this.#reduction.encode(this.#reduction.decode(bytes)), bytes)) {
      this.#problems.add('the bytes of a sum give another sum')
    }
    return bytes
  }

  /** All in one; undefined when they do not fit. */
  #merged(parts: readonly (Uint8Array | undefined)[]): Sum | undefined {
    let sum: Sum | undefined
    for (const bytes of parts) {
      if (bytes === undefined) return undefined
      const part = this.#reduction.decode(bytes)
      if (sum === undefined) {
        sum = part
        continue
      }
      sum = this.#reduction.merge(sum, part)
      if (sum === undefined) return undefined
      if (!equalBytes(this.#reduction.encode(part), bytes)) {
        this.#problems.add('merging changes what it takes from')
      }
    }
    return sum
  }

  #mergedBytes(parts: readonly (Uint8Array | undefined)[]): Uint8Array | undefined {
    const sum = this.#merged(parts)
    return sum === undefined ? undefined : this.#bytes(sum)
  }

  /** Both ways come to the same. */
  #same(
    problem: string,
    one: readonly (Uint8Array | undefined)[],
    other: readonly (Uint8Array | undefined)[],
  ): void {
    const [a, b] = [this.#merged(one), this.#merged(other)]
    if (a === undefined || b === undefined) return
    const { accuracy, isSame } = this.#reduction
    const [bytes, otherBytes] = [this.#bytes(a), this.#bytes(b)]
    const isEqual =
      accuracy === 'exact'
        ? equalBytes(bytes, otherBytes)
        : isSame?.call(this.#reduction, a, b) === true
    if (!isEqual) this.#problems.add(problem)
  }

  #shuffled<Item>(items: readonly Item[]): Item[] {
    const shuffled = [...items]
    for (let at = shuffled.length - 1; at > 0; at--) {
      const other = this.#prng.below(at + 1)
      const item = shuffled[at] as Item
      shuffled[at] = shuffled[other] as Item
      shuffled[other] = item
    }
    return shuffled
  }
}
