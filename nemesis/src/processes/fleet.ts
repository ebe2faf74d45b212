/*
 * The nodes of one fleet, with its keys and tokens, each a process. A node that is started again has the
 * name, the port and the directory that it had.
 */
import { mkdirSync } from 'node:fs'
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
import { NodeProcess } from './node-process.ts'

/** What a node is, each time it is started. */
export type NodeSettings = {
  readonly name: string
  readonly roles: readonly Role[]
  /** Where it replicates from, in order of preference. */
  readonly parents?: readonly string[] | undefined
  /** The highest label of what it may be sent; that of all labels when left out. */
  readonly ceiling?: number | undefined
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
const tokenKey = 'a key of broken fleets and of nothing else 0123456789'
/** Longer than any run. */
const tokenMs = 24 * 3_600_000

/** Nodes of one fleet on this machine. */
export class Fleet {
  /** Where their data and logs are. */
  readonly directory: string
  readonly #fleetKey: IdentityKey = generateFleetKey()
  readonly #nodes = new Map<string, NodeProcess>()
  readonly #settings = new Map<string, NodeSettings>()

  /** @param options.directory which exists; nodes have directories in it */
  constructor(options: { readonly directory: string; readonly cleanups: Cleanups }) {
    this.directory = options.directory
    options.cleanups.add(() => {
      for (const node of this.#nodes.values()) node.killNow()
    })
  }

  /** A node that was started, perhaps one that has ended. */
  node(name: string): NodeProcess {
    const node = this.#nodes.get(name)
    if (node === undefined) throw new Error(`there is no node ${name}`)
    return node
  }

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
    const { name, roles, parents = [], options = {}, wrapper = [], ceiling } = settings
    this.#settings.set(name, settings)
    const data = this.dataOf(name)
    mkdirSync(data, { recursive: true })
    const environment = await nodeEnvironment({
      fleet: this.#fleetKey,
      name,
      roles,
      ceiling,
      options: {
        port: this.#nodes.get(name)?.port ?? 0,
        data,
        tokenKey,
        ...(parents.length > 0 ? { parents: parents.join(',') } : {}),
        ...(roles.includes('authority') ? { definitions: ledger } : {}),
        ...options,
      },
    })
    const node = await NodeProcess.start({
      name,
      wrapper,
      environment: { ...settings.environment, ...environment },
      logFile: join(this.directory, `${name}.log`),
    })
    this.#nodes.set(name, node)
    return node
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
  }
}
