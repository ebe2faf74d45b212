/*
 * Two authorities, a proxy and an edge that meet in one Redis and keep logs in another, with writers who go where
 * they are led and viewers who miss nothing.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { RedisServer, until } from '@fanfold/nemesis'
import type { Test } from 'tap'
import { Cluster } from './cluster.ts'
import type { ClusterNode } from './cluster-node.ts'
import { type CommandResult, runFanfold } from './fanfold-command.ts'
import { RawViewer } from './raw-viewer.ts'
import { type Answer, Writer } from './writer.ts'

/** What each node is. */
const roles = {
  'authority-1': 'authority',
  'authority-2': 'authority',
  'proxy-1': 'proxy',
  'edge-1': 'edge',
} as const

/** The name of a node. */
export type NodeName = keyof typeof roles

/** A change a writer makes: about 20 of them a second. */
const writeEveryMs = 50

/** What a node says of a tenant or a document. */
export type Told = {
  readonly version: number
  readonly owner?: string
  readonly why: string
  readonly problem?: string
  readonly isFrozen: boolean
  readonly behind: readonly string[]
}

/** The fleet of a test, which ends with it. */
export class PlacingFleet {
  readonly meeting: RedisServer
  readonly cluster: Cluster
  readonly #logs: RedisServer
  readonly #nodes = new Map<NodeName, ClusterNode>()

  private constructor(cluster: Cluster, meeting: RedisServer, logs: RedisServer) {
    this.cluster = cluster
    this.meeting = meeting
    this.#logs = logs
  }

  /** Starts it; resolves when all know each other. */
  static async start(t: Test): Promise<PlacingFleet> {
    const meeting = await RedisServer.start(t, { isDurable: true })
    const logs = await RedisServer.start(t, { isDurable: true })
    const fleet = new PlacingFleet(await Cluster.open(t), meeting, logs)
    await fleet.startAll()
    return fleet
  }

  /** Starts all nodes that do not run. */
  async startAll(): Promise<void> {
    const names = Object.keys(roles) as NodeName[]
    const ended = names.filter(name => this.#nodes.get(name)?.isRunning !== true)
    await Promise.all(ended.map(name => this.startNode(name)))
    await until('all nodes know each other', async () => {
      const known = await Promise.all(
        this.all.map(async ({ adminUrl }) => {
          const answer = await fetch(`${adminUrl}/admin/topology`)
          const { fleet } = (await answer.json()) as { fleet: { members: unknown[] } }
          return fleet.members.length
        }),
      )
      return known.every(count => count === names.length)
    })
  }

  /** Starts a node, in a directory of its own. */
  async startNode(name: NodeName): Promise<ClusterNode> {
    const role = roles[name]
    const directory = this.#directoryOf(name)
    mkdirSync(directory, { recursive: true })
    const log = role === 'authority' ? { log: this.#logs.address } : {}
    const node = await this.cluster.start({
      name,
      roles: [role],
      options: { 'redis.url': this.meeting.address, ...log },
      directory,
    })
    this.#nodes.set(name, node)
    return node
  }

  /** A node that runs, or has run. */
  node(name: string): ClusterNode {
    const node = this.#nodes.get(name as NodeName)
    if (node === undefined) throw new Error(`there is no ${name}`)
    return node
  }

  get all(): readonly ClusterNode[] {
    return [...this.#nodes.values()]
  }

  get authorities(): readonly ClusterNode[] {
    return this.all.filter(({ name }) => name.startsWith('authority'))
  }

  /** Writes the configuration file of a node, and has it read. */
  reconfigure(name: NodeName, text: string): void {
    writeFileSync(join(this.#directoryOf(name), 'fanfold.yaml'), text)
    this.node(name).signal('SIGHUP')
  }

  /** What a node says of a tenant or a document. */
  async told(subject: string, by: NodeName = 'edge-1'): Promise<Told> {
    const url = `${this.node(by).adminUrl}/admin/place?subject=${encodeURIComponent(subject)}`
    return (await (await fetch(url)).json()) as Told
  }

  /** Waits until all nodes that run say that it is so of a subject. */
  async untilTold(what: string, subject: string, holds: (told: Told) => boolean): Promise<void> {
    await until(what, async () => {
      const names = this.all.filter(({ isRunning }) => isRunning).map(({ name }) => name)
      const told = await Promise.all(names.map(name => this.told(subject, name as NodeName)))
      return told.every(holds)
    })
  }

  /** Asks a node to place something; what it answered. */
  async order(
    by: NodeName,
    body: Readonly<Record<string, unknown>>,
  ): Promise<{ readonly status: number; readonly body: Readonly<Record<string, unknown>> }> {
    const answer = await fetch(`${this.node(by).adminUrl}/admin/place`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
  }

  /** Runs `fanfold place` against the edge. */
  async place(...words: readonly string[]): Promise<CommandResult> {
    const { adminUrl } = this.node('edge-1')
    return await runFanfold(['place', ...words, '--yes'], { FANFOLD_ADMIN_URL: adminUrl })
  }

  /** So many documents of a tenant that belong to a node. */
  async documentsOf(owner: string, tenant: string, count: number): Promise<string[]> {
    const found: string[] = []
    for (let index = 0; found.length < count; index++) {
      const doc = `${tenant}/timing/d${index}`
      if ((await this.told(doc)).owner === owner) found.push(doc)
    }
    return found
  }

  /** Sends one message to a node; what it answered. */
  async send(node: ClusterNode, doc: string, n: number): Promise<Answer> {
    const writer = await Writer.open({ url: node.url, token: this.cluster.token })
    try {
      return await writer.send(doc, merge(n))
    } finally {
      writer.close()
    }
  }

  #directoryOf(name: NodeName): string {
    return join(this.cluster.directory, `${name}-home`)
  }
}

const merge = (n: number) => ({ message: 'merge', value: { topic: 'n', delta: n } })

/** Writes 1, 2, 3 … to a document, each once, wherever that is, about 20 times a second. */
export class FollowingWriter {
  readonly doc: string
  /** Who committed what, in order; a node that it was led from is not here. */
  readonly committed: { readonly node: string; readonly epoch: number; readonly seq: number }[] = []
  readonly #fleet: PlacingFleet
  readonly #done: Promise<void>
  /** What came of the last attempt that was not committed. */
  #trouble = ''
  #isStopped = false

  constructor(fleet: PlacingFleet, doc: string) {
    this.#fleet = fleet
    this.doc = doc
    this.#done = this.#run()
    this.#done.catch(() => undefined)
  }

  get count(): number {
    return this.committed.length
  }

  /** The last that is committed. */
  get last(): { readonly node: string; readonly epoch: number; readonly seq: number } {
    return this.committed.at(-1) ?? { node: '', epoch: 0, seq: 0 }
  }

  /** Waits until so many more are committed. */
  async more(count: number): Promise<void> {
    const target = this.count + count
    const what = `${target} writes of ${this.doc} are committed`
    await until(what, () => this.count >= target).catch(error => {
      throw new Error(`${error.message}: ${this.#trouble}`)
    })
  }

  /** Ends it, with what was on its way. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#done
  }

  async #run(): Promise<void> {
    let writer: { readonly node: ClusterNode; readonly socket: Writer } | undefined
    const { token } = this.#fleet.cluster
    for (let attempt = 0; !this.#isStopped; attempt++) {
      const { authorities } = this.#fleet
      const node = writer?.node ?? authorities[attempt % authorities.length]
      if (node === undefined) throw new Error('there is an authority')
      const n = this.count + 1
      try {
        const socket = writer?.socket ?? (await Writer.open({ url: node.url, token }))
        writer = { node, socket }
        const answer = await socket.send(this.doc, merge(n), `${this.doc} ${n}`)
        if (answer.type === 'committed') {
          this.committed.push({ node: node.name, epoch: answer.epoch ?? 0, seq: answer.seq ?? 0 })
          await delay(writeEveryMs)
          continue
        }
        this.#trouble = `${node.name} says ${JSON.stringify(answer)}`
      } catch (error) {
        // It went, or goes.
        this.#trouble = `${node.name}: ${error}`
      }
      writer?.socket.close()
      writer = undefined
      await delay(5)
    }
    writer?.socket.close()
  }
}

/** A viewer that keeps each value that it was shown. */
export class Witness {
  readonly viewer: RawViewer
  readonly #seen: number[]

  private constructor(viewer: RawViewer, seen: number[]) {
    this.viewer = viewer
    this.#seen = seen
  }

  /** Watches a document at the edge; resolves when it is shown something. */
  static async open(fleet: PlacingFleet, doc: string): Promise<Witness> {
    const seen: number[] = []
    const viewer = await RawViewer.open({
      url: fleet.node('edge-1').url,
      token: fleet.cluster.token,
      doc,
      onChange: ({ state }) => {
        const n = Number(state?.['n'] ?? 0)
        if (n !== (seen.at(-1) ?? 0)) seen.push(n)
      },
    })
    await until(`the viewer of ${doc} is shown something`, () => seen.length > 0)
    return new Witness(viewer, seen)
  }

  /** Waits until it is shown what the writer has written; what is wrong with what it was shown until then. */
  async problemsAfter({ count }: FollowingWriter): Promise<readonly string[]> {
    await until(`${count} is shown`, () => (this.#seen.at(-1) ?? 0) >= count)
    const missed = this.#seen.flatMap((n, index) => {
      const before = this.#seen[index - 1] ?? n - 1
      return n === before + 1 ? [] : [`${n} is shown after ${before}`]
    })
    return [...this.viewer.problems, ...missed]
  }
}
