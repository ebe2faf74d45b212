import { assert, type EffectSink } from '@fanfold/kernel'
import {
  type DocumentKey,
  encodeLinkFrame,
  type JoinTake,
  type LinkEffect,
  type LinkFrame,
  type LinkId,
  limits,
  type Position,
  ProtocolError,
} from '@fanfold/protocol'
import type { AskedReplays } from './asked-replays.ts'

/** What a stream sends to its parent, and how many bytes of records the parent may send it. */
export class ParentLine {
  readonly #doc: DocumentKey
  readonly #creditBytes: number
  readonly #replays: AskedReplays
  #link: LinkId | undefined
  /** Bytes taken since the last credit was given. */
  #taken = 0
  /** Bytes that the parent may still send. */
  #left = 0
  /** How the credit that is held back would be given. */
  #owed: 'none' | 'replay' | { readonly channel: number } = 'none'
  /** The replay that the parent was asked for. */
  #replay: number | undefined
  #isCreditHeld = false

  /** @param creditBytes bytes of records that may be under way */
  constructor(doc: DocumentKey, creditBytes: number, replays: AskedReplays) {
    this.#doc = doc
    this.#replays = replays
    this.#creditBytes = creditBytes
  }

  /** The link to the parent, while there is one. */
  get link(): LinkId | undefined {
    return this.#link
  }

  /** True while the parent gets no more credit. */
  get isCreditHeld(): boolean {
    return this.#isCreditHeld
  }

  attach(link: LinkId): void {
    this.#link = link
  }

  detach(): void {
    this.endReplay()
    this.#link = undefined
    this.begin()
  }

  /** The parent counts its credit anew, and so does this side. */
  begin(): void {
    this.#left = this.#creditBytes
    this.#taken = 0
    this.#owed = 'none'
  }

  /** Asks for the stream. */
  join(
    {
      isMovable,
      ...wish
    }: { have: Position | undefined; take: JoinTake; codecs: number; isMovable: boolean },
    effects: EffectSink<LinkEffect>,
  ): void {
    const credit = this.#creditBytes
    const movable = isMovable ? { isMovable } : {}
    this.send({ kind: 'join', doc: this.#doc, credit, ...wish, ...movable }, effects)
  }

  /** Asks for the log itself. */
  askReplay(have: Position | undefined, effects: EffectSink<LinkEffect>): void {
    assert(this.#link !== undefined, 'a stream that asks has a link')
    const doc = this.#doc
    const wish = { doc, have, credit: this.#creditBytes }
    this.#replay = this.#replays.ask(this.#link, { kind: 'own', doc }, wish, effects)
  }

  /** The parent has ended the replay. */
  endReplay(): void {
    if (this.#replay !== undefined) this.#replays.forget(this.#replay)
    this.#replay = undefined
  }

  /** Nothing more of the replay is wanted, if one is under way. */
  leaveReplay(effects: EffectSink<LinkEffect>): void {
    if (this.#replay !== undefined) this.#replays.leave(this.#replay, effects)
    this.#replay = undefined
  }

  /**
   * So many bytes of records came: a parent that does not keep to its credit would fill this node.
   *
   * @throws ProtocolError when they are far more than were granted
   */
  came(bytes: number): void {
    this.#left -= bytes
    // One record may be over, and credit that was on its way as the parent began to count anew.
    const beyondMax = limits.recordBytesMax.value + this.#creditBytes
    if (this.#left >= -beyondMax) return
    const message = `at most ${beyondMax} bytes of records beyond the credit, got ${-this.#left}`
    throw new ProtocolError('FANFOLD_BAD_FRAME', message)
  }

  /** So many bytes of the stream were taken: the parent may send as many more. */
  giveCredit(bytes: number, effects: EffectSink<LinkEffect>, channel: number | undefined): void {
    this.#taken += bytes
    if (channel !== undefined) this.#owed = { channel }
    this.#payCredit(effects)
  }

  /** So many bytes of a replay were taken. */
  giveReplayCredit(bytes: number, effects: EffectSink<LinkEffect>): void {
    this.#taken += bytes
    this.#owed = 'replay'
    this.#payCredit(effects)
  }

  /** Whether the parent gets no more credit for now. */
  holdCredit(isHeld: boolean, effects: EffectSink<LinkEffect>): void {
    this.#isCreditHeld = isHeld
    this.#payCredit(effects)
  }

  send(frame: LinkFrame, effects: EffectSink<LinkEffect>): void {
    assert(this.#link !== undefined, 'a stream that sends has a link')
    effects.push({ kind: 'link-send', link: this.#link, frame: encodeLinkFrame(frame) })
  }

  #payCredit(effects: EffectSink<LinkEffect>): void {
    const owed = this.#owed
    if (owed === 'none' || this.#isCreditHeld || this.#taken < this.#creditBytes / 2) return
    const bytes = this.#taken
    this.#taken = 0
    this.#left += bytes
    if (owed !== 'replay') this.send({ kind: 'credit', channel: owed.channel, bytes }, effects)
    else if (this.#replay !== undefined) this.#replays.credit(this.#replay, bytes, effects)
  }
}
