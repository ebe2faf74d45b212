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
    light(bytes: number, run: () => void): void
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
  /** Nothing that is sent from now on comes, and the end that it leads to hears of it soon. */
  isBroken = false
  /** Nothing comes until it breaks, and some of that then comes late. */
  isHeld = false
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
/** Share of the connections that break at a byte that is sent soon, how far off it is at most, and until when. */
const fuseShare = 0.6
const fuseBytesMax = 4_000
const fuseMaxMs = 500
/** Share of those of which one direction carries nothing already. */
const heldShare = 0.5
/** Share of the ends that hear of it late, and how late at most, ms. */
const lateShare = 0.4
const lateMaxMs = 2_000

/** All connections of a world. */
export class Ways {
  readonly #clock: VirtualClock
  readonly #prng: Prng
  readonly #tally: Tally
  readonly #connections = new Set<Connection>()
  readonly #faults = new Set<LastingFault>()
  /** Nodes whose processes do nothing, and since which pause. */
  readonly #paused = new Map<string, number>()
  #pauses = 0
  #waiting: Waiting[] = []
  /** Connections that are about to break. */
  readonly #doomed = new Set<Connection>()

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
    this.#doomed.delete(connection)
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
    if (this.#faults.size === 0 && this.#paused.size === 0) return true
    if (this.#paused.has(a) || this.#paused.has(b)) return false
    return !this.isCutOff(a, b)
  }

  /** Whether no bytes pass between the machines of two nodes, one way or both. */
  isCutOff(a: string, b: string): boolean {
    return this.#isCut(a, b) || this.#isCut(b, a)
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
        if (fault.kind === 'sever') this.#severSoon(connection)
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

  /** The process of a node does nothing: those that it has connections with hear nothing of it. */
  pause(node: string): void {
    const pause = ++this.#pauses
    this.#paused.set(node, pause)
    for (const connection of this.#connections) {
      for (const way of connection) {
        if (way.options.from === node) this.#listen(way, () => this.#paused.get(node) === pause)
      }
    }
  }

  /** It goes on. */
  resume(node: string): void {
    if (this.#paused.delete(node)) this.#letPass()
  }

  /** Nothing is amiss any more; connections that carry nothing break. */
  heal(): void {
    this.#faults.clear()
    this.#refreshAll(0)
    for (const connection of [...this.#connections]) {
      if (connection.some(({ isSilent }) => isSilent)) this.#sever(connection)
    }
    for (const connection of [...this.#doomed]) this.#sever(connection)
  }

  #refreshAll(resumeMs: number): void {
    for (const connection of this.#connections) {
      for (const way of connection) this.#refresh(way, resumeMs)
    }
    this.#letPass()
  }

  /** Those who wait and need not any more. */
  #letPass(): void {
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
    if (way.isSilent || way.isBroken || way.isHeld) return
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
      if (!way.isStalled || way.isSilent || way.isBroken || way.stalls !== stall) return
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
  #listen({ options: { to, silence, lose } }: Way, isQuiet: () => boolean): void {
    if (silence === undefined) return
    const heardBefore = this.#prng.below(silence.ping)
    const judge = (): void => {
      if (!isQuiet()) return
      // Time in which it does nothing itself does not count.
      if (this.#paused.has(to)) {
        this.#clock.in(silence.max, judge)
        return
      }
      this.#tally.add('silence noticed')
      lose(`silent: nothing for ${silence.max / 1000} ms`)
    }
    this.#clock.in((silence.max - heardBefore) as Duration, judge)
  }

  /** Now, or when some bytes more have gone one way or the other, so that it breaks amid them. */
  #severSoon(connection: Connection): void {
    if (!this.#prng.chance(fuseShare)) {
      this.#sever(connection)
      return
    }
    this.#doomed.add(connection)
    const run = (): void => {
      if (this.#doomed.has(connection)) this.#sever(connection)
    }
    const held = this.#prng.chance(heldShare) ? this.#prng.pick(connection) : undefined
    for (const way of connection) {
      if (way === held && !way.isStalled) {
        way.isHeld = true
        way.options.pipe.stall()
      } else {
        way.options.pipe.light(fuseBytesMax ** this.#prng.fraction(), run)
      }
    }
    this.#clock.in(milliseconds(fuseMaxMs), run)
  }

  #sever(connection: Connection): void {
    this.#doomed.delete(connection)
    this.#tally.add('connection severed')
    for (const way of connection) if (!way.isBroken) this.#break(way)
  }

  #break(way: Way): void {
    const { pipe, lose } = way.options
    way.isBroken = true
    const share = this.#prng.chance(0.5) ? this.#prng.below(2) : this.#prng.fraction()
    const isLate = way.isHeld || this.#prng.chance(lateShare)
    const lateMs = isLate
      ? this.#prng.fraction() * lateMaxMs
      : -resetMeanMs * Math.log(1 - this.#prng.fraction())
    const lastAt = pipe.sever(share)
    const late = milliseconds(lateMs)
    // What arrives late may meet the connection that has taken this one's place.
    if (isLate && !way.isStalled) {
      pipe.stall()
      this.#clock.in(late, () => pipe.unstall())
    }
    const heardAt = instant(Math.max(lastAt, this.#clock.now + late) + 1)
    this.#clock.at(heardAt, () => lose('lost: the connection was reset'))
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
