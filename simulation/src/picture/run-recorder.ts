/*
 * What happens in a world, put down as what a sequence chart is made of: messages from one lane to
 * another, and marks on lanes.
 *
 * A message is sent with one event and arrives with another: they belong together by the bytes, which
 * are the same object at both ends. One that never arrives has no arrival. Of a long run the oldest
 * items are forgotten.
 */
import type { WorldEvent } from '@fanfold/simulator'
import { type Item, type Label, type Message, rangeOf, writersLane } from './item.ts'
import { LinkLabels, labelOfFact, labelOfRequest, labelOfViewerFrame } from './labels.ts'

/** Items that are kept; past that the older half is forgotten. */
const itemsMax = 60_000

/** Puts down what happens in a world until a time. */
export class RunRecorder {
  readonly #untilMicros: number
  readonly #labels = new LinkLabels()
  #items: Item[] = []
  /** Messages that have not arrived, by their bytes. */
  readonly #sent = new WeakMap<object, Message[]>()
  /** Who sent a frame to viewers, and when. */
  readonly #toViewers = new WeakMap<object, { readonly from: string; readonly at: number }>()
  readonly #edges = new Map<string, string>()
  /** Documents of writes that are not answered, by request. */
  readonly #writes = new Map<unknown, string | undefined>()
  /** Requests of viewers that are on their way. */
  readonly #requests: Message[] = []
  readonly #parents = new Map<string, Set<string>>()

  constructor(untilMicros: number) {
    this.#untilMicros = untilMicros
  }

  /** In order of time. */
  get items(): readonly Item[] {
    return this.#items.toSorted((a, b) => a.atMicros - b.atMicros)
  }

  /** Who dialled whom, by name of the child. */
  get parents(): ReadonlyMap<string, ReadonlySet<string>> {
    return this.#parents
  }

  /** The edge that each viewer connected to last. */
  get edges(): ReadonlyMap<string, string> {
    return this.#edges
  }

  /** Takes an event of the world. */
  take(event: WorldEvent): void {
    if (event.at > this.#untilMicros) return
    switch (event.kind) {
      case 'input':
        this.#input(event.at, event.node, { ...event.input })
        return
      case 'effect':
        this.#effect(event.at, event.node, { ...event.effect })
        return
      case 'viewer-frame':
        this.#viewerFrame(event.at, event.viewer, event.frame)
        return
      case 'viewer-asks': {
        const to = this.#edges.get(event.viewer)
        const label = labelOfRequest({ ...event.request })
        if (to === undefined) this.#mark(event.at, event.viewer, label)
        else {
          const message = { from: event.viewer, to, at: event.at, arrived: undefined, label }
          this.#requests.push(this.#message(message))
        }
        return
      }
      case 'viewer-connects': {
        const { viewer, edge } = event
        if (edge !== undefined) this.#edges.set(viewer, edge)
        const what = edge === undefined ? 'leaves' : `connects to ${edge}`
        this.#mark(event.at, viewer, { what, detail: '', tone: 'control', doc: undefined })
        return
      }
    }
  }

  #input(at: number, node: string, input: Fields): void {
    switch (input['kind']) {
      case 'link-opened': {
        const peer = nameOf(input['peer'])
        this.#labels.open(node, input['link'], peer)
        if (input['dialled'] !== true) return
        const parents = this.#parents.get(node) ?? new Set()
        this.#parents.set(node, parents.add(peer))
        this.#mark(at, node, plainLabel(`link to ${peer} is open`))
        return
      }
      case 'link-closed': {
        const peer = this.#labels.peer(node, input['link'])
        const what = peer === undefined ? 'no link' : `link to ${peer} over`
        const reason = String(input['reason']).replace(/^(closed|refused): /, '')
        this.#mark(at, node, { ...plainLabel(what), detail: reason, tone: 'trouble' })
        return
      }
      case 'link-frame':
        this.#arrived(at, node, input)
        return
      case 'viewer-requested':
        this.#asked(at, node, input['request'])
        return
      case 'write':
        this.#writes.set(input['request'], textOf(input['doc']))
        this.#message({
          from: writersLane,
          to: node,
          at,
          arrived: at,
          label: {
            what: 'write',
            detail: String(input['id']),
            tone: 'data',
            doc: textOf(input['doc']),
          },
        })
        return
      case 'log-appended':
        this.#mark(at, node, {
          what: 'durable',
          detail: '',
          tone: 'storage',
          doc: textOf(input['doc']),
        })
        return
      default:
        if (
          String(input['kind']).endsWith('-failed') ||
          String(input['kind']).endsWith('-refused')
        ) {
          this.#mark(at, node, {
            ...plainLabel(String(input['kind'])),
            tone: 'trouble',
            doc: textOf(input['doc']),
          })
        }
    }
  }

  #effect(at: number, node: string, effect: Fields): void {
    const { frame } = effect
    switch (effect['kind']) {
      case 'link-send':
      case 'link-signal': {
        const to = this.#labels.peer(node, effect['link'])
        if (!(frame instanceof Uint8Array) || to === undefined) return
        const label = this.#labels.frame(node, to, frame)
        const message = this.#message({ from: node, to, at, arrived: undefined, label })
        this.#sent.set(frame, [...(this.#sent.get(frame) ?? []), message])
        return
      }
      case 'viewer-transfer':
        for (const one of Array.isArray(effect['frames']) ? effect['frames'] : []) {
          this.#toViewers.set(one, { from: node, at })
        }
        return
      case 'log-open':
      case 'log-follow':
      case 'log-close':
      case 'log-keep-snapshot': {
        const what = effect['kind'].replaceAll('-', ' ')
        this.#mark(at, node, { what, detail: '', tone: 'storage', doc: textOf(effect['doc']) })
        return
      }
      case 'log-append': {
        const { records } = effect
        const seqs = Array.isArray(records) ? records.map(record => Number(record.seq)) : []
        const detail = rangeOf(seqs)
        this.#mark(at, node, {
          what: 'append',
          detail,
          tone: 'storage',
          doc: textOf(effect['doc']),
        })
        return
      }
      case 'write-answered': {
        const { answer } = effect
        const fields: Fields = typeof answer === 'object' ? { ...answer } : {}
        const isDone = fields['kind'] === 'committed'
        const detail = isDone ? `${fields['seq']}` : String(fields['code'])
        const label: Label = {
          what: isDone ? 'committed' : 'rejected',
          detail,
          tone: isDone ? 'data' : 'trouble',
          doc: this.#writes.get(effect['request']),
        }
        this.#writes.delete(effect['request'])
        this.#message({ from: node, to: writersLane, at, arrived: at, label })
        return
      }
      case 'fact': {
        const label = labelOfFact(effect['fact'])
        if (label !== undefined) this.#mark(at, node, label)
        return
      }
      default:
        if (frame instanceof Uint8Array) this.#toViewers.set(frame, { from: node, at })
    }
  }

  #arrived(at: number, node: string, { link, frame }: Fields): void {
    const from = this.#labels.peer(node, link)
    if (!(frame instanceof Uint8Array) || from === undefined) return
    const waiting = this.#sent.get(frame) ?? []
    const message = waiting.find(
      one => one.from === from && one.to === node && one.arrivedMicros === undefined,
    )
    if (message !== undefined) {
      message.arrivedMicros = at
      return
    }
    // Other bytes than were sent.
    const label: Label = { ...this.#labels.frame(from, node, frame), tone: 'trouble' }
    this.#message({
      from,
      to: node,
      at,
      arrived: at,
      label: { ...label, what: `damaged ${label.what}` },
    })
  }

  /** The request of that kind that waits longest: whose it is does not show in it. */
  #asked(at: number, edge: string, request: unknown): void {
    const fields: Fields = typeof request === 'object' ? { ...request } : {}
    const { what, doc } = labelOfRequest(fields)
    const index = this.#requests.findIndex(
      ({ to, label }) => to === edge && label.what === what && label.doc === doc,
    )
    const [message] = index < 0 ? [] : this.#requests.splice(index, 1)
    if (message !== undefined) message.arrivedMicros = at
  }

  #viewerFrame(at: number, viewer: string, frame: Uint8Array): void {
    const sent = this.#toViewers.get(frame)
    const from = sent?.from ?? this.#edges.get(viewer) ?? ''
    const label = labelOfViewerFrame(frame)
    this.#message({ from, to: viewer, at: sent?.at ?? at, arrived: at, label })
  }

  #message(one: {
    readonly from: string
    readonly to: string
    readonly at: number
    readonly arrived: number | undefined
    readonly label: Label
  }): Message {
    const { from, to, at, arrived, label } = one
    const message: Message = {
      kind: 'message',
      from,
      to,
      atMicros: at,
      arrivedMicros: arrived,
      label,
    }
    this.#add(message)
    return message
  }

  #mark(at: number, lane: string, label: Label): void {
    this.#add({ kind: 'mark', lane, atMicros: at, label })
  }

  #add(item: Item): void {
    if (this.#items.length === itemsMax) this.#items = this.#items.slice(itemsMax / 2)
    this.#items.push(item)
  }
}

type Fields = Readonly<Record<string, unknown>>

const plainLabel = (what: string): Label => ({ what, detail: '', tone: 'control', doc: undefined })

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined

const nameOf = (peer: unknown): string =>
  typeof peer === 'object' && peer !== null && 'node' in peer ? String(peer.node) : ''
