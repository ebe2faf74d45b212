/*
 * Writers and the door through which their messages reach the authority: the writer port on virtual
 * time.
 *
 * Each message has an id. Some are sent again although nobody asked, before or after they were
 * answered: all answers to one id must be the same, and the log must hold it once.
 *
 * When an authority is gone, what was not answered is sent again to its next process, or to another authority
 * where there are several, by the same id; some writers have no patience for that. What they did not hear of may be in the log, once, or not.
 */
import { after, assert, type Instant, milliseconds, Prng } from '@fanfold/kernel'
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
import { WriteJudge } from './judge/write-judge.ts'
import type { PipeProfile } from './pipe.ts'
import type { Problems } from './problems.ts'
import { Tally } from './tally.ts'
import type { VirtualClock } from './virtual-clock.ts'
import { WriterLine } from './writer-line.ts'

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
  /** A copy went out on a line that was lost before the answer. */
  isUncertain: boolean
  /** It was refused for now, because the log had no room. */
  hadNoRoom: boolean
}

/** One time that a message is sent, until it is answered. */
type Copy = {
  readonly write: Write
  /** Where it is sent to. */
  readonly door: WriterDoor
  /** Where the log ended when the line was lost on which it went out. */
  lostAtSeq: number | undefined
}

/** How often a writer sends what is refused for now. */
const attemptsMax = 50
/** How long it waits before that. */
const retryMs = 100
/** Share of the messages that are not sent again when the line is lost. */
const forgottenShare = 0.15

/** Where messages are let in: an authority. */
export interface WriterDoor {
  readonly name: string
  /** Whether there is somebody to connect to. */
  readonly isListening: boolean
  /** Takes what comes in, each time in an event of its own. */
  write(input: WriterInput): void
  /** What the authority takes for the time. */
  wallMs(): number
  /** The door behind which the document is, as this one knows; undefined when it does not. */
  leadsTo(doc: DocumentKey): string | undefined
}

/** What of the logs is held against answers. */
export type WrittenLog = Pick<History, 'had' | 'hasLost' | 'headSeq'>

/** All writers of a world. */
export class ModelWriters {
  readonly #clock: VirtualClock
  readonly #prng: Prng
  readonly #problems: Problems
  readonly #profile: PipeProfile
  readonly #doors: readonly WriterDoor[]
  /** Behind which door each document was last said to be. */
  readonly #led = new Map<DocumentKey, WriterDoor>()
  readonly #log: WrittenLog | undefined
  readonly #losses: Prng
  readonly #tally: Tally
  readonly #lines = new Map<string, { readonly to: WriterDoor; readonly line: WriterLine<Copy> }>()
  readonly #writes: Write[] = []
  /** What the authorities of now were asked. */
  readonly #asked = new Map<RequestId, Copy>()
  /** Copies that are to be sent, or are not answered. */
  #open = 0
  #nextRequest = 1
  #answers = 0

  constructor(options: {
    readonly clock: VirtualClock
    readonly prng: Prng
    readonly problems: Problems
    readonly profile: PipeProfile
    /** One or more. */
    readonly doors: readonly WriterDoor[]
    /** What is durable, by which answers are held to be true. */
    readonly log?: WrittenLog | undefined
    /** Chance of its own for lines that are lost. */
    readonly losses?: Prng | undefined
    readonly tally?: Tally | undefined
  }) {
    this.#clock = options.clock
    this.#prng = options.prng
    this.#problems = options.problems
    this.#profile = options.profile
    this.#doors = options.doors
    this.#log = options.log
    this.#losses = options.losses ?? new Prng('losses')
    this.#tally = options.tally ?? new Tally()
  }

  /** Answers that came. */
  get answers(): number {
    return this.#answers
  }

  /** What was committed to a document, each message once: by its answer, or by the log where there is none. */
  committed(doc: DocumentKey, history?: History): WriteAction[] {
    const isCommitted = ({ subject, id, answer }: Write): boolean =>
      answer === undefined || this.#isLost(doc, answer)
        ? history !== undefined && history.placesOf(doc, subject, id).length > 0
        : answer.kind === 'committed'
    return this.#writes
      .filter(write => write.doc === doc && isCommitted(write))
      .map(({ action }) => action)
  }

  /** True when everything was sent and every request answered, or given up. */
  get isDone(): boolean {
    return this.#open === 0
  }

  /** The writer `subject` is going to send this. */
  plan(subject: string, planned: PlannedWrite): void {
    const id = `${subject}-${this.#writes.length}`
    const outcome = { answer: undefined, attempts: 0, isUncertain: false, hadNoRoom: false }
    const write: Write = { ...planned, id, subject, ...outcome }
    this.#writes.push(write)
    for (const at of planned.sendAt) this.#sendAt(write, at)
  }

  /** Takes an answer of the authority to the writer it is for. */
  answered({ request, answer }: WriterEffect): void {
    const copy = this.#asked.get(request)
    if (copy === undefined) {
      this.#problems.add(`request ${request} was answered, and nobody waits for it`)
      return
    }
    this.#asked.delete(request)
    const { write } = copy
    if (answer.kind === 'committed' && this.#log !== undefined) {
      const { doc, id } = write
      if (!this.#log.had(doc, answer)) {
        this.#problems.add(`${id} of ${doc}: answered ${words(answer)}, which is not durable`)
      }
    }
    this.#line(write.subject, copy.door).answer(copy, () => {
      this.#open--
      this.#take(copy, answer)
    })
  }

  /** The authority behind a door is gone, and what it was asked is not answered any more. */
  lost(door: WriterDoor): void {
    for (const [request, copy] of this.#asked) if (copy.door === door) this.#asked.delete(request)
    for (const { to, line } of this.#lines.values()) if (to === door) line.lose()
  }

  /**
   * At the end: what was acknowledged is in the log exactly once, what was rejected is not, and what
   * nobody knows of is there once at most.
   */
  audit(history: History): void {
    const judge = new WriteJudge()
    for (const { doc, subject, id, answer, isUncertain } of this.#writes) {
      const places = history.placesOf(doc, subject, id)
      judge.take({ kind: 'invoke', doc, id, value: '' })
      if (answer === undefined) {
        if (!isUncertain) this.#problems.add(`${id} of ${doc} was never answered`)
        judge.take({ kind: 'info', doc, id })
        this.#tally.add(`unknown write ${places.length > 0 ? 'is in' : 'is not in'}`)
      } else if (this.#isLost(doc, answer)) {
        this.#tally.add('acknowledged write lost by a log')
        // A copy of it may have been written since.
        judge.take({ kind: 'info', doc, id })
      } else if (answer.kind === 'committed') {
        judge.take({ kind: 'ok', doc, id, epoch: answer.epoch, seq: answer.seq })
      } else {
        judge.take({ kind: 'fail', doc, id, code: answer.code })
      }
      // What a record makes of a message is held against the states.
      for (const place of places) judge.takeLogged({ doc, id, ...place, value: undefined })
    }
    for (const problem of judge.verdict().problems) this.#problems.add(problem)
  }

  #sendAt(write: Write, at: Instant): void {
    this.#open++
    this.#clock.at(at, () => this.#send(write, undefined))
  }

  #send(write: Write, lostAtSeq: number | undefined): void {
    const door = this.#doorOf(write.doc)
    this.#line(write.subject, door).send({ write, door, lostAtSeq })
  }

  /** Where a document was last said to be, unless nobody is there. */
  #doorOf(doc: DocumentKey): WriterDoor {
    const [first] = this.#doors
    assert(first !== undefined, 'writers have a door')
    if (this.#doors.length === 1) return first
    const door = this.#led.get(doc) ?? first
    const others = this.#doors.filter(one => one !== door && one.isListening)
    return door.isListening || others.length === 0 ? door : this.#losses.pick(others)
  }

  /** A message comes in at the door. */
  #enter(copy: Copy): void {
    const request = this.#nextRequest++ as RequestId
    this.#asked.set(request, copy)
    const { write, door } = copy
    write.attempts++
    const { doc, action, id, subject, mayCreate } = write
    door.write({
      kind: 'write',
      request,
      doc,
      action,
      id,
      subject,
      claims: {},
      mayCreate,
      timeMs: door.wallMs(),
      trace: undefined,
    })
  }

  #take({ write, door, lostAtSeq }: Copy, answer: WriteAnswer): void {
    this.#answers++
    const { id, doc } = write
    if (answer.kind === 'rejected' && answer.code === 'FANFOLD_MOVED') this.#follow(doc, door)
    if (answer.kind === 'rejected' && this.#isForNow(write, answer)) {
      this.#tally.add(`write refused for now ${answer.code}`)
      if (answer.code === 'FANFOLD_LOG_FULL') write.hadNoRoom = true
      const wait = milliseconds(retryMs * (1 + this.#prng.fraction()))
      this.#sendAt(write, after(this.#clock.now, wait))
      return
    }
    if (answer.kind === 'rejected' && answer.code === 'FANFOLD_DELETED') {
      this.#tally.add('write refused as deleted')
    }
    if (answer.kind === 'committed' && write.action.type === 'delete') {
      this.#tally.add('document deleted')
    }
    if (lostAtSeq !== undefined) {
      const wasThere = answer.kind === 'committed' && answer.seq <= lostAtSeq
      this.#tally.add(`write sent again, ${wasThere ? 'was in the log' : answer.kind}`)
    }
    if (write.hadNoRoom && answer.kind === 'committed') {
      this.#tally.add('write taken that had found no room')
    }
    // What went out before may be in the log, whatever came of it since.
    if (answer.kind === 'rejected' && write.isUncertain && meaningOf(answer.code).retry) return
    const before =
      write.answer === undefined || this.#isLost(doc, write.answer) ? undefined : write.answer
    if (before !== undefined && this.#isLost(doc, answer)) return
    // Of several authorities one that is asked again may not be able to say at the moment what it was, nor may
    // the only one of a fleet that is in doubt whether it is.
    const isUnsure =
      answer.kind === 'rejected' &&
      meaningOf(answer.code).retry &&
      (this.#doors.length > 1 || answer.code === 'FANFOLD_COORDINATOR_UNREACHABLE')
    if (before?.kind === 'committed' && isUnsure) return
    write.answer = answer
    if (before?.kind !== 'committed') return
    const isSame =
      answer.kind === 'committed' && answer.epoch === before.epoch && answer.seq === before.seq
    if (isSame) return
    this.#problems.add(`${id} of ${doc}: answered ${words(before)}, then ${words(answer)}`)
  }

  /** Whether the log has lost what was answered. */
  #isLost(doc: DocumentKey, answer: WriteAnswer): boolean {
    return answer.kind === 'committed' && this.#log?.hasLost(doc, answer) === true
  }

  /** A document is elsewhere: where, the door may know. */
  #follow(doc: DocumentKey, door: WriterDoor): void {
    const name = door.leadsTo(doc)
    this.#led.set(doc, this.#doors.find(one => one.name === name) ?? this.#losses.pick(this.#doors))
  }

  /** The line of these is lost: some are given up, the others are sent again, perhaps to others. */
  #lose(copies: readonly Copy[], line: WriterLine<Copy>): void {
    for (const copy of copies) {
      copy.write.isUncertain = true
      // One copy was refused, and this one may have been taken since.
      if (copy.write.answer?.kind === 'rejected') copy.write.answer = undefined
      copy.lostAtSeq = this.#log?.headSeq(copy.write.doc) ?? 0
      if (this.#losses.chance(forgottenShare)) {
        this.#tally.add('write given up')
        line.drop(copy)
        this.#open--
      } else if (this.#doors.length > 1) {
        line.drop(copy)
        const { write, lostAtSeq } = copy
        const wait = milliseconds(retryMs * (1 + this.#losses.fraction()))
        this.#clock.in(wait, () => this.#send(write, lostAtSeq))
      }
    }
  }

  #isForNow(write: Write, answer: Extract<WriteAnswer, { kind: 'rejected' }>): boolean {
    if (write.answer?.kind === 'rejected' || write.attempts >= attemptsMax) return false
    const isTooSoon = answer.code === 'FANFOLD_NO_DOCUMENT' && write.action.type === 'send'
    return (isTooSoon && write.answer === undefined) || meaningOf(answer.code).retry
  }

  #line(subject: string, to: WriterDoor): WriterLine<Copy> {
    const name = to === this.#doors[0] ? subject : `${subject} to ${to.name}`
    const known = this.#lines.get(name)
    if (known !== undefined) return known.line
    const line: WriterLine<Copy> = new WriterLine<Copy>({
      clock: this.#clock,
      profile: this.#profile,
      prngOf: way => this.#prng.fork(`${name} ${way}`),
      losses: this.#losses,
      isListening: () => to.isListening,
      enter: copy => this.#enter(copy),
      lost: copies => this.#lose(copies, line),
    })
    this.#lines.set(name, { to, line })
    return line
  }
}

const words = (answer: WriteAnswer): string =>
  answer.kind === 'committed'
    ? `committed at ${answer.epoch}:${answer.seq}`
    : `rejected with ${answer.code}`
