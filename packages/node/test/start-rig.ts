/*
 * Nodes and trees of a test, in its own process, with clients that come and go. What a test starts
 * ends with it; whoever is cut off by that is not disturbed.
 */
import { join } from 'node:path'
import { type Connection, connect, type Observation } from '@fanfold/client'
import { Prng } from '@fanfold/kernel'
import type { Test } from 'tap'
import { WebSocket } from 'ws'
import { type Config, createConfig } from '../src/config.ts'
import type { ConfigName } from '../src/config-table.ts'
import { generateFleetKey, generateNodeKey, mintLinkToken } from '../src/link-identity.ts'
import { createLog, type Log } from '../src/logging.ts'
import { mintToken } from '../src/viewer-tokens.ts'

const tokenKey = 'a key of tests and of nothing else 0123456789'
const hourMs = 3_600_000

const definition = `
import { defineDocument, message } from 'fanfold'
const anything = { '~standard': { version: 1, vendor: 'test', validate: value => ({ value }) } }
export default defineDocument({
  type: 'counter',
  state: () => ({ count: 0 }),
  messages: { add: message(anything, state => { state.count++ }) },
  observe: { allow: () => true },
})
`

/** The document that the tests write and observe. */
export const doc = 'acme/counter/one'

/** Logs nothing. */
export const silent: Log = createLog({ level: 'silent', node: '', region: '' })

/** A token that allows everything. */
export const everything = (): Promise<string> =>
  mintToken({
    key: tokenKey,
    subject: 'w',
    documents: ['**'],
    allow: ['observe', 'write', 'create', 'delete'],
    ttlMs: hourMs,
  })

/** Configurations of nodes of one fleet, which share a directory and a definition. */
export class Fleet {
  readonly #directory: string
  readonly #key = generateFleetKey()

  constructor(t: Test) {
    this.#directory = t.testdir({ 'counter.ts': definition })
  }

  /** A directory of the test's, which nothing else uses. */
  directoryOf(name: string): string {
    return join(this.#directory, name)
  }

  async config(
    name: string,
    values: Readonly<Partial<Record<ConfigName, unknown>>>,
  ): Promise<Config> {
    const key = generateNodeKey()
    const token = await mintLinkToken({
      fleetPrivateKey: this.#key.privateKey,
      nodePublicKey: key.publicKey,
      node: name,
      region: 'local',
      roles: ['authority', 'proxy', 'edge'],
      ceiling: 239,
      ttlMs: hourMs,
    })
    return createConfig(
      {
        'node.id': name,
        port: 0,
        adminPort: 0,
        data: join(this.#directory, name),
        definitions: [join(this.#directory, 'counter.ts')],
        tokenKey,
        'link.token': token,
        'link.privateKey': key.privateKey,
        'link.fleetPublicKeys': [this.#key.publicKey],
        ...values,
      },
      this.#directory,
    )
  }
}

/** Viewers and a writer that keep coming until they are told to leave. */
export class Crowd {
  readonly observations: Observation[] = []
  readonly #connections: Connection[] = []
  readonly #urls: { readonly observe: string; readonly write: string }
  readonly #token: string

  constructor(urls: { readonly observe: string; readonly write: string }, token: string) {
    this.#urls = urls
    this.#token = token
  }

  /** One more viewer, and some messages, without waiting for any of it. */
  join(): void {
    const connection = connect(this.#urls.observe, {
      token: this.#token,
      WebSocket,
      writeUrl: this.#urls.write,
    })
    this.#connections.push(connection)
    this.observations.push(connection.observe(doc))
    for (let count = 0; count < 20; count++) {
      // The node is stopped under it: how a message ends is not the matter here.
      connection.send(doc, 'add', {}).catch(() => undefined)
    }
  }

  leave(): void {
    for (const connection of this.#connections) connection.close()
  }
}

/** Lets so many turns of the event loop pass. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(resolve => setImmediate(resolve))
}

/** Chance of the test: the same for the same name. */
export const chanceOf = (name: string): Prng => new Prng(name)

/** Handles that keep a process from ending: servers, sockets, files, watches. */
export const openHandles = (): string[] =>
  process
    .getActiveResourcesInfo()
    .filter(name => /TCP|Pipe|FS|UDP/.test(name))
    .toSorted()

/** Resolves when no more is open than `before`, as closing takes some turns; says what is. */
export async function leftOpen(before: readonly string[]): Promise<string[]> {
  for (let turn = 0; turn < 20_000 && openHandles().length > before.length; turn++) await turns(1)
  const open = openHandles()
  return open.length > before.length ? open : []
}
