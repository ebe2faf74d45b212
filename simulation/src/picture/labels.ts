/* What frames, requests and facts are called in a chart. */
import { decodeUtf8 } from '@fanfold/kernel'
import { decodeLinkFrame, type LinkFrame } from '@fanfold/protocol'
import { type Label, rangeOf, type Tone } from './item.ts'

/** Labels of frames on links; knows which document a channel is about, once it has heard. */
export class LinkLabels {
  /** Peers by node and link. */
  readonly #peers = new Map<string, string>()
  /** Documents by sender, receiver and channel. */
  readonly #channels = new Map<string, string>()

  /** A link of a node leads to a peer. */
  open(node: string, link: unknown, peer: string): void {
    this.#peers.set(`${node} ${link}`, peer)
  }

  /** Where a link of a node leads. */
  peer(node: string, link: unknown): string | undefined {
    return this.#peers.get(`${node} ${link}`)
  }

  /** What a frame is called. */
  frame(from: string, to: string, bytes: Uint8Array): Label {
    const frame = decoded(bytes)
    if (frame === undefined) return label('unknown frame', '', 'trouble')
    if (frame.kind === 'welcome') this.#channels.set(`${from} ${to} ${frame.channel}`, frame.doc)
    return { ...labelOf(frame), doc: this.#docOf(from, to, frame) }
  }

  #docOf(from: string, to: string, frame: LinkFrame): string | undefined {
    if ('doc' in frame) return frame.doc
    if (!('channel' in frame)) return undefined
    // What a child says of a channel is of the one that its parent has opened.
    const { channel } = frame
    return (
      this.#channels.get(`${from} ${to} ${channel}`) ??
      this.#channels.get(`${to} ${from} ${channel}`)
    )
  }
}

function decoded(bytes: Uint8Array): LinkFrame | undefined {
  try {
    return decodeLinkFrame(bytes)
  } catch {
    return undefined
  }
}

const label = (what: string, detail: string | number = '', tone: Tone = 'control'): Label => ({
  what,
  detail: `${detail}`,
  tone,
  doc: undefined,
})

function labelOf(frame: LinkFrame): Label {
  switch (frame.kind) {
    case 'join':
      return label('join', frame.have === undefined ? 'anew' : `from ${frame.have.seq}`)
    case 'welcome':
      return label(`welcome, ${frame.mode}`, `head ${frame.head.seq}`)
    case 'records':
    case 'replay':
      return label(frame.kind, rangeOf(frame.records.map(({ seq }) => seq)), 'data')
    case 'snapshot-begin':
      return label('snapshot', '', 'data')
    case 'snapshot-piece':
      return label('piece', frame.index, 'data')
    case 'refused':
    case 'ended':
      return label(frame.kind, frame.code, 'trouble')
    case 'status':
      return label(frame.stale ? 'stale' : 'not stale', '', frame.stale ? 'trouble' : 'control')
    case 'signal':
      return label(`signal ${frame.signal}`, frame.value)
    default:
      return label(frame.kind)
  }
}

/** What a viewer asks for. */
export function labelOfRequest(request: Readonly<Record<string, unknown>>): Label {
  const { type, doc, from } = request
  const detail = typeof from === 'string' ? `from ${from.split(/[^\d:]/)[0]}` : ''
  return { ...label(String(type), detail), doc: typeof doc === 'string' ? doc : undefined }
}

/** What a viewer is sent. */
export function labelOfViewerFrame(bytes: Uint8Array): Label {
  const text = decodeUtf8(bytes) ?? '{}'
  const value: unknown = JSON.parse(text)
  const fields: Readonly<Record<string, unknown>> = typeof value === 'object' ? { ...value } : {}
  const { type, doc, seq, from, code, index } = fields
  const isData = type === 'delta' || type === 'snapshot'
  const tone: Tone = code === undefined ? (isData ? 'data' : 'control') : 'trouble'
  const detail = type === 'delta' ? `${from ?? ''}→${seq ?? ''}` : `${code ?? seq ?? index ?? ''}`
  return { ...label(String(type), detail, tone), doc: typeof doc === 'string' ? doc : undefined }
}

/** Facts that are told all the time. */
const dull: ReadonlySet<string> = new Set([
  'committed',
  'deltas-delivered',
  'records-forwarded',
  'snapshot-made',
  'snapshot-kept',
  'signal',
])

/** Facts that say that something is amiss. */
const troubles = /resync|refused|failed|lost|gap|missing|full|quarantined|stale|aside/

/** What a machine tells of itself; undefined for what it tells all the time. */
export function labelOfFact(fact: unknown): Label | undefined {
  if (typeof fact !== 'object' || fact === null || !('event' in fact)) return undefined
  const fields: Readonly<Record<string, unknown>> = { ...fact }
  const event = String(fields['event'])
  if (dull.has(event)) return undefined
  const words = ['reason', 'rung', 'outcome', 'way', 'code', 'signal']
    .map(name => fields[name])
    .filter(word => typeof word === 'string')
  const { doc } = fields
  return {
    what: event,
    detail: words.join(' '),
    tone: troubles.test(event) ? 'trouble' : 'control',
    doc: typeof doc === 'string' ? doc : undefined,
  }
}
