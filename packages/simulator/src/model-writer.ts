/*
 * Writers and the door through which their messages reach the authority: the writer port on virtual
 * time.
 *
 * Each message has an id. Some are sent again although nobody asked, before or after they were
 * answered: all answers to one id must be the same, and the log must hold it once.
 */
import { after, type Duration, type Instant, milliseconds, type Prng } from '@fanfold/kernel'
import {
  type DocumentKey,
  meaningOf,
  type RequestId,
  type WriteAction,
  type WriteAnswer,
  type WriterEffect,
  type WriterInput,
} from '@fanfold/protocol'
import type { History } from './history.ts'
import { Pipe, type PipeProfile } from './pipe.ts'
import type { Problems } from './problems.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** One message that a writer sends, perhaps several times. */
export type PlannedWrite = {
  readonly doc: DocumentKey
  readonly action: WriteAction
  readonly mayCreate: boolean
  /** When it is sent first, and when again. */
  readonly sendAt: readonly Instant[]
}

type Write = PlannedWrite & {
  readonly id: string
  readonly subject: string
  answer: WriteAnswer | undefined
  attempts: number
}

/** How often a writer sends what is refused for now. */
const attemptsMax = 50
/** How long it waits before that. */
const retryMs = 100

/** All writers of one authority. */
export class ModelWriters {
  readonly #clock: VirtualClock
  readonly #prng: Prng
  readonly #problems: Problems
  readonly #profile: PipeProfile
  readonly #receive: (input: WriterInput) => void
  readonly #pipes = new Map<string, Pipe<() => void>>()
  readonly #writes: Write[] = []
  readonly #waiting = new Map<RequestId, Write>()
  #toSend = 0
  #nextRequest = 1
  #answers = 0

  constructor(options: {
    readonly clock: VirtualClock
    readonly prng: Prng
    readonly problems: Problems
    readonly profile: PipeProfile
    /** Takes what the door lets in, each time in an event of its own. */
    readonly receive: (input: WriterInput) => void
  }) {
    this.#clock = options.clock
    this.#prng = options.prng
    this.#problems = options.problems
    this.#profile = options.profile
    this.#receive = options.receive
  }

  /** Answers that came. */
  get answers(): number {
    return this.#answers
  }

  /** What was acknowledged as committed to a document, each message once. */
  committed(doc: DocumentKey): WriteAction[] {
    return this.#writes
      .filter(write => write.doc === doc && write.answer?.kind === 'committed')
      .map(write => write.action)
  }

  /** True when everything was sent and every request answered. */
  get isDone(): boolean {
    return this.#toSend === 0 && this.#waiting.size === 0
  }

  /** The writer `subject` is going to send this. */
  plan(subject: string, planned: PlannedWrite): void {
    const id = `${subject}-${this.#writes.length}`
    const write: Write = { ...planned, id, subject, answer: undefined, attempts: 0 }
    this.#writes.push(write)
    for (const at of planned.sendAt) this.#sendAt(write, at)
  }

  /** Takes an answer of the authority to the writer it is for. */
  perform(effect: WriterEffect): void {
    const write = this.#waiting.get(effect.request)
    if (write === undefined) {
      this.#problems.add(`request ${effect.request} was answered, and nobody waits for it`)
      return
    }
    this.#waiting.delete(effect.request)
    this.#toSend++
    const { answer } = effect
    this.#pipe(`${write.subject} down`).send(() => {
      this.#toSend--
      this.#answered(write, answer)
    }, 100)
  }

  /** At the end: what was acknowledged is in the log exactly once, and what was rejected is not. */
  audit(history: History): void {
    for (const { doc, subject, id, answer } of this.#writes) {
      const places = history.placesOf(doc, subject, id)
      if (answer === undefined) this.#problems.add(`${id} of ${doc} was never answered`)
      else if (answer.kind === 'rejected') {
        if (places.length > 0) this.#problems.add(`${id} of ${doc} was rejected and is in the log`)
      } else {
        const [place] = places
        const isThere =
          places.length === 1 && place?.epoch === answer.epoch && place.seq === answer.seq
        if (isThere) continue
        const said = `${answer.epoch}:${answer.seq}`
        const found = places.map(({ epoch, seq }) => `${epoch}:${seq}`).join(', ')
        this.#problems.add(`${id} of ${doc} was committed at ${said}, the log has it at [${found}]`)
      }
    }
  }

  #sendAt(write: Write, at: Instant): void {
    this.#toSend++
    this.#clock.at(at, () => this.#pipe(`${write.subject} up`).send(() => this.#enter(write), 200))
  }

  /** A message comes in at the door. */
  #enter(write: Write): void {
    this.#toSend--
    const request = this.#nextRequest++ as RequestId
    this.#waiting.set(request, write)
    write.attempts++
    const { doc, action, id, subject, mayCreate } = write
    this.#receive({
      kind: 'write',
      request,
      doc,
      action,
      id,
      subject,
      claims: {},
      mayCreate,
      timeMs: this.#clock.wallMs,
      trace: undefined,
    })
  }

  #answered(write: Write, answer: WriteAnswer): void {
    this.#answers++
    const { id, doc } = write
    if (answer.kind === 'rejected' && this.#isForNow(write, answer)) {
      const wait = milliseconds(retryMs * (1 + this.#prng.fraction())) as Duration
      this.#sendAt(write, after(this.#clock.now, wait))
      return
    }
    const before = write.answer
    write.answer = answer
    if (before?.kind !== 'committed') return
    const isSame =
      answer.kind === 'committed' && answer.epoch === before.epoch && answer.seq === before.seq
    if (isSame) return
    this.#problems.add(`${id} of ${doc}: answered ${words(before)}, then ${words(answer)}`)
  }

  #isForNow(write: Write, answer: Extract<WriteAnswer, { kind: 'rejected' }>): boolean {
    if (write.answer !== undefined || write.attempts >= attemptsMax) return false
    const isTooSoon = answer.code === 'FANFOLD_NO_DOCUMENT' && write.action.type === 'send'
    return isTooSoon || meaningOf(answer.code).retry
  }

  #pipe(name: string): Pipe<() => void> {
    let pipe = this.#pipes.get(name)
    if (pipe === undefined) {
      pipe = new Pipe<() => void>({
        clock: this.#clock,
        prng: this.#prng.fork(name),
        profile: this.#profile,
        onSent: () => undefined,
        onArrival: act => act(),
      })
      this.#pipes.set(name, pipe)
    }
    return pipe
  }
}

const words = (answer: WriteAnswer): string =>
  answer.kind === 'committed'
    ? `committed at ${answer.epoch}:${answer.seq}`
    : `rejected with ${answer.code}`
