/*
 * Where a scenario plays: a fleet of nodes, writers that write and viewers that watch all the time, and
 * their histories in files. Faults act on it; in the end all of it is healed, and judged.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Prng } from '@fanfold/kernel'
import type { ConfigName, Role } from '@fanfold/node'
import type {
  ViewerSettings,
  ViewersSettings,
  ViewersState,
  WritersSettings,
  WritersState,
} from './clients/client-messages.ts'
import { ClientProcess } from './clients/client-process.ts'
import type { Death } from './deaths.ts'
import type { Phase } from './delays.ts'
import { judgeRun, type RunFiles, type RunVerdict } from './judge-run.ts'
import { redisLogs } from './logs/redis-log.ts'
import type { Cleanups } from './processes/cleanups.ts'
import type { DelayRelay } from './processes/delay-relay.ts'
import { Fleet } from './processes/fleet.ts'
import { Networks } from './processes/networks.ts'
import type { RedisServer } from './processes/redis-server.ts'
import type { Sizes } from './sizes.ts'

/** A node of a stage. */
export type StageNode = {
  readonly name: string
  readonly roles: readonly Role[]
  readonly region?: string | undefined
  /** Names of the nodes it replicates from, in order of preference, which come before it; or URLs. */
  readonly parents: readonly string[]
  /** What is between it and its first parent. */
  readonly relay?: DelayRelay | undefined
  readonly options?: Readonly<Partial<Record<ConfigName, string | number>>> | undefined
  /** The process that it shares with others, if any. */
  readonly host?: string | undefined
  /** The network that it is in, where that is not its own. */
  readonly network?: string | undefined
  /** Programs that start the next one, with their arguments. */
  readonly wrapper?: readonly string[] | undefined
  readonly environment?: Readonly<Record<string, string>> | undefined
  readonly data?: string | undefined
}

/** Who watches: at this edge first, and then at the others. */
export type StageViewer = {
  readonly name: string
  readonly edges: readonly string[]
  readonly audience: 'open' | 'premium'
  readonly doc?: string | undefined
  readonly maxRate?: number | undefined
}

/** What a stage is made of. */
export type StageSettings = {
  readonly nodes: readonly StageNode[]
  readonly viewers: readonly StageViewer[]
  /** Whether each node has a network of its own, and the clients one. */
  readonly isNetworked: boolean
  /** The networks, where something was started in them before. */
  readonly networks?: Networks | undefined
  readonly docs: readonly string[]
  readonly writersPerDocument: number
  /** Messages of each writer a second; 0 for as many as are answered. */
  readonly perSecond: number
  readonly inFlightMax: number
  readonly valueLength: number
  /** Where the logs are, if not in files. */
  readonly redis?: StageRedis | undefined
}

/** The Redis of a stage, which was started for it. */
export type StageRedis = {
  readonly servers: readonly RedisServer[]
  /** Who has the logs in the end. */
  readonly last: RedisServer
}

/** The network that clients are in. */
export const clientsNetwork = 'clients'
/** Longest time until everything is up, ms. */
const startMsMax = 120_000
/** Longest time in which every write must be answered or given up after faults have ended, ms. */
const answerMsMax = 30_000

/** When a stage did what, ms since 1970. */
export type StageTimes = {
  readonly startedAtMs: number
  /** When writers were told to write nothing new. */
  readonly pausedAtMs: number
}

/** The networks that nodes are in, and that of the clients. */
const networksOf = (nodes: readonly StageNode[]): string[] => [
  ...new Set([...nodes.map(({ name, network }) => network ?? name), clientsNetwork]),
]

/** A fleet with clients, and what happens to it. */
export class Stage {
  readonly directory: string
  readonly prng: Prng
  readonly fleet: Fleet
  readonly cleanups: Cleanups
  readonly settings: StageSettings
  readonly networks: Networks | undefined
  readonly files: RunFiles
  /** Numbers that a scenario measures by itself, by what they are. */
  readonly measures: Record<string, number> = {}
  /** Parts of the run of which delays are compared. */
  readonly phases: Phase[] = []
  /** Nodes that were killed, in order. */
  readonly deaths: Death[] = []
  readonly sizes: Sizes
  #writers: ClientProcess<WritersSettings, WritersState> | undefined
  #viewers: ClientProcess<ViewersSettings, ViewersState> | undefined
  readonly #audienceTokens = new Map<string, string>()

  /** @param options.directory which is made */
  constructor(options: {
    readonly settings: StageSettings
    readonly directory: string
    readonly seed: string
    readonly sizes: Sizes
    readonly cleanups: Cleanups
  }) {
    const { settings, directory, seed, sizes, cleanups } = options
    this.sizes = sizes
    this.settings = settings
    this.directory = directory
    this.prng = new Prng(seed)
    this.cleanups = cleanups
    mkdirSync(join(directory, 'fleet'), { recursive: true })
    this.networks =
      settings.networks ??
      (settings.isNetworked ? Networks.open(networksOf(settings.nodes), cleanups) : undefined)
    this.fleet = new Fleet({ directory: join(directory, 'fleet'), cleanups })
    const authority = settings.nodes.find(({ roles }) => roles.includes('authority'))
    this.files = {
      writers: [join(directory, 'writers.jsonl')],
      viewers: [join(directory, 'viewers.jsonl')],
      nodeLogs: settings.nodes.map(({ name }) => join(directory, 'fleet', `${name}.log`)),
      data: authority?.data ?? this.fleet.dataOf(authority?.name ?? ''),
      docs: settings.docs,
    }
  }

  /** Writers, as they were started. */
  get writers(): ClientProcess<WritersSettings, WritersState> {
    if (this.#writers === undefined) throw new Error('writers were not started')
    return this.#writers
  }

  /** Viewers, as they were started. */
  get viewers(): ClientProcess<ViewersSettings, ViewersState> {
    if (this.#viewers === undefined) throw new Error('viewers were not started')
    return this.#viewers
  }

  /** The node that has the logs. */
  get authority(): StageNode {
    const authority = this.settings.nodes.find(({ roles }) => roles.includes('authority'))
    if (authority === undefined) throw new Error('a stage has an authority')
    return authority
  }

  /** Where others reach a node; a URL is one already. */
  urlOf(name: string): string {
    if (name.includes('://')) return name
    const host = this.networks?.address(this.networkOf(name)) ?? '127.0.0.1'
    return `ws://${host}:${this.fleet.portsOf(name).port}`
  }

  /** The network of a node. */
  networkOf(name: string): string {
    return this.settings.nodes.find(node => node.name === name)?.network ?? name
  }

  /** Ends a node at once, and starts it again after `downMs`. */
  async kill(name: string, downMs: number): Promise<void> {
    const role = this.settings.nodes.find(node => node.name === name)?.roles[0]
    const death: Death = { node: name, role, url: this.urlOf(name), atMs: Date.now() }
    this.deaths.push(death)
    await this.fleet.node(name).kill()
    await delay(downMs)
    await this.fleet.restart(name)
    death.backAtMs = Date.now()
  }

  /** Starts all, until writes are acknowledged and everybody sees them. */
  async open(): Promise<void> {
    for (const node of this.settings.nodes) {
      if (node.host === undefined) await this.startNode(node)
    }
    const hosts = new Set(this.settings.nodes.flatMap(({ host = [] }) => host))
    for (const host of hosts) await this.#startTogether(host)
    this.#writers = await this.#startWriters()
    await this.writers.until('writes go', one => one.acknowledged > 0, startMsMax)
    this.#viewers = await this.#startViewers()
    await this.viewers.until('everybody sees', everyone(this.settings.viewers.length), startMsMax)
  }

  /** Starts a node of the stage. */
  async startNode(node: StageNode): Promise<void> {
    const { networks } = this
    const { relay, network, ...started } = node
    const [first] = node.parents
    if (relay !== undefined && first !== undefined) relay.leadTo(this.fleet.node(first).port)
    await this.fleet.start({
      ...started,
      parents: relay === undefined ? node.parents.map(name => this.urlOf(name)) : [relay.url],
      wrapper: [...(networks?.wrapper(network ?? node.name) ?? []), ...(node.wrapper ?? [])],
      options: this.#optionsOf(node),
    })
  }

  /** Starts the nodes that share a process; they are in one network. */
  async #startTogether(host: string): Promise<void> {
    const nodes = this.settings.nodes.filter(node => node.host === host)
    const network = nodes[0]?.network ?? clientsNetwork
    const settings = nodes.map(node => ({ ...node, options: this.#optionsOf(node) }))
    await this.fleet.startTogether(host, settings, this.networks?.wrapper(network) ?? [])
  }

  #optionsOf({ options }: StageNode): StageNode['options'] {
    return { ...(this.networks === undefined ? {} : { host: '0.0.0.0' }), ...options }
  }

  /** A phase of the run, for as long as `act` takes. */
  async phase(name: string, act: () => Promise<void>): Promise<void> {
    const fromMs = Date.now()
    await act()
    this.phases.push({ name, fromMs, toMs: Date.now() })
  }

  /** Writes nothing new, and waits until nobody waits for an answer. */
  async quiet(): Promise<void> {
    await this.writers.ask('pause')
    await this.writers.until('every write is answered', ({ open }) => open === 0, answerMsMax)
  }

  /**
   * Each writer sends a last message, and everybody must show it; how long that took, ms.
   *
   * @throws Error when that takes longer than `deadlineMs`
   */
  async converge(deadlineMs: number): Promise<number> {
    await this.writers.ask('mark')
    const { seqs } = await this.writers.until(
      'the last messages are acknowledged',
      ({ open }) => open === 0,
      answerMsMax,
    )
    const startedAtMs = performance.now()
    const docs = new Map(this.settings.viewers.map(one => [one.name, this.#docOf(one)]))
    await this.viewers.until(
      'all viewers show the last messages',
      shown => [...docs].every(([name, doc]) => (shown.seqs[name] ?? 0) >= (seqs[doc] ?? 0)),
      deadlineMs,
    )
    return performance.now() - startedAtMs
  }

  /** Ends everything in good order, and judges what is in files. */
  async close(): Promise<RunVerdict> {
    for (const clients of [this.#writers, this.#viewers]) await clients?.ask('end')
    await this.fleet.stop()
    const { redis } = this.settings
    const logs = redis && (await redisLogs(redis.last, this.files.docs))
    for (const server of redis?.servers ?? []) await server.stop()
    const verdict = await judgeRun(this.files, logs)
    this.write('verdict.json', verdict)
    return verdict
  }

  /** Keeps something beside the histories. */
  write(name: string, content: unknown): void {
    writeFileSync(join(this.directory, name), `${JSON.stringify(content, null, 1)}\n`)
  }

  /** A token of an audience, the same each time. */
  async audienceToken(audience: StageViewer['audience']): Promise<string> {
    const token =
      this.#audienceTokens.get(audience) ??
      (await this.fleet.viewerToken(audience === 'premium' ? { plan: 'premium' } : {}))
    this.#audienceTokens.set(audience, token)
    return token
  }

  #docOf({ doc }: StageViewer): string {
    return doc ?? this.settings.docs[0] ?? ''
  }

  async #startWriters(): Promise<ClientProcess<WritersSettings, WritersState>> {
    const { docs, writersPerDocument, perSecond, inFlightMax, valueLength } = this.settings
    return new ClientProcess({
      program: 'writer-program',
      wrapper: this.networks?.wrapper(clientsNetwork) ?? [],
      settings: {
        urls: this.settings.nodes
          .filter(({ roles }) => roles.includes('authority'))
          .map(({ name }) => this.urlOf(name)),
        token: await this.fleet.writerToken('writer'),
        seed: String(this.prng.uint32()),
        writers: docs.flatMap((doc, index) =>
          Array.from({ length: writersPerDocument }, (_, number) => ({
            name: `w${index * writersPerDocument + number}`,
            doc,
          })),
        ),
        inFlightMax,
        perSecond,
        valueLength,
        resendShare: 0.5,
      },
      file: this.files.writers[0] ?? '',
      cleanups: this.cleanups,
    })
  }

  async #startViewers(): Promise<ClientProcess<ViewersSettings, ViewersState>> {
    const viewers: ViewerSettings[] = []
    for (const viewer of this.settings.viewers) {
      const { name, audience, edges, maxRate } = viewer
      const token = await this.audienceToken(audience)
      const urls = edges.map(edge => this.urlOf(edge))
      viewers.push({ name, doc: this.#docOf(viewer), audience, token, urls, maxRate })
    }
    return new ClientProcess({
      program: 'viewer-program',
      wrapper: this.networks?.wrapper(clientsNetwork) ?? [],
      settings: { viewers },
      file: this.files.viewers[0] ?? '',
      cleanups: this.cleanups,
    })
  }
}

/** True when so many viewers show something, and all are live. */
const everyone =
  (count: number) =>
  ({ seqs, statuses }: ViewersState): boolean =>
    Object.values(seqs).filter(seq => seq > 0).length === count &&
    Object.values(statuses).every(status => status === 'live')
