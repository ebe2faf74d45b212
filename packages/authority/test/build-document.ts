/*
 * A document at its authority in a test's hands: writes go in, the log answers when the test says so.
 */
import { sha256 } from '@fanfold/conformance'
import { type DocumentDefinition, defineDocument, message } from '@fanfold/definition'
import {
  Chain,
  decodeSnapshot,
  type LogEffect,
  type LogReadId,
  type LogRefusal,
  plainCodec,
  Replica,
  type Snapshot,
} from '@fanfold/document'
import { type Instant, instant, Prng } from '@fanfold/kernel'
import {
  type DocumentKey,
  decodeLinkFrame,
  type LinkFrame,
  type LinkId,
  type LogRecord,
  type Position,
  parseDocumentKey,
  type RequestId,
  type WriteAnswer,
  type WriterInput,
} from '@fanfold/protocol'
import {
  defaultTransferLimits,
  type JoinRequest,
  LinkAllowance,
  PiecePacker,
  TurnAllowance,
  WorkerNames,
} from '@fanfold/replication'
import { z } from 'zod'
import type { AuthorityContext } from '../src/authority-context.ts'
import { AuthorityDocument } from '../src/authority-document.ts'
import type { AuthorityEffect, AuthorityFact } from '../src/authority-effect.ts'
import { type AuthorityLimits, defaultAuthorityLimits } from '../src/authority-limits.ts'
import { KeptEpochs } from '../src/kept-epochs.ts'
import { LoadedDefinition, type LoadedVariant } from '../src/loaded-definition.ts'
import { soleOwner } from '../src/owners.ts'

/** The document of the tests. */
export const doc: DocumentKey = parseDocumentKey('acme/match/final')

/** Wall time at which writes begin, ms. */
export const startMs = 1_731_931_200_000

/** So many milliseconds after the start. */
export const at = (ms: number): Instant => instant(ms * 1_000)

export const link = (number: number): LinkId => number as LinkId

type Match = { goals: { [team: string]: number }; texts: string[]; seen: unknown }

/** A definition whose messages do what a test may need. */
export const match: DocumentDefinition = defineDocument({
  type: 'match',
  state: (): Match => ({ goals: {}, texts: [], seen: null }),
  messages: {
    goal: message(z.object({ team: z.string() }), (match, { team }) => {
      match.goals[team] = (match.goals[team] ?? 0) + 1
    }),
    nothing: message(z.object({}), () => undefined),
    fail: message(z.object({}), match => {
      match.goals['failed'] = 1
      throw new Error('not today')
    }),
    text: message(z.object({ bytes: z.number() }), (match, { bytes }) => {
      for (let left = bytes; left > 0; left -= 40_000)
        match.texts.push('x'.repeat(Math.min(left, 40_000)))
    }),
    drop: message(z.object({ left: z.number() }), (match, { left }) => {
      match.texts.splice(left)
    }),
    see: message(z.object({}), (match, _, by) => {
      match.seen = { subject: by.subject, timeMs: by.timeMs }
    }),
  },
})

/** A write; `goal` for the home team when the test does not say otherwise. */
export const write = (overrides: Partial<WriterInput> & { request: RequestId }): WriterInput => ({
  kind: 'write',
  doc,
  action: { type: 'send', message: 'goal', value: { team: 'home' } },
  id: undefined,
  subject: 'ada',
  claims: {},
  mayCreate: true,
  timeMs: startMs,
  trace: undefined,
  ...overrides,
})

/** What a `send` of this message is. */
export const send = (name: string, value: unknown = {}): WriterInput['action'] => ({
  type: 'send',
  message: name,
  value,
})

/** Limits with some of them changed. */
export const limitsOf = (limits: Partial<AuthorityLimits> = {}): AuthorityLimits => ({
  ...defaultAuthorityLimits,
  ...limits,
})

/** What documents share, with a definition that can be replaced. */
export function contextOf(limits: Partial<AuthorityLimits> = {}): AuthorityContext & {
  definition: DocumentDefinition | undefined
  variants: readonly LoadedVariant[]
} {
  const prng = new Prng('authority')
  let reads = 1
  let loaded: LoadedDefinition | undefined
  let loadedVariants: readonly LoadedVariant[] = []
  return {
    sha256,
    randomBytes: count => prng.bytes(count),
    limits: limitsOf(limits),
    chain: new Chain(sha256),
    packer: new PiecePacker(plainCodec),
    now: () => at(0),
    workerNames: new WorkerNames(),
    mayHash: () => true,
    nextRead: () => reads++ as LogReadId,
    waiting: { bytes: 0 },
    staleness: () => ({ stale: false, ageMs: 0 }),
    place: undefined,
    epochs: { lost: new KeptEpochs(100), own: undefined },
    owners: soleOwner,
    crowd: { answered: () => undefined, postponed: () => undefined },
    wallClockMs: () => startMs,
    definition: match,
    variants: loadedVariants,
    loadedFor(type) {
      const { definition, variants } = this
      if (type !== 'match' || definition === undefined) return undefined
      if (loaded?.definition !== definition || loadedVariants !== variants) {
        loaded = new LoadedDefinition(definition, variants)
        loadedVariants = variants
      }
      return loaded
    },
  }
}

/** The answers among effects, by request, in order. */
export const answersOf = (
  effects: readonly AuthorityEffect[],
): { request: number; answer: WriteAnswer }[] =>
  effects.flatMap(effect =>
    effect.kind === 'write-answered' ? [{ request: effect.request, answer: effect.answer }] : [],
  )

/** Link frames among effects, to one link or to all. */
export const framesOf = (effects: readonly AuthorityEffect[], to?: LinkId): LinkFrame[] =>
  effects.flatMap(effect =>
    effect.kind === 'link-send' && (to === undefined || effect.link === to)
      ? (decodeLinkFrame(effect.frame) ?? [])
      : [],
  )

export const factsOf = (effects: readonly AuthorityEffect[]): AuthorityFact['event'][] =>
  effects.flatMap(effect => (effect.kind === 'fact' ? [effect.fact.event] : []))

/** What a child holds after these frames: its state and its seq. */
export function replicaOf(frames: readonly LinkFrame[]): Replica {
  const replica = new Replica(sha256)
  let pieces: Uint8Array[] = []
  for (const frame of frames) {
    if (frame.kind === 'snapshot-piece') pieces.push(frame.piece)
    else if (frame.kind === 'records') for (const record of frame.records) replica.append(record)
    else if (frame.kind === 'snapshot-begin') {
      pieces = []
      replica.reset({ manifest: frame.manifest, pieces })
    }
  }
  return replica
}

type AppendEffect = Extract<LogEffect, { kind: 'log-append' }>

/** A document with its log, which is in memory. */
export class Rig {
  readonly context: ReturnType<typeof contextOf>
  readonly document: AuthorityDocument
  readonly records: LogRecord[]
  snapshot: Snapshot | undefined
  nowMs = 0
  #nextRequest = 1
  #append: AppendEffect | undefined
  #effects: AuthorityEffect[] = []

  /** @param log what the log holds before the document is opened */
  constructor(
    limits: Partial<AuthorityLimits> = {},
    log: { records?: readonly LogRecord[]; snapshot?: Snapshot | undefined } = {},
  ) {
    this.context = { ...contextOf(limits), now: () => at(this.nowMs) }
    this.records = [...(log.records ?? [])]
    this.snapshot = log.snapshot
    this.document = new AuthorityDocument(doc, 7, this.context)
  }

  /** Loads a definition, and tells the document. */
  load(definition: DocumentDefinition, variants: readonly LoadedVariant[] = []): void {
    this.context.definition = definition
    this.context.variants = variants
    this.document.definitionLoaded(this.#effects)
    this.#noteAppend()
  }

  /** Writes, and answers with the request's number. */
  write(overrides: Partial<WriterInput> = {}): number {
    const request = this.#nextRequest++ as RequestId
    this.document.write(write({ request, ...overrides }), this.#effects)
    this.#noteAppend()
    return request
  }

  /** The log answers the open: what it holds, then `log-opened`. */
  open(): void {
    const { document, snapshot, records } = this
    const now = at(this.nowMs)
    if (snapshot !== undefined)
      document.receive({ kind: 'log-snapshot', doc, snapshot }, now, this.#effects)
    const after = snapshot?.manifest.at.seq ?? 0
    document.receive(
      { kind: 'log-records', doc, records: records.slice(after) },
      now,
      this.#effects,
    )
    const epoch = records.at(-1)?.epoch ?? 0
    document.receive({ kind: 'log-opened', doc, epoch }, now, this.#effects)
    this.#noteAppend()
  }

  /** The log says that the append under way is durable. */
  durable(): void {
    const append = this.#append
    if (append === undefined) throw new Error('nothing is under way')
    this.#append = undefined
    this.records.push(...append.records)
    const seq = append.records.at(-1)?.seq ?? 0
    this.document.receive({ kind: 'log-appended', doc, seq }, at(this.nowMs), this.#effects)
    this.#noteAppend()
  }

  /** The log does not answer to the append under way. */
  wait(): void {
    const input = { kind: 'log-append-waits', doc, code: 'FANFOLD_LOG_UNREACHABLE' } as const
    this.document.receive({ ...input, message: 'away' }, at(this.nowMs), this.#effects)
  }

  /** The log refuses the append under way. */
  refuse(code: LogRefusal): void {
    this.#append = undefined
    const input = { kind: 'log-append-refused', doc, code, message: 'no' } as const
    this.document.receive(input, at(this.nowMs), this.#effects)
    this.#noteAppend()
  }

  /** Writes, and waits until it is durable. */
  commit(overrides: Partial<WriterInput> = {}): WriteAnswer | undefined {
    const request = this.write(overrides)
    if (this.#append !== undefined) this.durable()
    return answersOf(this.#effects).find(answered => answered.request === request)?.answer
  }

  join(overrides: Partial<JoinRequest> = {}): void {
    const request: JoinRequest = {
      link: link(1),
      ceiling: 239,
      have: undefined,
      credit: 1_000_000,
      take: 'any',
      isMovable: false,
      codecs: 0,
      isCongested: false,
      allowance: new LinkAllowance(new TurnAllowance(1_000_000), defaultTransferLimits),
      ...overrides,
    }
    this.document.join(request, this.#effects)
    this.#noteAppend()
  }

  /** What the document wanted since the last time. */
  effects(): AuthorityEffect[] {
    return this.#effects.splice(0)
  }

  /** The batch on its way to the log. */
  get underWay(): AppendEffect | undefined {
    return this.#append
  }

  /** A document on the same log, as after a restart; what is under way is lost. */
  restarted(snapshot?: Snapshot): Rig {
    const rig = this.closed(snapshot)
    rig.open()
    return rig
  }

  /** The same with the log still to be read. */
  closed(snapshot?: Snapshot): Rig {
    const rig = new Rig(this.context.limits, { records: this.records, snapshot })
    rig.context.definition = this.context.definition
    rig.context.variants = this.context.variants
    return rig
  }

  /** The state as a child would get it now. */
  state(): unknown {
    this.join({ link: link(99) })
    const effects = this.effects()
    this.document.downstream.leave(link(99))
    return replicaOf(framesOf(effects, link(99))).state()
  }

  #noteAppend(): void {
    const appends = this.#effects.filter(effect => effect.kind === 'log-append')
    const last = appends.at(-1)
    if (last !== undefined && !this.records.includes(last.records[0] as LogRecord))
      this.#append = last
  }
}

/** A rig whose log was empty and is open. */
export function opened(limits: Partial<AuthorityLimits> = {}): Rig {
  const rig = new Rig(limits)
  rig.open()
  return rig
}

/** Where the durable records of a rig end. */
export const positionAfter = (rig: Rig): Position => {
  const last = rig.records.at(-1)
  if (last === undefined) throw new Error('the log has records')
  return { epoch: last.epoch, seq: last.seq, hash: last.chainHash }
}

/** The state in a snapshot. */
export const stateOf = (snapshot: Snapshot | undefined): unknown =>
  snapshot === undefined ? undefined : decodeSnapshot(snapshot).state
