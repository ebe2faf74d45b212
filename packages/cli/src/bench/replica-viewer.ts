/*
 * A viewer as an application has it: the client's own code keeps the view. Its changes are also put together by other
 * means and held against each other, so that it checks the tree that it hangs from, and the client as well.
 */
import { type Connection, connect, FanfoldError, type Observation } from '@fanfold/client'
import { isJsonObject } from '@fanfold/document'
import { digestOf } from '../digest.ts'
import { nodeWebSocket } from '../open-connection.ts'
import { TailState } from '../tail-state.ts'
import { machineNowMs } from './machine-clock.ts'
import type { Place } from './order-check.ts'
import type { SwarmTally } from './swarm-tally.ts'
import type { SwarmViewer, Watching } from './swarm-viewer.ts'

/** What a replica shows, and where. */
export type ReplicaView = Place & {
  /** SHA-256 of the view's canonical JSON. */
  readonly sha256: string
}

/** One viewer with a view. */
export class ReplicaViewer implements SwarmViewer {
  readonly #watching: Watching
  readonly #tally: SwarmTally
  readonly #connection: Connection
  readonly #own = new TailState()
  #observation: Observation | undefined
  #state: SwarmViewer['state'] = 'waiting'
  #place: Place | undefined
  #opens = 0

  constructor(options: {
    readonly urls: readonly string[]
    readonly watching: Watching
    readonly tally: SwarmTally
  }) {
    const { urls, watching, tally } = options
    this.#watching = watching
    this.#tally = tally
    this.#connection = connect(urls, {
      token: watching.token,
      // Why an attempt failed, the tally knows from the client.
      WebSocket: nodeWebSocket(() => undefined),
      onError: ({ code, message }) => {
        tally.trouble = message
        if (code === 'FANFOLD_GAP') tally.violate(`a replica: ${message}`)
      },
    })
  }

  get state(): SwarmViewer['state'] {
    const isStale = this.#observation?.status === 'stale'
    return this.#state === 'live' && isStale ? 'stale' : this.#state
  }

  get place(): Place | undefined {
    return this.#place
  }

  open(): void {
    const { doc, viewState, maxRate } = this.#watching
    const observation = this.#connection.observe(doc, { viewState, maxRate })
    this.#observation = observation
    this.#connection.onStatus(status => this.#note(status))
    this.#follow(observation).catch((error: unknown) => this.#fail(error))
  }

  close(): void {
    this.#connection.close()
  }

  /** What it shows now; undefined before its first view. */
  show(): ReplicaView | undefined {
    const view = this.#observation?.view
    const place = this.#place
    if (place === undefined || !isJsonObject(view)) return undefined
    const sha256 = digestOf(view)
    // Both have taken the same changes: the client's view shares what did not change, this one was made alone.
    const own = this.#own.summary
    const isBehind = own.seq !== this.#observation?.seq
    if (!isBehind && own.sha256 !== sha256) {
      this.#tally.violate(`a replica at seq ${own.seq}: its changes do not make its view`)
    }
    return { ...place, sha256 }
  }

  #note(status: Connection['status']): void {
    if (status === 'connected' && this.#opens++ > 0) this.#tally.reconnects++
    if (this.#state === 'live' && status === 'connecting') this.#state = 'away'
    else if (this.#state === 'away' && status === 'connected') this.#state = 'live'
  }

  async #follow(observation: Observation): Promise<void> {
    const tally = this.#tally
    let denseCounts = 0
    for await (const change of observation) {
      const atMs = machineNowMs()
      const { kind, epoch, seq, numbering, time } = change
      if (kind === 'delta' && time !== undefined) tally.deliver(time)
      this.#own.take(change)
      if (numbering === 'dense' && kind === 'snapshot') denseCounts++
      const before = this.#place
      this.#place = { epoch, seq, count: numbering === 'dense' ? denseCounts : 0 }
      const from = before?.seq ?? seq
      if (tally.isMeasuring && seq > from && numbering !== 'dense') {
        tally.ledger.see({ from, seq, atMs })
      }
      if (this.#state === 'waiting') {
        tally.connected++
        this.#state = 'live'
      }
    }
    if (this.#own.summary.ranges === 'broken') tally.violate('a replica: its changes do not adjoin')
  }

  #fail(error: unknown): void {
    if (this.#state === 'failed') return
    this.#state = 'failed'
    const code = error instanceof FanfoldError ? error.code : 'FANFOLD_FAILED'
    this.#tally.trouble = error instanceof Error ? error.message : String(error)
    // A patch that does not fit is the command's own error, and no server's word.
    if (!(error instanceof FanfoldError)) this.#tally.violate(`a replica: ${this.#tally.trouble}`)
    this.#tally.fail(code)
    this.close()
  }
}
