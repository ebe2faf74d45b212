/*
 * Nodes in processes of their own, with the keys and tokens of one fleet. All of them end with the
 * test, whatever becomes of it.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nodeEnvironment } from '@fanfold/nemesis'
import {
  type ConfigName,
  generateFleetKey,
  type IdentityKey,
  mintToken,
  type Role,
} from '@fanfold/node'
import type { Test } from 'tap'
import { ClusterNode } from './cluster-node.ts'

/** What a node of a cluster is. */
export type NodeSettings = {
  readonly name: string
  readonly roles: readonly Role[]
  /** Where it replicates from, in order of preference. */
  readonly parents?: readonly { readonly url: string }[] | undefined
  /** `local` when left out. */
  readonly region?: string | undefined
  /** The highest label that its link token lets through; all when left out. */
  readonly ceiling?: number | undefined
  /** Definition modules of an authority, or directories that hold some. */
  readonly definitions?: readonly string[] | undefined
  /** Kept over restarts: the port of the node before. */
  readonly port?: number | undefined
  /** The data directory; one of the cluster's own when left out. */
  readonly data?: string | undefined
  /** Any option of the configuration. */
  readonly options?: Readonly<Partial<Record<ConfigName, string | number>>> | undefined
  readonly wrapper?: readonly string[] | undefined
  readonly nodeArguments?: readonly string[] | undefined
  /** The working directory; that of this process when left out. */
  readonly directory?: string | undefined
  /** Environment variables that are no options. */
  readonly environment?: Readonly<Record<string, string>> | undefined
}

/** The definitions of an authority that is given none: `timing` and `text`. */
const examples = fileURLToPath(new URL('../../../../../examples/timing', import.meta.url))
/** What the tokens of all clusters are signed with. */
export const tokenKey = 'a key of tests and of nothing else 0123456789'
const hourMs = 3_600_000

/** Nodes of one fleet on this machine. */
export class Cluster {
  /** Of this cluster alone; removed with it. */
  readonly directory: string
  /** Allows everything. */
  readonly token: string
  readonly #fleet: IdentityKey
  readonly #nodes: ClusterNode[] = []

  private constructor(directory: string, token: string, fleet: IdentityKey) {
    this.directory = directory
    this.token = token
    this.#fleet = fleet
  }

  /** A cluster without nodes, which ends with the test. */
  static async open(t: Test): Promise<Cluster> {
    const token = await mintToken({
      key: tokenKey,
      subject: 'w',
      documents: ['**'],
      allow: ['observe', 'write', 'create', 'delete'],
      ttlMs: hourMs,
    })
    const directory = mkdtempSync(join(tmpdir(), 'fanfold-cluster-'))
    const cluster = new Cluster(directory, token, generateFleetKey())
    t.teardown(() => cluster.#close())
    return cluster
  }

  /** A token that allows observing everything, with these claims. */
  async viewerToken(claims: Readonly<Record<string, unknown>>, subject = 'v'): Promise<string> {
    const grant = { key: tokenKey, documents: ['**'], ttlMs: hourMs }
    return await mintToken({ ...grant, subject, allow: ['observe'], claims })
  }

  /** Starts a node; resolves when it listens. */
  async start(settings: NodeSettings): Promise<ClusterNode> {
    const { name, roles, parents = [], port = 0, options = {} } = settings
    const { ceiling, region, definitions = [examples] } = settings
    const environment = await nodeEnvironment({
      fleet: this.#fleet,
      name,
      roles,
      ceiling,
      region,
      options: {
        port,
        data: settings.data ?? join(this.directory, name),
        tokenKey,
        ...(parents.length > 0 ? { parents: parents.map(({ url }) => url).join(',') } : {}),
        ...(roles.includes('authority') ? { definitions: definitions.join(',') } : {}),
        ...options,
      },
    })
    const node = await ClusterNode.start({
      name,
      wrapper: settings.wrapper,
      nodeArguments: settings.nodeArguments,
      arguments: ['serve'],
      environment: { ...settings.environment, ...environment },
      directory: settings.directory,
    })
    this.#nodes.push(node)
    return node
  }

  async #close(): Promise<void> {
    await Promise.all(this.#nodes.map(node => node.kill()))
    rmSync(this.directory, { recursive: true, force: true })
  }
}
