import {
  Authority,
  type AuthorityEffect,
  type AuthorityFact,
  type AuthorityInput,
  type AuthorityStanding,
} from '@fanfold/authority'
import type { LogEffect, LogStore } from '@fanfold/document'
import type { DocumentKey, RequestId, TreeEntry, WriteAnswer, WriterInput } from '@fanfold/protocol'
import {
  systemClock,
  WriterSockets,
  writeLimitsDefault,
  writesInFlightMaxDefault,
} from '@fanfold/websocket'
import { CrowdLog } from './crowd-log.ts'
import type { FleetPlace } from './fleet-links.ts'
import { HostWorker } from './host-worker.ts'
import type { LoadedDefinition } from './load-definition.ts'
import { openLogStore } from './log-stores.ts'
import { MachineDriver } from './machine-driver.ts'
import { authorityLimits } from './machine-limits.ts'
import { Passing } from './passing.ts'
import { PeerLinks } from './peer-links.ts'
import { inProcessIdentity, type ProcessContext } from './process-context.ts'
import { QuotaLog } from './quota-log.ts'
import { createRandomPool } from './random-pool.ts'
import { RoleLinks } from './role-links.ts'
import { countServing } from './serving-metrics.ts'
import { sha256 } from './sha256.ts'
import { snapshotCodec } from './snapshot-codec.ts'
import { TreeAnswers } from './tree-answers.ts'
import { TroubleLog, type TroubleWords } from './trouble-log.ts'
import type { TokenVerifier } from './viewer-tokens.ts'

/** The answer to a write for which there is no time left. */
const draining: WriteAnswer = {
  kind: 'rejected',
  code: 'FANFOLD_DRAINING',
  message: 'the node is going away',
}

const fullWords: TroubleWords = {
  event: 'log.full',
  message: 'no room for the log',
  overEvent: 'log.full-over',
  overMessage: 'room for the log again',
}
const unopenedWords: TroubleWords = {
  event: 'log.unreadable',
  message: 'log cannot be opened now, tried again for whoever asks next',
  overEvent: 'log.unreadable-over',
  overMessage: 'logs can be opened again',
}
const unreachableWords: TroubleWords = {
  event: 'log.unreachable',
  message: 'the log does not answer: writes are refused until it does',
  overEvent: 'log.unreachable-over',
  overMessage: 'the log answers again',
}

/** The authority of a process: the machine, its log, its writers and its children's links. */
export class AuthorityHost {
  readonly links: RoleLinks
  readonly writers: WriterSockets
  readonly #machine: Authority
  readonly #driver: MachineDriver<AuthorityInput, AuthorityEffect>
  readonly #worker: HostWorker
  readonly #store: LogStore
  readonly #context: ProcessContext
  readonly #passing: Passing
  readonly #full: TroubleLog
  readonly #quotaLog: QuotaLog
  readonly #crowdLog: CrowdLog
  readonly #unopened: TroubleLog
  readonly #unreachable: TroubleLog
  /** Requests that came by HTTP and wait for their answer. */
  readonly #requests = new Map<RequestId, (answer: WriteAnswer) => void>()
  readonly #appendStartedAt = new Map<string, number>()
  readonly #snapshotStartedAt = new Map<string, number>()
  /** Links to the other authorities; undefined where there are none. */
  readonly #peers: PeerLinks | undefined
  readonly #trees = new TreeAnswers(input => this.#driver.submit(input))
  #epochMax = 0
  #isClosing = false

  /** @param place whose documents are, for one authority of several; otherwise all are its own */
  constructor(context: ProcessContext, verifier: TokenVerifier, place?: FleetPlace) {
    const { config, names, fail, log } = context
    const fleet = place?.fleet
    this.#context = context
    this.#quotaLog = new QuotaLog(context)
    this.#crowdLog = new CrowdLog(context)
    this.#passing = new Passing(context, 'authority')
    this.#full = new TroubleLog({ log, fail, words: fullWords })
    this.#unopened = new TroubleLog({ log, fail, words: unopenedWords })
    this.#unreachable = new TroubleLog({ log, fail, words: unreachableWords })
    this.#machine = new Authority({
      sha256,
      randomBytes: createRandomPool(),
      limits: authorityLimits(config),
      codec: snapshotCodec,
      owners: fleet?.owners,
      node: fleet?.self.node,
      quotaOf: context.quotas.quotaOf,
      wallClockMs: Date.now,
    })
    fleet?.onChange(() => this.#driver.submit({ kind: 'owners-changed' }))
    this.#worker = new HostWorker({
      open: context.openWorker,
      metrics: context.metrics,
      receive: input => this.#driver.submit(input),
    })
    this.#driver = new MachineDriver<AuthorityInput, AuthorityEffect>({
      machine: this.#machine,
      perform: effect => this.#perform(effect),
      fail,
    })
    this.#store = openLogStore({
      config,
      log,
      fail,
      receive: input => {
        if (input.kind === 'log-appended') this.#timeAppend(input.doc)
        else if (input.kind === 'log-opened') {
          this.#unopened.wentWell()
          this.#unreachable.wentWell()
        }
        this.#driver.submit(input)
      },
    })
    this.links = new RoleLinks({
      identity: inProcessIdentity(
        fleet?.self.node ?? config.node.id ?? 'authority',
        config.region,
        'authority',
      ),
      authenticator: context.authenticator,
      agreement: context.agreement,
      tlsDialler: context.tlsDialler,
      nextLink: names.nextLink,
      config,
      report: input => {
        if (this.#peers?.notice(input) !== false) this.#driver.submit(input)
      },
    })
    this.#peers =
      place &&
      new PeerLinks({
        place,
        links: () => this.links,
        log: log.child({ role: 'authority' }),
        metrics: context.metrics,
        fail,
      })
    this.writers = new WriterSockets({
      verifyToken: token => verifier.verify(token),
      nextRequest: names.nextRequest,
      ownerOf: doc => fleet?.ownerAddressOf(doc),
      report: input => this.#driver.submit(input),
      limits: writeLimitsDefault,
      writesInFlightMax: writesInFlightMaxDefault,
      clock: systemClock,
    })
  }

  /** Documents held, links of children, and streams of documents on them. */
  get counts(): { readonly documents: number; readonly links: number; readonly children: number } {
    const { documentCount, childCount, streamCount } = this.#machine
    return { documents: documentCount, links: childCount, children: streamCount }
  }

  /** Documents of others that it stands by for, and by how many records the last of them is behind. */
  get standby(): Authority['standby'] {
    return this.#machine.standby
  }

  /** How far it has followed a document of another; undefined for one that it does not stand by for. */
  standbyOf(doc: DocumentKey): ReturnType<Authority['standbyOf']> {
    return this.#machine.standbyOf(doc)
  }

  /** Streams of a document to nodes of a region beyond the first one, where a proxy of it is a child. */
  get regionStreamsExtra(): number {
    return this.#machine.regionStreamsExtra
  }

  /** Other authorities that are dialled, and how that goes. */
  get dialled(): PeerLinks['dialled'] {
    return this.#peers?.dialled ?? []
  }

  /** How far a document is; undefined for one that is not in memory. */
  standingOf(doc: DocumentKey): AuthorityStanding | undefined {
    return this.#machine.standingOf(doc)
  }

  /** Who has a document from whom, as far as it can be told now. */
  treeOf(doc: DocumentKey): Promise<readonly TreeEntry[]> {
    return this.#trees.ask(doc)
  }

  /** Documents of a tenant in memory. */
  documentsOf(tenant: string): number {
    return this.#machine.documentsOf(tenant)
  }

  /** Tenants with documents in memory that a quota bounds. */
  get boundedTenants(): readonly string[] {
    return this.#machine.boundedTenants
  }

  /** Viewers of all documents, as the nodes below count them. */
  get viewersBelow(): number {
    return this.#machine.viewersBelow
  }

  /** Replicas of large documents at the worker. */
  get workerReplicaCount(): number {
    return this.#worker.count
  }

  /** Counts for documents of its type from now on; their logs say so. */
  load({ definition, edges }: LoadedDefinition): void {
    const variants = edges.map(({ ceiling, code }) => ({
      ceiling,
      variant: this.#context.variantTrust.sign(definition.type, code),
    }))
    this.#driver.submit({ kind: 'definition-loaded', definition, variants })
  }

  /** Does what a writer wants that has no socket of its own; resolves when it is durable or refused. */
  write(input: Omit<WriterInput, 'kind' | 'request'>): Promise<WriteAnswer> {
    if (this.#isClosing) return Promise.resolve(draining)
    const request = this.#context.names.nextRequest()
    return new Promise(resolve => {
      this.#requests.set(request, resolve)
      this.#driver.submit({ kind: 'write', request, ...input })
    })
  }

  /**
   * Takes no more; what the log has begun is finished and answered, what waits behind it is refused.
   * May be called twice.
   */
  async close(): Promise<void> {
    this.#isClosing = true
    this.writers.close()
    this.#peers?.close()
    this.links.close()
    await this.#store.close()
    this.#driver.close()
    this.#trees.close()
    this.#full.close()
    this.#unopened.close()
    this.#unreachable.close()
    await this.#worker.close()
    for (const resolve of this.#requests.values()) resolve(draining)
    this.#requests.clear()
  }

  #perform(effect: AuthorityEffect): void {
    switch (effect.kind) {
      case 'link-send':
      case 'link-signal':
      case 'link-close':
        this.links.perform(effect)
        return
      case 'worker-open':
      case 'worker-feed':
      case 'worker-encode':
      case 'worker-view':
      case 'worker-close':
        this.#worker.perform(effect)
        return
      case 'write-answered': {
        if (effect.answer.kind === 'rejected') {
          this.#context.metrics.labelled('rejected_writes_total', effect.answer.code).inc()
        }
        const resolve = this.#requests.get(effect.request)
        if (resolve === undefined) {
          this.writers.perform(effect)
        } else {
          this.#requests.delete(effect.request)
          resolve(effect.answer)
        }
        return
      }
      case 'tree-told':
        this.#trees.told(effect)
        return
      case 'fact':
        this.#note(effect.fact)
        return
      case 'log-append':
        this.#appendStartedAt.set(effect.doc, performance.now())
        this.#performOnLog(effect)
        return
      case 'log-keep-snapshot': {
        let bytes = 0
        for (const piece of effect.snapshot.pieces) bytes += piece.length
        this.#context.metrics.plain('snapshot_bytes').observe(bytes)
        this.#snapshotStartedAt.set(effect.doc, performance.now())
        this.#performOnLog(effect)
        return
      }
      default:
        this.#performOnLog(effect)
    }
  }

  /** A batch that was to follow the one under way when the authority closes is not begun. */
  #performOnLog(effect: LogEffect): void {
    if (!this.#isClosing) this.#store.perform(effect)
  }

  #timeAppend(doc: string): void {
    const startedAt = this.#appendStartedAt.get(doc)
    this.#appendStartedAt.delete(doc)
    if (startedAt === undefined) return
    this.#context.metrics.plain('append_seconds').observe((performance.now() - startedAt) / 1000)
  }

  #timeSnapshot(doc: string): void {
    const startedAt = this.#snapshotStartedAt.get(doc)
    this.#snapshotStartedAt.delete(doc)
    if (startedAt === undefined) return
    this.#context.metrics.plain('snapshot_seconds').observe((performance.now() - startedAt) / 1000)
  }

  #noteUnreachable({ doc, code, message }: { doc: string; code: string; message: string }): void {
    this.#context.metrics.plain('log_unreachable_total').inc()
    this.#unreachable.met({ doc, code, reason: message })
  }

  #note(fact: AuthorityFact): void {
    const { metrics, log } = this.#context
    switch (fact.event) {
      case 'committed':
        this.#full.wentWell()
        this.#unreachable.wentWell()
        metrics.plain('commits_total').inc(fact.records.length)
        metrics.labelled('records_in_total', 'authority').inc(fact.records.length)
        if (fact.epoch > this.#epochMax) {
          this.#epochMax = fact.epoch
          metrics.plain('epoch_max').set(fact.epoch)
        }
        metrics.plain('commit_batch_records').observe(fact.records.length)
        this.#passing.note(fact.doc, fact.records)
        return
      case 'join-answered':
      case 'snapshot-sent':
      case 'replay-ended':
      case 'lag-told':
        countServing(metrics, 'authority', fact)
        return
      case 'quota-refused':
        this.#quotaLog.refused('documents', fact)
        return
      case 'crowd-counted':
        this.#crowdLog.counted(fact)
        return
      case 'sum-failed':
        this.#crowdLog.failed(fact)
        return
      case 'log-full':
        metrics.plain('log_full_total').inc()
        this.#full.met({ reason: fact.message })
        return
      case 'log-behind':
        metrics.plain('log_behind_total').inc()
        log.error(
          { event: 'log.behind', doc: fact.doc, reason: fact.message },
          'the log has lost records that nodes below have: they are taken back there',
        )
        return
      case 'log-waits':
        this.#noteUnreachable(fact)
        return
      case 'shadow-lost':
        log.warn(
          { event: 'shadow.lost', doc: fact.doc, reason: fact.message },
          'replica of a large document lost, made anew when it is needed',
        )
        return
      case 'snapshot-kept':
        metrics.labelled('snapshots_total', 'authority').inc()
        this.#timeSnapshot(fact.doc)
        return
      case 'snapshot-refused':
        this.#snapshotStartedAt.delete(fact.doc)
        log.warn(
          { event: 'log.snapshot-refused', code: fact.code, reason: fact.message },
          'snapshot not kept',
        )
        return
      case 'definition-refused':
        log.error(
          { event: 'definition.refused', doc: fact.doc, code: fact.code, reason: fact.message },
          'definition not taken, document goes on under the one before',
        )
        return
      case 'standby-took-over':
        metrics.plain('standby_takeovers_total').inc()
        log.info(
          { event: 'standby.took-over', doc: fact.doc, seq: fact.seq },
          'document taken over with what was followed of it',
        )
        return
      case 'standby-full':
        log.warn(
          { event: 'standby.full', documents: fact.documents },
          'no room to follow more documents of others: these are taken over from their logs',
        )
        return
      case 'standby-lost':
        log.warn(
          { event: 'standby.lost', doc: fact.doc, code: fact.code, reason: fact.message },
          'document of another cannot be followed now, tried again in half a minute',
        )
        return
      case 'document-overtaken':
        log.info(
          { event: 'log.overtaken', doc: fact.doc, reason: fact.message },
          'another authority has written meanwhile: its log is read anew',
        )
        return
      case 'document-refused':
        if (fact.code === 'FANFOLD_LOG_UNREACHABLE') {
          this.#noteUnreachable(fact)
          return
        }
        if (fact.code === 'FANFOLD_LOG_FULL' || fact.code === 'FANFOLD_LOG_UNREADABLE') {
          metrics.plain('log_unreadable_total').inc()
          this.#unopened.met({ doc: fact.doc, code: fact.code, reason: fact.message })
          return
        }
        log.error(
          { event: 'document.refused', doc: fact.doc, code: fact.code, reason: fact.message },
          'document not served',
        )
        return
      case 'document-quarantined':
        metrics.labelled('assertion_failures_total', 'authority').inc()
        log.error(
          { event: 'document.quarantined', doc: fact.doc, err: fact.error },
          'document quarantined',
        )
    }
  }
}
