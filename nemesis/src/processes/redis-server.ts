/*
 * A real redis-server, on a port and in a directory of its own. It ends with the process that started it,
 * however that ends.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { Redis } from 'ioredis'
import { until } from '../until.ts'

/** Below the ports that systems give to who asks for none, so that a server can come back to its own. */
const ports: readonly [from: number, to: number] = [12_000, 22_000]
/** Ports that are tried until one is free. */
const attemptsMax = 20
/** What a server says when it takes commands, and what a sentinel says. */
const readyLine = /Ready to accept connections|\+monitor master/

/** That of this process. */
const ownNetwork = { address: '127.0.0.1', wrapper: [] }

/** How a server is started. */
export type RedisServerOptions = {
  /** Keeps what it has over a kill: an append-only file that is synced at each write. */
  readonly isDurable?: boolean | undefined
  /** More of its configuration, as on its command line. */
  readonly arguments?: readonly string[] | undefined
  /** A network that it is in, apart from that of this process. */
  readonly network?: { readonly address: string; readonly wrapper: readonly string[] } | undefined
  /** Lines of a file that makes it a sentinel. */
  readonly sentinelSettings?: readonly string[] | undefined
}

/** What servers end with: a test. */
type Owner = { teardown(end: () => Promise<void>): void }

/** A server that was started. */
export class RedisServer {
  readonly #directory = mkdtempSync(join(tmpdir(), 'fanfold-redis-'))
  readonly #arguments: readonly string[]
  readonly #network: NonNullable<RedisServerOptions['network']>
  #port = 0
  #child: ChildProcess | undefined
  #watcher: ChildProcess | undefined
  #client: Redis | undefined

  private constructor(options: RedisServerOptions) {
    const { isDurable = false, arguments: more = [], sentinelSettings } = options
    this.#network = options.network ?? ownNetwork
    if (sentinelSettings !== undefined) {
      const path = join(this.#directory, 'sentinel.conf')
      writeFileSync(path, sentinelSettings.join('\n'))
      this.#arguments = [path, '--sentinel', '--bind', '127.0.0.1']
      return
    }
    const kept = isDurable ? ['--appendonly', 'yes', '--appendfsync', 'always'] : []
    // From another network it is reached by a file alone.
    const isElsewhere = this.#network !== ownNetwork
    const door = isElsewhere ? ['--unixsocket', this.#socket, '--protected-mode', 'no'] : []
    const bind = ['--bind', this.#network.address, ...door]
    this.#arguments = ['--save', '', ...bind, ...kept, ...more]
  }

  /** Starts one, which ends with the test. */
  static async start(t: Owner, options: RedisServerOptions = {}): Promise<RedisServer> {
    const server = new RedisServer(options)
    t.teardown(() => server.stop())
    for (let attempt = 0; ; attempt++) {
      server.#port = randomInt(...ports)
      if (await server.#launch()) return server
      if (attempt === attemptsMax) throw new Error('redis-server does not start')
    }
  }

  /** Starts one and a replica of it, which has what it has. */
  static async startPair(t: Owner): Promise<[master: RedisServer, replica: RedisServer]> {
    const master = await RedisServer.start(t, { arguments: ['--repl-diskless-sync-delay', '0'] })
    const replica = await RedisServer.start(t, {
      arguments: ['--replicaof', '127.0.0.1', `${master.port}`],
    })
    const isUp = /master_link_status:up/
    await until('the replica has what its master has', async () =>
      isUp.test(await replica.client.info('replication')),
    )
    return [master, replica]
  }

  /** Starts a cluster of masters that have all slots between them, evenly in their order. */
  static async startCluster(t: Owner, count: number): Promise<RedisServer[]> {
    const options = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000']
    // A node that is gone takes only its own slots with it.
    options.push('--cluster-require-full-coverage', 'no')
    const servers = await Promise.all(
      Array.from({ length: count }, () =>
        RedisServer.start(t, { isDurable: true, arguments: options }),
      ),
    )
    const [first] = servers
    for (const [index, { client }] of servers.entries()) {
      const [from, to] = [index, index + 1].map(edge => Math.floor((16_384 * edge) / count))
      await client.call('cluster', 'addslotsrange', `${from}`, `${Number(to) - 1}`)
      // Else they wait for each other's numbers to differ.
      await client.call('cluster', 'set-config-epoch', `${index + 1}`)
      if (first !== undefined) await client.call('cluster', 'meet', '127.0.0.1', `${first.port}`)
    }
    const all = new RegExp(`cluster_state:ok[^]*cluster_known_nodes:${count}`)
    for (const { client } of servers) {
      await until('the cluster is one', async () =>
        all.test(String(await client.call('cluster', 'info'))),
      )
    }
    return servers
  }

  /** Starts a sentinel that watches a master by the name `main`, and decides alone. */
  static async startSentinel(t: Owner, master: RedisServer): Promise<RedisServer> {
    const settings = [
      `sentinel monitor main 127.0.0.1 ${master.port} 1`,
      'sentinel down-after-milliseconds main 300',
      'sentinel failover-timeout main 3000',
    ]
    const sentinel = await RedisServer.start(t, { sentinelSettings: settings })
    // It would look around every ten seconds.
    const periods = ['info-period', '100', 'ping-period', '100', 'publish-period', '100']
    await sentinel.client.call('sentinel', 'debug', ...periods)
    return sentinel
  }

  get #socket(): string {
    return join(this.#directory, 'redis.sock')
  }

  get port(): number {
    return this.#port
  }

  get address(): string {
    return `redis://${this.#network.address}:${this.#port}`
  }

  /** A client for what a test does to the server. */
  get client(): Redis {
    this.#client ??= new Redis({
      ...(this.#network === ownNetwork
        ? { host: '127.0.0.1', port: this.#port }
        : { path: this.#socket }),
      retryStrategy: () => 20,
      disconnectTimeout: 50,
    })
    // It is lost when the server is killed, and comes back.
    if (this.#client.listenerCount('error') === 0) this.#client.on('error', () => undefined)
    return this.#client
  }

  /** Does a command before it returns. */
  commandNow(...words: readonly string[]): void {
    const { stdout, status } = spawnSync(
      programOf('redis-cli'),
      ['-p', `${this.#port}`, ...words],
      { encoding: 'utf8' },
    )
    if (status !== 0 || /^(ERR|WRONGPASS|NOAUTH)/.test(stdout)) {
      throw new Error(`redis-cli ${words[0]}: ${stdout}`)
    }
  }

  /** Stops it as it is: connections stay, nothing is answered. */
  pause(): void {
    this.#child?.kill('SIGSTOP')
  }

  /** It goes on where it was. */
  resume(): void {
    this.#child?.kill('SIGCONT')
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    const child = this.#child
    this.#watcher?.kill('SIGKILL')
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }

  /** Starts it again in its place, with what it kept, and with more of its configuration. */
  async restart(more: readonly string[] = []): Promise<void> {
    await this.kill()
    if (!(await this.#launch(more))) throw new Error('redis-server does not start again')
  }

  /** Ends it for good. */
  async stop(): Promise<void> {
    this.#client?.disconnect()
    await this.kill()
    await rm(this.#directory, { recursive: true, force: true })
  }

  /** False when the port is another's. */
  async #launch(more: readonly string[] = []): Promise<boolean> {
    const own = ['--port', `${this.#port}`, '--dir', this.#directory]
    // A file of settings comes first.
    const settings = [...this.#arguments, ...own, ...more]
    const line = [...this.#network.wrapper, programOf('redis-server'), ...settings]
    const [program = '', ...words] = line
    const child = spawn(program, words, {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#child = child
    await once(child, 'spawn')
    this.#watcher = watch(child, this.#directory)
    const lines = createInterface({ input: child.stdout ?? process.stdin })
    for await (const line of lines) {
      if (!readyLine.test(line)) continue
      lines.close()
      child.stdout?.resume()
      return true
    }
    this.#watcher.kill('SIGKILL')
    return false
  }
}

/** Kills a server when this process has ended: the standard input of the watcher ends with it. */
function watch({ pid }: ChildProcess, directory: string): ChildProcess {
  const script = 'read line; kill -9 "$1"; rm -rf "$2"'
  const watcher = spawn('/bin/sh', ['-c', script, 'watch', `${pid}`, directory], {
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  watcher.unref()
  return watcher
}

/** Where a program of Redis is: beside the server that is named, or where commands are. */
function programOf(name: 'redis-server' | 'redis-cli'): string {
  const { FANFOLD_REDIS_SERVER: server = '', PATH = '' } = process.env
  if (server !== '') return name === 'redis-server' ? server : join(server, '..', name)
  const paths = [...PATH.split(delimiter), '/usr/bin', '/usr/local/bin', '/opt/homebrew/bin']
  const path = paths.map(folder => join(folder, name)).find(path => existsSync(path))
  if (path === undefined) {
    throw new Error(`this test needs ${name}: run \`apt-get install redis-server\` as root`)
  }
  return path
}
