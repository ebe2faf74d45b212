/*
 * The services of infra/compose.yaml as processes of this machine: the same programs with the same
 * arguments and variables, but for host names, paths of volumes and ports, which are this machine's.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { endWithParent, RedisServer, until, within } from '@fanfold/nemesis'
import type { Test } from 'tap'
import { ClusterNode } from '../cluster/cluster-node.ts'
import { program } from '../cluster/fanfold-command.ts'
import { type ComposeService, readCompose, root, serviceOf } from './compose-file.ts'

/** Some fifteen programs run for the keys, one after the other for the most part, ms. */
const keysWithinMs = 240_000
/** Processes that start at the same time. */
const startsAtOnce = 4

/** The fleet of the file, running. */
export class ComposeTree {
  readonly #test: Test
  readonly #directory: string
  readonly #file = readCompose()
  readonly #nodes = new Map<string, ClusterNode>()
  readonly #programs: ChildProcess[] = []
  #redis: RedisServer | undefined

  /** Nothing of it runs yet; all of it ends with the test. */
  constructor(t: Test) {
    this.#test = t
    this.#directory = mkdtempSync(join(tmpdir(), 'fanfold-compose-'))
    t.teardown(async () => {
      for (const child of this.#programs) child.kill('SIGKILL')
      await Promise.all([...this.#nodes.values()].map(node => node.kill()))
      rmSync(this.#directory, { recursive: true, force: true })
    })
  }

  /** Names of the services that are nodes, in the order of the file. */
  get nodeNames(): readonly string[] {
    return this.#file.nodes.map(({ name }) => name)
  }

  node(name: string): ClusterNode {
    const node = this.#nodes.get(name)
    if (node === undefined) throw new Error(`${name} does not run`)
    return node
  }

  /** Runs the service that makes keys, to its end. */
  async mintKeys(): Promise<void> {
    const keys = serviceOf(this.#file.services, 'keys')
    const [shell = 'sh', ...rest] = keys.entrypoint
    // What the image has on its path.
    const path = join(this.#directory, 'bin')
    mkdirSync(path)
    writeFileSync(join(path, 'fanfold'), `#!/bin/sh\nexec ${process.execPath} ${program} "$@"\n`)
    chmodSync(join(path, 'fanfold'), 0o755)
    const child = spawn(shell, [...rest, ...keys.command.map(text => this.#pathHere(text))], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { PATH: `${path}:${process.env['PATH']}` },
    })
    this.#programs.push(child)
    const [code] = await within('keys are made', once(child, 'exit'), keysWithinMs)
    if (code !== 0) throw new Error(`keys: exit code ${code}`)
  }

  /** Starts the server that the file starts, with its settings. */
  async startRedis(): Promise<RedisServer> {
    const [server, ...settings] = serviceOf(this.#file.services, 'redis').command
    if (server !== 'redis-server') throw new Error(`redis-server, got ${server}`)
    this.#redis = await RedisServer.start(this.#test, { arguments: settings })
    return this.#redis
  }

  /** Starts every node, in no order that would matter, so many at a time. */
  async startNodes(): Promise<void> {
    const { nodes } = this.#file
    for (let first = 0; first < nodes.length; first += startsAtOnce) {
      const next = nodes.slice(first, first + startsAtOnce)
      await Promise.all(next.map(service => this.#startNode(service)))
    }
  }

  /** What a node is given: its arguments, and its variables. */
  commandOf(name: string): {
    readonly arguments: readonly string[]
    readonly environment: Readonly<Record<string, string>>
  } {
    const { command, environment } = serviceOf(this.#file.services, name)
    const { address = '' } = this.#redis ?? {}
    const here = Object.entries(environment).map(([variable, value]) => [
      variable,
      variable === 'FANFOLD_HOST' ? '127.0.0.1' : value.replace('redis://redis:6379', address),
    ])
    return {
      arguments: [
        // Where it is dialled follows from the port that it gets here.
        ...command
          .filter(text => !text.startsWith('--advertise='))
          .map(text => this.#pathHere(text)),
        ...['--port=0', '--admin-port=0'],
      ],
      environment: Object.fromEntries(here),
    }
  }

  /** Starts a service that is a program of its own; resolves with the lines it writes. */
  startProgram(name: string, more: readonly string[] = []): { lines: string[] } {
    const { entrypoint, command } = serviceOf(this.#file.services, name)
    const [, script = '', ...rest] = entrypoint
    const here = command.map(text => this.#hostsHere(this.#pathHere(text)))
    const child = spawn(
      process.execPath,
      ['--import', endWithParent, script, ...rest, ...here, ...more],
      { cwd: root, stdio: ['ignore', 'pipe', 'inherit', 'pipe'], env: { PATH: '' } },
    )
    this.#programs.push(child)
    const lines: string[] = []
    if (child.stdout !== null) {
      createInterface({ input: child.stdout }).on('line', line => lines.push(line))
    }
    return { lines }
  }

  /** A file for a service, by its path here. */
  write(name: string, text: string): string {
    const path = join(this.#directory, name)
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, text)
    return path
  }

  async #startNode({ name }: ComposeService): Promise<void> {
    this.#nodes.set(name, await ClusterNode.start({ name, ...this.commandOf(name) }))
  }

  #hostsHere(text: string): string {
    return text.replace(/ws:\/\/([a-z][a-z0-9-]*):9600/g, (_, name: string) => this.node(name).url)
  }

  #pathHere(text: string): string {
    return text
      .replace(/(^|=)\/secrets/, `$1${this.#directory}/secrets`)
      .replace(/^examples\//, `${root}examples/`)
  }
}

/** Waits until a node says that it is ready. */
export const untilReady = (node: ClusterNode): Promise<void> =>
  until(
    `${node.name} is ready`,
    async () => (await fetch(`${node.adminUrl}/readyz`)).status === 200,
  )
