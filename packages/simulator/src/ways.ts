/*
 * The ways between the nodes of a world, and what is amiss on them: every connection, a link or a
 * viewer's, is two ways, one for each direction.
 *
 * A connection does not notice by itself that nothing comes any more: an end closes it when it has heard
 * nothing for a time. Pings that are sent while nothing else is are no events here, as all they do is
 * keep an end from closing: when a way stops, the end that it leads to has last heard something up to
 * one ping before, and closes unless the way goes on in time. Bytes of a frame that trickles in are
 * heard.
 */
import { type Duration, type Instant, instant, milliseconds, type Prng } from '@fanfold/kernel'
import type { LinkFault } from './fault.ts'
import { noStrain, type PipeStrain } from './pipe.ts'
import { Tally } from './tally.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** How long an end waits for bytes, and how often the other one sends some at least. */
export type Silence = { readonly max: Duration; readonly ping: Duration }

/** One direction of a connection, as whoever has the connection makes it. */
export type WayOptions = {
  /** Names of nodes. */
  readonly from: string
  readonly to: string
  readonly pipe: {
    stall(): void
    unstall(): void
    strain(strain: PipeStrain): void
    sever(share: number): Instant
  }
  /** When the end that it leads to closes for want of bytes; undefined for never. */
  readonly silence: Silence | undefined
  /** The end that it leads to closes, in an event of its own; nothing for one that is not open. */
  readonly lose: (reason: string) => void
}

class Way {
  readonly options: WayOptions
  isStalled = false
  /** Nothing comes this way ever again. */
  isSilent = false
  strain: PipeStrain = noStrain
  /** How often it was stalled. */
  stalls = 0

  constructor(options: WayOptions) {
    this.options = options
  }
}

/** Two ways, there and back. */
export type Connection = readonly [there: Way, back: Way]

/** Who waits until bytes pass between two nodes. */
type Waiting = { readonly a: string; readonly b: string; readonly run: () => void }

/** What is amiss for a while. */
type LastingFault = Exclude<LinkFault, { kind: 'sever' | 'silence' }>

/** What a sender holds back longest after a cut, before it tries again, ms. */
const resumeMaxMs = 1_000
/** Mean time until an end hears that its connection is broken, ms. */
const resetMeanMs = 5
/** Share of the ends that hear of it late, and how late at most, ms. */
const lateShare = 0.3
const lateMaxMs = 1_000

/** All connections of a world. */
export class Ways {
  readonly #clock: VirtualClock
  readonly #prng: Prng
  readonly #tally: Tally
  readonly #connections = new Set<Connection>()
  readonly #faults = new Set<LastingFault>()
  #waiting: Waiting[] = []

  constructor(options: {
    readonly clock: VirtualClock
    readonly prng: Prng
    readonly tally?: Tally | undefined
  }) {
    this.#clock = options.clock
    this.#prng = options.prng
    this.#tally = options.tally ?? new Tally()
  }

  /** A connection begins, under what is amiss now. */
  open(there: WayOptions, back: WayOptions): Connection {
    const connection: Connection = [new Way(there), new Way(back)]
    this.#connections.add(connection)
    if (this.#faults.size > 0) for (const way of connection) this.#refresh(way, 0)
    return connection
  }

  /** A connection is over at both ends. */
  close(connection: Connection): void {
    this.#connections.delete(connection)
  }

  /** What happens to those who dial a node now. */
  answerOf(node: string): 'accept' | 'refuse' | 'none' {
    let answer: 'accept' | 'refuse' | 'none' = 'accept'
    for (const fault of this.#faults) {
      if (fault.kind === 'black-hole' && isNamed(fault.node, node)) return 'none'
      if (fault.kind === 'refuse' && isNamed(fault.node, node)) answer = 'refuse'
    }
    return answer
  }

  /** Whether bytes pass between two nodes, both ways. */
  isFree(a: string, b: string): boolean {
    return this.#faults.size === 0 || !(this.#isCut(a, b) || this.#isCut(b, a))
  }

  /** Runs it as soon as bytes pass, in an event of its own. */
  whenFree(a: string, b: string, run: () => void): void {
    this.#waiting.push({ a, b, run })
  }

  /** Something goes wrong now. */
  begin(fault: LinkFault): void {
    if (fault.kind === 'sever' || fault.kind === 'silence') {
      for (const connection of [...this.#connections]) {
        if (!connection.some(way => isOn(fault, way))) continue
        if (fault.kind === 'sever') this.#sever(connection)
        else for (const way of connection) this.#silence(way)
      }
      return
    }
    this.#faults.add(fault)
    this.#refreshAll(0)
    if (fault.kind === 'delay') this.#hush(fault)
  }

  /** What went wrong is over. */
  end(fault: LinkFault): void {
    if (fault.kind === 'sever' || fault.kind === 'silence') return
    if (!this.#faults.delete(fault)) return
    this.#refreshAll(fault.kind === 'cut' ? Math.min(fault.forMs, resumeMaxMs) : 0)
  }

  /** Nothing is amiss any more; connections that carry nothing break. */
  heal(): void {
    this.#faults.clear()
    this.#refreshAll(0)
    for (const connection of [...this.#connections]) {
      if (connection.some(({ isSilent }) => isSilent)) this.#sever(connection)
    }
  }

  #refreshAll(resumeMs: number): void {
    for (const connection of this.#connections) {
      for (const way of connection) this.#refresh(way, resumeMs)
    }
    const waiting = this.#waiting
    this.#waiting = []
    for (const one of waiting) {
      if (this.isFree(one.a, one.b)) this.#clock.in(0 as Duration, one.run)
      else this.#waiting.push(one)
    }
  }

  #refresh(way: Way, resumeMs: number): void {
    const { from, to, pipe } = way.options
    const strain = this.#strainOf(from, to)
    if (
      strain.delay !== way.strain.delay ||
      strain.bytesPerSecondMax !== way.strain.bytesPerSecondMax
    ) {
      way.strain = strain
      pipe.strain(strain)
    }
    if (way.isSilent) return
    const isCut = this.#isCut(from, to)
    if (isCut && !way.isStalled) this.#stall(way)
    else if (!isCut && way.isStalled) this.#resume(way, resumeMs)
  }

  #stall(way: Way): void {
    way.isStalled = true
    const stall = ++way.stalls
    way.options.pipe.stall()
    this.#listen(way, () => way.isStalled && way.stalls === stall)
  }

  /** What was cut goes on when its sender tries again: the later, the longer it was cut. */
  #resume(way: Way, resumeMs: number): void {
    const stall = way.stalls
    const goOn = (): void => {
      if (!way.isStalled || way.isSilent || way.stalls !== stall) return
      if (this.#isCut(way.options.from, way.options.to)) return
      way.isStalled = false
      way.options.pipe.unstall()
    }
    if (resumeMs < 1 || this.#prng.chance(0.5)) goOn()
    else this.#clock.in(milliseconds(this.#prng.fraction() * resumeMs), goOn)
  }

  #silence(way: Way): void {
    if (!way.isStalled) this.#stall(way)
    way.isSilent = true
  }

  /** Nothing comes at first, until what is delayed does. */
  #hush(fault: Extract<LinkFault, { kind: 'delay' }>): void {
    for (const connection of this.#connections) {
      for (const way of connection) {
        const { silence } = way.options
        if (silence === undefined || !isOn(fault, way)) continue
        if (fault.byMs * 1000 > silence.max) this.#listen(way, () => this.#faults.has(fault))
      }
    }
  }

  /** The end that the way leads to closes if `isQuiet` by the time that it has waited long enough. */
  #listen({ options: { silence, lose } }: Way, isQuiet: () => boolean): void {
    if (silence === undefined) return
    const heardBefore = this.#prng.below(silence.ping)
    this.#clock.in((silence.max - heardBefore) as Duration, () => {
      if (!isQuiet()) return
      this.#tally.add('silence noticed')
      lose(`silent: nothing for ${silence.max / 1000} ms`)
    })
  }

  #sever(connection: Connection): void {
    this.#tally.add('connection severed')
    for (const { options } of connection) {
      const share = this.#prng.chance(0.5) ? this.#prng.below(2) : this.#prng.fraction()
      const lastAt = options.pipe.sever(share)
      const lateMs = this.#prng.chance(lateShare)
        ? this.#prng.fraction() * lateMaxMs
        : -resetMeanMs * Math.log(1 - this.#prng.fraction())
      const heardAt = instant(lastAt + milliseconds(lateMs))
      this.#clock.at(heardAt, () => options.lose('lost: the connection was reset'))
    }
  }

  #isCut(from: string, to: string): boolean {
    for (const fault of this.#faults) {
      if (fault.kind === 'cut' && isNamed(fault.from, from) && isNamed(fault.to, to)) return true
    }
    return false
  }

  #strainOf(from: string, to: string): PipeStrain {
    let delay = 0
    let bytesPerSecondMax = Infinity
    for (const fault of this.#faults) {
      if (fault.kind !== 'delay' && fault.kind !== 'slow-link') continue
      if (!isNamed(fault.from, from) || !isNamed(fault.to, to)) continue
      if (fault.kind === 'delay') delay += milliseconds(fault.byMs)
      else bytesPerSecondMax = Math.min(bytesPerSecondMax, fault.bytesPerSecond)
    }
    return delay === 0 && bytesPerSecondMax === Infinity
      ? noStrain
      : { delay: delay as Duration, bytesPerSecondMax }
  }
}

const isNamed = (pattern: string, node: string): boolean => pattern === '*' || pattern === node

const isOn = (fault: { readonly from: string; readonly to: string }, way: Way): boolean =>
  isNamed(fault.from, way.options.from) && isNamed(fault.to, way.options.to)
