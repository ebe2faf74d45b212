/*
 * A viewer without the SDK: it keeps the bytes of each patch as they came, checks that ranges adjoin,
 * and applies what it gets.
 */
import { once } from 'node:events'
import { applyPatch, isJsonObject, type JsonObject, type JsonValue } from '@fanfold/document'
import { until } from '@fanfold/nemesis'
import { type RawData, WebSocket } from 'ws'

/** A delta as it came. */
export type RawDelta = { readonly from: number; readonly seq: number; readonly patch: Buffer }

/** A small frame: `status`, `left`, `refused`. */
export type SmallFrame = { readonly type: string; readonly [field: string]: unknown }

/** Whom to ask, and for what. */
export type RawViewerOptions = {
  readonly url: string
  readonly token: string
  readonly doc: string
  /** The position to resume from. */
  readonly from?: string | undefined
  /** What was held at that position, so that deltas apply to it. */
  readonly held?: Held | undefined
  /** What it says that it looks at. */
  readonly viewState?: JsonValue | undefined
  /** Whose certificates it believes over TLS (PEM); those that Node does when left out. */
  readonly authority?: string | undefined
  /** Leaves the patches unparsed: the viewer then has no state. */
  readonly isRawOnly?: boolean | undefined
  /** Called after each frame, and after the close. */
  readonly onChange?: ((viewer: RawViewer) => void) | undefined
}

/** A view, and the position to resume from with it. */
export type Held = {
  readonly position: string
  readonly epoch: number
  readonly seq: number
  readonly state: JsonObject
}

const patchMark = Buffer.from(',"patch":')
/** A delta's patch begins before this byte. */
const headBytesMax = 1_024
const deltaStart = '{"type":"delta"'

/** A viewer of one document. */
export class RawViewer {
  readonly doc: string
  readonly deltas: RawDelta[] = []
  /** The seqs of the snapshots it got. */
  readonly snapshots: number[] = []
  readonly small: SmallFrame[] = []
  /** What should never be. */
  readonly problems: string[] = []
  seq = 0
  epoch = 0
  /** The last position it was told. */
  position: string | undefined
  closeCode: number | undefined
  readonly #socket: WebSocket
  readonly #isRawOnly: boolean
  #state: JsonObject | undefined
  #held: Held | undefined
  /** True once it looked elsewhere: that leads to another view at the same seq. */
  #hasMoved = false

  private constructor(options: RawViewerOptions) {
    const { url, token, doc, authority } = options
    this.doc = doc
    this.#isRawOnly = options.isRawOnly ?? false
    const { held } = options
    if (held !== undefined) {
      this.seq = held.seq
      this.epoch = held.epoch
      this.#state = structuredClone(held.state)
    }
    this.#socket = new WebSocket(`${url}/v1/observe`, ['fanfold.v1', `bearer.${token}`], {
      perMessageDeflate: false,
      ...(authority === undefined ? {} : { ca: authority }),
    })
    this.#socket.on('message', data => {
      this.#take(data)
      options.onChange?.(this)
    })
    this.#socket.on('close', code => {
      this.closeCode = code
      options.onChange?.(this)
    })
    this.#socket.on('error', error => this.problems.push(error.message))
  }

  /** Connects and asks for the document. */
  static async open(options: RawViewerOptions): Promise<RawViewer> {
    const viewer = new RawViewer(options)
    await once(viewer.#socket, 'open')
    const { doc, held, from = held?.position, viewState } = options
    viewer.#socket.send(JSON.stringify({ type: 'observe', doc, from, viewState }))
    return viewer
  }

  /** The last view that it was told a position of. */
  get held(): Held | undefined {
    return this.#held
  }

  /** Looks at something else from now on. */
  look(viewState: JsonValue): void {
    this.#hasMoved = true
    this.#socket.send(JSON.stringify({ type: 'viewState', doc: this.doc, viewState }))
  }

  /** Says something to a reducer; what it is told of that is among what is small. */
  add(saying: { readonly reducer: string; readonly value: JsonValue; readonly id: number }): void {
    this.#socket.send(JSON.stringify({ type: 'add', doc: this.doc, ...saying }))
  }

  get state(): JsonObject | undefined {
    return this.#state
  }

  /** Waits until what it holds is at `seq` or after it. */
  async untilSeq(seq: number, deadlineMs?: number): Promise<void> {
    const state = (): string => `at ${this.seq}, ${this.problems.join('; ')}`
    await until(`the viewer of ${this.doc} is at ${seq}`, () => this.seq >= seq, deadlineMs).catch(
      error => {
        throw new Error(`${error.message}: ${state()}`)
      },
    )
  }

  /** Waits until it was told something small, `after` so many frames before it. */
  async untilTold(fields: SmallFrame, after = 0): Promise<SmallFrame> {
    const fits = (frame: SmallFrame): boolean =>
      Object.entries(fields).every(([name, value]) => frame[name] === value)
    const found = (): SmallFrame | undefined => this.small.slice(after).find(fits)
    await until(`the viewer is told ${JSON.stringify(fields)}`, () => found() !== undefined)
    return found() ?? fields
  }

  close(): void {
    this.#socket.terminate()
  }

  #take(data: RawData): void {
    const bytes = Buffer.isBuffer(data) ? data : Buffer.from(String(data))
    if (bytes.toString('latin1', 0, deltaStart.length) === deltaStart) {
      this.#takeDelta(bytes)
      return
    }
    const frame: SmallFrame = JSON.parse(bytes.toString('utf8'))
    if (frame.type === 'snapshot') this.#takeSnapshot(frame)
    else this.small.push(frame)
  }

  #takeSnapshot({ seq, epoch, view, position, numbering }: SmallFrame): void {
    // With dense numbers a snapshot begins a new count.
    if (Number(seq) < this.seq && numbering !== 'dense')
      this.problems.push(`a snapshot at ${seq} after ${this.seq}`)
    this.snapshots.push(Number(seq))
    this.seq = Number(seq)
    this.epoch = Number(epoch)
    this.position = String(position)
    this.#state = isJsonObject(view) ? view : undefined
    this.#hold()
  }

  #takeDelta(bytes: Buffer): void {
    const at = bytes.subarray(0, headBytesMax).indexOf(patchMark)
    const head: { epoch: number; from: number; seq: number; position?: string } = JSON.parse(
      `${bytes.toString('utf8', 0, at)}}`,
    )
    const patch = bytes.subarray(at + patchMark.length, bytes.length - 1)
    if (head.from !== this.seq) this.problems.push(`a delta from ${head.from} at ${this.seq}`)
    if (head.seq < head.from || (head.seq === head.from && !this.#hasMoved))
      this.problems.push(`a delta from ${head.from} to ${head.seq}`)
    if (head.epoch < this.epoch) this.problems.push(`epoch ${head.epoch} after ${this.epoch}`)
    this.seq = head.seq
    this.epoch = head.epoch
    this.position = head.position ?? this.position
    this.deltas.push({ from: head.from, seq: head.seq, patch })
    if (this.#isRawOnly || this.#state === undefined) return
    this.#state = applyPatch(this.#state, JSON.parse(patch.toString('utf8')))
    if (this.#state === undefined) this.problems.push(`the delta to ${head.seq} does not apply`)
    if (head.position !== undefined) this.#hold()
  }

  #hold(): void {
    const { position, epoch, seq } = this
    if (position === undefined || this.#state === undefined) return
    this.#held = { position, epoch, seq, state: structuredClone(this.#state) }
  }
}
