/*
 * The nodes of one fleet, with its keys and tokens, each a process. A node that is started again has the
 * name, the port and the directory that it had.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type ConfigName,
  generateFleetKey,
  type IdentityKey,
  mintToken,
  type Role,
} from '@fanfold/node'
import type { Cleanups } from './cleanups.ts'
import { nodeEnvironment } from './node-environment.ts'
import { type NodePorts, NodeProcess } from './node-process.ts'

/** What a node is, each time it is started. */
export type NodeSettings = {
  readonly name: string
  readonly roles: readonly Role[]
  /** Where it replicates from, in order of preference. */
  readonly parents?: readonly string[] | undefined
  /** The highest label of what it may be sent; that of all labels when left out. */
  readonly ceiling?: number | undefined
  readonly region?: string | undefined
  /** The data directory; one of the fleet's own when left out. */
  readonly data?: string | undefined
  /** Any option of the configuration. */
  readonly options?: Readonly<Partial<Record<ConfigName, string | number>>> | undefined
  /** Programs that start the next one, with their arguments. */
  readonly wrapper?: readonly string[] | undefined
  /** Environment variables that are no options. */
  readonly environment?: Readonly<Record<string, string>> | undefined
}

/** The definition of all documents. */
const ledger = fileURLToPath(new URL('../../../definitions/ledger.ts', import.meta.url))
const hostProgram = fileURLToPath(new URL('./host-program.js', import.meta.url))
const tokenKey = 'a key of broken fleets and of nothing else 0123456789'
/** Longer than any run. */
const tokenMs = 24 * 3_600_000

/** Nodes of one fleet on this machine. */
export class Fleet {
  /** Where their data and logs are. */
  readonly directory: string
  readonly #fleetKey: IdentityKey = generateFleetKey()
  readonly #nodes = new Map<string, NodeProcess>()
  /** The process that a node shares with others. */
  readonly #hosts = new Map<string, NodeProcess>()
  readonly #settings = new Map<string, NodeSettings>()

  /** @param options.directory which exists; nodes have directories in it */
  constructor(options: { readonly directory: string; readonly cleanups: Cleanups }) {
    this.directory = options.directory
    options.cleanups.add(() => {
      for (const node of this.#nodes.values()) node.killNow()
      for (const host of this.#hosts.values()) host.killNow()
    })
  }

  /** A node that was started, perhaps one that has ended. */
  node(name: string): NodeProcess {
    const node = this.#nodes.get(name)
    if (node === undefined) throw new Error(`there is no node ${name}`)
    return node
  }

  /** Where a node listens, which may share a process with others. */
  portsOf(name: string): NodePorts {
    return this.#hosts.get(name)?.portsOf(name) ?? this.node(name)
  }

  /** Nodes that have a process of their own. */
  get names(): readonly string[] {
    return [...this.#nodes.keys()]
  }

  /** Where a node keeps its data. */
  dataOf(name: string): string {
    return this.#settings.get(name)?.data ?? join(this.directory, name)
  }

  /** A token that allows writing everything, as this subject. */
  async writerToken(subject: string): Promise<string> {
    const allow = ['write', 'create', 'delete'] as const
    return await mintToken({ key: tokenKey, subject, documents: ['**'], allow, ttlMs: tokenMs })
  }

  /** A token that allows observing everything, with these claims. */
  async viewerToken(claims: Readonly<Record<string, unknown>>): Promise<string> {
    const grant = { key: tokenKey, documents: ['**'], ttlMs: tokenMs, subject: 'viewer' }
    return await mintToken({ ...grant, allow: ['observe'], claims })
  }

  /** Starts a node; resolves when it listens. */
  async start(settings: NodeSettings): Promise<NodeProcess> {
    const { name, wrapper = [] } = settings
    this.#settings.set(name, settings)
    const node = await NodeProcess.start({
      name,
      wrapper,
      environment: { ...settings.environment, ...(await this.#environmentOf(settings)) },
      logFile: join(this.directory, `${name}.log`),
    })
    this.#nodes.set(name, node)
    return node
  }

  /**
   * Starts nodes that share a process, without their wrappers and environments; resolves when all listen.
   *
   * @param host what the process is called
   * @param wrapper programs that start the next one, with their arguments
   */
  async startTogether(
    host: string,
    nodes: readonly NodeSettings[],
    wrapper: readonly string[] = [],
  ): Promise<void> {
    const environments: Readonly<Record<string, string>>[] = []
    for (const node of nodes) environments.push(await this.#environmentOf(node))
    const path = join(this.directory, `${host}.json`)
    writeFileSync(path, JSON.stringify(environments))
    const names = nodes.map(({ name }) => name)
    const process = await NodeProcess.start({
      name: host,
      program: [hostProgram, path],
      nodes: names,
      wrapper,
      environment: {},
      logFile: join(this.directory, `${host}.log`),
    })
    for (const name of names) this.#hosts.set(name, process)
  }

  async #environmentOf(settings: NodeSettings): Promise<Readonly<Record<string, string>>> {
    const { name, roles, parents = [], options = {}, ceiling, region } = settings
    const data = settings.data ?? join(this.directory, name)
    mkdirSync(data, { recursive: true })
    return await nodeEnvironment({
      fleet: this.#fleetKey,
      name,
      roles,
      ceiling,
      region,
      options: {
        port: this.#nodes.get(name)?.port ?? 0,
        data,
        tokenKey,
        ...(parents.length > 0 ? { parents: parents.join(',') } : {}),
        ...(roles.includes('authority') ? { definitions: ledger } : {}),
        ...options,
      },
    })
  }

  /**
   * Starts a node that has ended as it was before.
   *
   * @param changes what is different from now on
   */
  async restart(name: string, changes: Partial<NodeSettings> = {}): Promise<NodeProcess> {
    const settings = this.#settings.get(name)
    if (settings === undefined) throw new Error(`there was no node ${name}`)
    return await this.start({ ...settings, ...changes })
  }

  /** Ends all nodes in good order, children first. */
  async stop(): Promise<void> {
    for (const name of [...this.#nodes.keys()].reverse()) {
      const node = this.node(name)
      if (node.isRunning) await node.stop()
    }
    for (const host of new Set(this.#hosts.values())) await host.kill()
  }
}
