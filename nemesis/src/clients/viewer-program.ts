/*
 * Viewers of the SDK as a process of their own: started with a ClientArguments<ViewersSettings>. The
 * changes that the SDK gives are applied here once more, so that what it shows is checked too.
 */
import { createHash } from 'node:crypto'
import { connect, type Observation } from '@fanfold/client'
import { applyPatch, canonicalJson, isJsonObject, type JsonObject } from '@fanfold/document'
import { WebSocket } from 'ws'
import type {
  ClientArguments,
  ViewerHistoryEvent,
  ViewerSettings,
  ViewersSettings,
  ViewersState,
} from './client-messages.ts'
import { HistoryFile } from './history-file.ts'
import { serveRequests } from './serve-requests.ts'

const { settings, file }: ClientArguments<ViewersSettings> = JSON.parse(process.argv[2] ?? '')
const history = new HistoryFile(file)
/** Waits between attempts to connect, ms. */
const backoff = { minMs: 100, maxMs: 1_000 }
const dialTimeoutMs = 1_500
/** Changes that wait for the loop below; over it one would not be seen by itself. */
const changesMax = 1_000_000

const hashOf = (view: unknown): string =>
  createHash('sha256')
    .update(isJsonObject(view) ? canonicalJson(view) : 'no view')
    .digest('hex')
    .slice(0, 16)

/** Hashes of views that are kept, by what led to each; over it all are let go. */
const keptMax = 10_000
const kept = new Map<string, string>()

/** The hash of a view that a patch has led to from another one: worked out once for all who show the same. */
function hashAfter(key: string, view: JsonObject): string {
  const known = kept.get(key)
  if (known !== undefined) return known
  const hash = hashOf(view)
  if (kept.size >= keptMax) kept.clear()
  kept.set(key, hash)
  return hash
}

/** A socket of a viewer, whose history says when it was there. */
const socketOf = (viewer: string): (new (url: string, protocols: string[]) => WebSocket) =>
  class extends WebSocket {
    constructor(address: string, protocols: string[]) {
      super(address, protocols)
      const url = new URL(address).host
      this.once('open', () => {
        history.add({ kind: 'line-opened', viewer, url, atMs: Date.now() })
        this.once('close', () => {
          history.add({ kind: 'line-lost', viewer, url, atMs: Date.now() })
        })
      })
    }
  }

class Viewer {
  readonly settings: ViewerSettings
  readonly observation: Observation
  #place: { readonly epoch: number; readonly seq: number } | undefined
  #view: JsonObject = {}
  #hash = ''

  constructor(viewer: ViewerSettings) {
    this.settings = viewer
    const { token, urls, doc, maxRate, name } = viewer
    const transport = { WebSocket: socketOf(name), backoff, dialTimeoutMs, changesMax }
    const connection = connect([...urls], { token, ...transport })
    this.observation = connection.observe(doc, { maxRate })
    this.observation.onStatus((status, error) => {
      this.#add({ kind: 'status', viewer: name, status, code: error?.code, atMs: Date.now() })
    })
    this.#follow().catch(error => {
      const code = String(error)
      this.#add({ kind: 'status', viewer: name, status: 'failed', code, atMs: Date.now() })
    })
  }

  get seq(): number {
    return this.#place?.seq ?? 0
  }

  /** Says what it shows in the end. */
  end(): void {
    const { epoch, seq, view } = this.observation
    const { name: viewer, doc, audience } = this.settings
    const hash = hashOf(view)
    this.#add({ kind: 'end', viewer, doc, audience, epoch, from: seq, seq, hash, atMs: Date.now() })
  }

  async #follow(): Promise<void> {
    const { name: viewer, doc, audience } = this.settings
    for await (const { kind, epoch, from, seq, patch } of this.observation) {
      // Taken before: what is in the patch becomes part of the view.
      const key = JSON.stringify(patch)
      const view = applyPatch(this.#view, patch)
      if (!isJsonObject(view)) throw new Error(`the patch from ${from} to ${seq} does not apply`)
      this.#view = view
      this.#place = { epoch, seq }
      const hash = hashAfter(`${this.#hash} ${key}`, view)
      this.#hash = hash
      this.#add({ kind, viewer, doc, audience, epoch, from, seq, hash, atMs: Date.now() })
    }
  }

  #add(event: ViewerHistoryEvent): void {
    history.add(event)
  }
}

const viewers = settings.viewers.map(viewer => new Viewer(viewer))

serveRequests<ViewersState>({
  state: () => {
    history.flush()
    const byName = <Value>(value: (viewer: Viewer) => Value): Record<string, Value> =>
      Object.fromEntries(viewers.map(viewer => [viewer.settings.name, value(viewer)]))
    return { seqs: byName(({ seq }) => seq), statuses: byName(one => one.observation.status) }
  },
  take: kind => {
    if (kind === 'end') for (const viewer of viewers) viewer.end()
  },
})
