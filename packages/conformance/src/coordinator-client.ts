import type {
  AnnouncementId,
  Coordinator,
  CoordinatorFactory,
  CoordinatorInput,
  KeptPlacement,
  PlacingId,
} from '@fanfold/topology'
import { Inbox } from './inbox.ts'

/** An announcement of some bytes. */
export type Announcement = {
  readonly node: string
  readonly incarnation: string
  readonly bytes: Uint8Array
}

/** What a placing came to. */
export type PlacingAnswer = Extract<
  CoordinatorInput,
  { kind: 'placed' | 'place-refused' | 'place-unanswered' }
>

/** A coordinator in a test's hands: effects go in, what it tells is awaited. */
export class CoordinatorClient {
  readonly coordinator: Coordinator
  readonly #inbox: Inbox<CoordinatorInput>
  readonly #advance: (() => void) | undefined
  #announcements = 0
  #placings = 0

  /** @param advance lets virtual time pass, for coordinators that live in it */
  constructor(open: CoordinatorFactory, advance?: () => void) {
    this.#advance = advance
    this.#inbox = new Inbox(advance)
    this.coordinator = open(input => this.#inbox.take(input))
  }

  /** All that the coordinator has told, in order. */
  get inputs(): readonly CoordinatorInput[] {
    return this.#inbox.inputs
  }

  /** Watches from now on, and has been told once who there is and what is placed. */
  async watch(): Promise<void> {
    const from = this.inputs.length
    this.coordinator.perform({ kind: 'coordinator-watch' })
    await this.next('placements-read', from)
    await this.next('members-heard', from)
  }

  /** Announces, and is answered. */
  async announce({ node, incarnation, bytes }: Announcement): Promise<void> {
    const from = this.inputs.length
    const announcement = this.start({ node, incarnation, bytes })
    await this.#inbox.find(from, input =>
      input.kind === 'announced' && input.announcement === announcement ? input : undefined,
    )
  }

  /** Announces, and does not wait for the answer. */
  start({ node, incarnation, bytes }: Announcement): AnnouncementId {
    const announcement = ++this.#announcements as AnnouncementId
    this.coordinator.perform({
      kind: 'coordinator-announce',
      announcement,
      node,
      incarnation,
      bytes,
    })
    return announcement
  }

  /** Withdraws; nothing answers. */
  withdraw({ node, incarnation }: Announcement): void {
    this.coordinator.perform({ kind: 'coordinator-withdraw', node, incarnation })
  }

  /** Places. */
  async place(expected: number, placement: KeptPlacement): Promise<PlacingAnswer> {
    const from = this.inputs.length
    const placing = ++this.#placings as PlacingId
    this.coordinator.perform({ kind: 'coordinator-place', placing, expected, placement })
    return await this.#inbox.find(from, input =>
      (input.kind === 'placed' ||
        input.kind === 'place-refused' ||
        input.kind === 'place-unanswered') &&
      input.placing === placing
        ? input
        : undefined,
    )
  }

  /** Closes, and has been closed. */
  async close(): Promise<void> {
    let isClosed = false
    const closing = this.coordinator.close().then(() => {
      isClosed = true
    })
    while (this.#advance !== undefined && !isClosed) {
      this.#advance()
      await undefined
    }
    await closing
  }

  /** The next input of a kind, from the index `from` on. */
  async next<Kind extends CoordinatorInput['kind']>(
    kind: Kind,
    from: number,
  ): Promise<Extract<CoordinatorInput, { kind: Kind }>> {
    return await this.#inbox.find(from, input => (isOfKind(input, kind) ? input : undefined))
  }

  /** The age with which these bytes are told next, from the index `from` on, and where. */
  async hear(bytes: Uint8Array, from: number): Promise<number> {
    return await this.#inbox.find(from, input => ageOf(input, bytes))
  }

  /** The next time that these bytes are told with an age of at least, or at most, so much. */
  async hearAged(
    bytes: Uint8Array,
    from: number,
    isAge: (ageMs: number) => boolean,
  ): Promise<number> {
    return await this.#inbox.find(from, input => {
      const ageMs = ageOf(input, bytes)
      return ageMs !== undefined && isAge(ageMs) ? ageMs : undefined
    })
  }

  /** The next time that this version of a subject, or a later one, is told. */
  async read(subject: string, version: number, from: number): Promise<KeptPlacement> {
    return await this.#inbox.find(from, input =>
      input.kind === 'placements-read'
        ? input.placements.find(one => one.subject === subject && one.version >= version)
        : undefined,
    )
  }
}

const isOfKind = <Kind extends CoordinatorInput['kind']>(
  input: CoordinatorInput,
  kind: Kind,
): input is Extract<CoordinatorInput, { kind: Kind }> => input.kind === kind

const ageOf = (input: CoordinatorInput, bytes: Uint8Array): number | undefined =>
  input.kind === 'members-heard'
    ? input.members.find(member => Buffer.compare(member.bytes, bytes) === 0)?.ageMs
    : undefined
