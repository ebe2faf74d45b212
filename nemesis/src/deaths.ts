/*
 * Nodes that died, and what the histories show of each: how soon it was missed, and how long somebody waited
 * for something new. A wait is put down to those who died within it. Where nobody did, it is the machine's.
 */
import { type Histogram, histogramOf } from './histogram.ts'

/** A node that was killed. */
export type Death = {
  readonly node: string
  readonly role: string | undefined
  /** Where it was reached. */
  readonly url: string
  readonly atMs: number
  /** When it listened again. */
  backAtMs?: number
}

/** What a node says of another in its log. */
export type NodeNotice = {
  readonly node: string
  readonly event: 'link.parent-lost' | 'link.peer-lost' | 'fleet.member-left'
  readonly about: string
  readonly atMs: number
}

/** Waits that are shorter are those between two writes, ms. */
export const waitMsMin = 200
/** What was under way is shown for so long after a death, ms. */
const inFlightMs = 300
/** Who misses a node has noticed within so long; later it is about the next death, ms. */
const noticeMsMax = 10_000

/** Changes that are less than a snapshot; where more were missed, a snapshot may be smaller. */
const fewMax = 8

/** How connections of viewers went on that were lost: with a change, or with a snapshot. */
export type Resumes = {
  readonly resumed: number
  readonly snapshots: number
  /** Those of them for whom the changes that were missed would have been less. */
  readonly snapshotsForFew: number
}

type Wait = { readonly fromMs: number; readonly toMs: number }

/** Waits of one kind, as events come. */
class Waits {
  readonly waits: Wait[] = []
  #lastMs: number | undefined

  add(atMs: number): void {
    const fromMs = this.#lastMs ?? atMs
    if (atMs - fromMs >= waitMsMin) this.waits.push({ fromMs, toMs: atMs })
    this.#lastMs = atMs
  }
}

const entryOf = <Value>(map: Map<string, Value>, key: string, make: () => Value): Value => {
  const value = map.get(key) ?? make()
  map.set(key, value)
  return value
}

/** Collects what the histories say; those of writers come first. */
export class DeathsSeen {
  readonly #deaths: readonly Death[]
  readonly #acks = new Map<string, Waits>()
  readonly #views = new Map<string, { readonly doc: string; readonly waits: Waits }>()
  readonly #lostAt = new Map<string, number>()
  readonly #times = {
    viewerMisses: [] as number[],
    viewerIsBack: [] as number[],
    childMisses: [] as number[],
    peerMisses: [] as number[],
    fleetMisses: [] as number[],
  }
  readonly #seqs = new Map<string, number>()
  readonly #resumes = { resumed: 0, snapshots: 0, snapshotsForFew: 0 }

  constructor(deaths: readonly Death[]) {
    this.#deaths = deaths
  }

  /** A write was acknowledged. */
  acknowledged(doc: string, atMs: number): void {
    entryOf(this.#acks, doc, () => new Waits()).add(atMs)
  }

  /** A viewer lost the connection to an address, or has one again. */
  lineLost(viewer: string, url: string, atMs: number): void {
    this.#lostAt.set(viewer, atMs)
    const death = this.#latest(death => death.role === 'edge' && death.url.endsWith(url), atMs)
    if (death !== undefined) this.#times.viewerMisses.push(atMs - death.atMs)
  }

  /** A viewer was shown a change or a snapshot. */
  shown(event: {
    readonly viewer: string
    readonly doc: string
    readonly kind: 'snapshot' | 'delta'
    readonly seq: number
    readonly atMs: number
  }): void {
    const { viewer, doc, kind, seq, atMs } = event
    const missed = seq - (this.#seqs.get(viewer) ?? 0)
    this.#seqs.set(viewer, seq)
    entryOf(this.#views, viewer, () => ({ doc, waits: new Waits() })).waits.add(atMs)
    const lostAtMs = this.#lostAt.get(viewer)
    if (lostAtMs === undefined) return
    this.#lostAt.delete(viewer)
    this.#times.viewerIsBack.push(atMs - lostAtMs)
    if (kind === 'delta') this.#resumes.resumed++
    else this.#resumes.snapshots++
    if (kind === 'snapshot' && missed <= fewMax) this.#resumes.snapshotsForFew++
  }

  /** A node noticed that another one is gone. */
  noticed({ node, event, about, atMs }: NodeNotice): void {
    const death = this.#latest(death => death.node === about, atMs)
    // Who has died meanwhile itself notices when it is back.
    const own = this.#latest(death => death.node === node, atMs)
    if (death === undefined || (own?.atMs ?? 0) >= death.atMs) return
    const { childMisses, peerMisses, fleetMisses } = this.#times
    const ms = atMs - death.atMs
    if (event === 'fleet.member-left') fleetMisses.push(ms)
    else if (event === 'link.peer-lost') peerMisses.push(ms)
    else childMisses.push(ms)
  }

  /** How connections went on that were lost. */
  get resumes(): Resumes {
    return this.#resumes
  }

  /** All of it. */
  histograms(): Record<DeathTime, Histogram> {
    const silences = this.#silences()
    const { viewerMisses, viewerIsBack, childMisses, peerMisses, fleetMisses } = this.#times
    return {
      viewerMisses: histogramOf('a viewer misses its edge, ms after its death', viewerMisses),
      viewerIsBack: histogramOf('and is shown something new, ms after that', viewerIsBack),
      childMisses: histogramOf('a node below misses a node, ms after its death', childMisses),
      peerMisses: histogramOf('an authority misses the other, ms after its death', peerMisses),
      fleetMisses: histogramOf('a node knows that another has left, ms', fleetMisses),
      followers: histogramOf('silence as proxies or edges died, ms', silences.followers),
      authority: histogramOf('silence as an authority died, ms', silences.authority),
      nobodyWrites: histogramOf('silence as both authorities were dead, ms', silences.both),
      nobodyDied: histogramOf('silence while nobody died, ms', silences.nobody),
      writers: histogramOf('a document is not written as its authority died, ms', silences.writes),
      writersAlone: histogramOf('not written as both were dead, ms', silences.writesAlone),
    }
  }

  #silences(): Record<
    'followers' | 'authority' | 'both' | 'nobody' | 'writes' | 'writesAlone',
    number[]
  > {
    const found = {
      followers: [] as number[],
      authority: [] as number[],
      both: [] as number[],
      nobody: [] as number[],
      writes: [] as number[],
      writesAlone: [] as number[],
    }
    for (const { waits } of this.#acks.values()) {
      for (const wait of waits) {
        if (this.#causes(wait, 'authority').length === 0) continue
        const times = this.#isWithoutAuthority(wait) ? found.writesAlone : found.writes
        times.push(wait.toMs - wait.fromMs)
      }
    }
    for (const { doc, waits } of this.#views.values()) {
      const unwritten = this.#acks.get(doc)?.waits ?? []
      for (const wait of waits.waits) {
        const isUnwritten = unwritten.some(
          one => one.fromMs < wait.toMs && one.toMs > wait.fromMs - inFlightMs,
        )
        const ms = wait.toMs - wait.fromMs
        if (isUnwritten && this.#causes(wait, 'authority').length > 0) {
          const times = this.#isWithoutAuthority(wait) ? found.both : found.authority
          times.push(ms)
        } else if (this.#causes(wait).length > 0) found.followers.push(ms)
        else found.nobody.push(ms)
      }
    }
    return found
  }

  #causes({ fromMs, toMs }: Wait, role?: string): readonly Death[] {
    return this.#deaths.filter(death => {
      const isOf = role === undefined || death.role === role
      return isOf && death.atMs >= fromMs - inFlightMs && death.atMs <= toMs
    })
  }

  /** True when two authorities were dead at one instant of it. */
  #isWithoutAuthority({ fromMs, toMs }: Wait): boolean {
    const away = this.#deaths.filter(
      ({ role, atMs, backAtMs = Number.POSITIVE_INFINITY }) =>
        role === 'authority' && atMs <= toMs && backAtMs >= fromMs - inFlightMs,
    )
    return away.some((one, index) =>
      away.slice(index + 1).some(other => {
        const isOther = one.node !== other.node
        const endMs = one.backAtMs ?? Number.POSITIVE_INFINITY
        return isOther && other.atMs <= endMs
      }),
    )
  }

  #latest(is: (death: Death) => boolean, atMs: number): Death | undefined {
    return this.#deaths.findLast(
      death => is(death) && death.atMs <= atMs && atMs - death.atMs <= noticeMsMax,
    )
  }
}

/** What of a death was timed. */
export type DeathTime =
  | 'viewerMisses'
  | 'viewerIsBack'
  | 'childMisses'
  | 'peerMisses'
  | 'fleetMisses'
  | 'followers'
  | 'authority'
  | 'nobodyWrites'
  | 'nobodyDied'
  | 'writers'
  | 'writersAlone'
