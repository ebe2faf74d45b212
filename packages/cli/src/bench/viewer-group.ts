/* The viewers of one process: opened one after the other, and counted. */
import { parseEndpoints, realEnvironment } from '@fanfold/client/line'
import { HeadReader } from './frame-head.ts'
import { FrugalSocket } from './frugal-socket.ts'
import { FrugalViewer } from './frugal-viewer.ts'
import { ReplicaViewer } from './replica-viewer.ts'
import type { SwarmLook, SwarmSettings } from './swarm-message.ts'
import { SwarmTally } from './swarm-tally.ts'
import type { SwarmViewer } from './swarm-viewer.ts'

/** Handshakes under way at a time: more would wait in the system, and be late by that alone. */
const diallingMax = 256
/** How often it is looked who is next, ms. */
const openEveryMs = 20
/** As the client has it by default. */
const reconnect = { minMs: 500, maxMs: 20_000 }
const dialTimeoutMs = 10_000

/** Viewers that share a process. */
export class ViewerGroup {
  readonly tally: SwarmTally = new SwarmTally()
  readonly #viewers: readonly SwarmViewer[]
  readonly #rampPerSecond: number
  #measuredFrom = performance.eventLoopUtilization()
  #timer: NodeJS.Timeout | undefined

  constructor({ urls, watching, viewers, replicas, firstIndex, rampPerSecond }: SwarmSettings) {
    const { tally } = this
    this.#rampPerSecond = rampPerSecond
    const reader = new HeadReader()
    class TalliedSocket extends FrugalSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols, tally)
      }
    }
    const lineOptions = {
      WebSocket: TalliedSocket,
      token: watching.token,
      reconnect,
      dialTimeoutMs,
      environment: realEnvironment,
    }
    // Each begins with the address after that of the one before it, and goes on in the same turn.
    const turns = urls.map((_, first) => {
      const own = [...urls.slice(first), ...urls.slice(0, first)]
      return { urls: own, endpoints: parseEndpoints(own) }
    })
    const frugal = { watching, lineOptions, reader, tally }
    this.#viewers = Array.from({ length: viewers }, (_, index) => {
      const turn = turns[(firstIndex + index) % turns.length] ?? { urls, endpoints: [] }
      return index < replicas
        ? new ReplicaViewer({ urls: turn.urls, watching, tally })
        : new FrugalViewer({ endpoints: turn.endpoints, ...frugal })
    })
  }

  /** Opens them at the rate of the ramp, from now on. */
  open(): void {
    const startMs = performance.now()
    let opened = 0
    this.#timer = setInterval(() => {
      const due = ((performance.now() - startMs) / 1_000) * this.#rampPerSecond
      while (opened < this.#viewers.length && opened <= due) {
        if (this.tally.dialling >= diallingMax) return
        this.#viewers[opened++]?.open()
      }
      if (opened >= this.#viewers.length) clearInterval(this.#timer)
    }, openEveryMs)
  }

  /** All of them leave. */
  close(): void {
    clearInterval(this.#timer)
    for (const viewer of this.#viewers) viewer.close()
  }

  /** Latencies, and how busy the process is, count from now on. */
  measure(): void {
    this.tally.isMeasuring = true
    this.#measuredFrom = performance.eventLoopUtilization()
  }

  /** Where they stand. */
  look({ endSeq, withViews }: { readonly endSeq: number; readonly withViews: boolean }): SwarmLook {
    let live = 0
    let stale = 0
    let away = 0
    let refused = 0
    let seqMax = 0
    let seqSum = 0
    let behind = 0
    let missing = 0
    for (const { state, place } of this.#viewers) {
      if (state === 'live') live++
      if (state === 'stale') stale++
      if (state === 'away') away++
      if (state === 'failed' && place !== undefined) refused++
      // Who was refused is not served, and a dense count says nothing of the document's records.
      if (place === undefined || place.count > 0 || state === 'failed') continue
      seqMax = Math.max(seqMax, place.seq)
      seqSum += place.seq
      const lacking = Math.max(0, endSeq - place.seq)
      missing += lacking
      if (lacking > 0 && state === 'live') behind++
    }
    const replicas = withViews ? this.#replicas() : []
    const { utilization } = performance.eventLoopUtilization(this.#measuredFrom)
    const { counts, sinceWrite, sinceCommit, waits } = this.tally
    return {
      counts,
      live,
      stale,
      away,
      refused,
      replicaCount: this.#viewers.filter(viewer => viewer instanceof ReplicaViewer).length,
      seqMax,
      seqSum,
      behind,
      missing,
      replicas,
      lastWrites: this.tally.ledger.lastCount,
      sinceWrite,
      sinceCommit,
      waits,
      busy: utilization,
    }
  }

  #replicas() {
    return this.#viewers.flatMap(viewer => {
      const isLive = viewer instanceof ReplicaViewer && viewer.state === 'live'
      const view = isLive ? viewer.show() : undefined
      return view === undefined ? [] : [view]
    })
  }
}
