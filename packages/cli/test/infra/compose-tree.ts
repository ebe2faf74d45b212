/*
 * The services of infra/compose.yaml as processes of this machine: the same programs with the same
 * arguments, but for host names, paths of volumes and ports, which are this machine's.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { endWithParent, until, within } from '@fanfold/nemesis'
import type { Test } from 'tap'
import { ClusterNode } from '../cluster/cluster-node.ts'
import { program } from '../cluster/fanfold-command.ts'
import { type ComposeService, readCompose, root, serviceOf } from './compose-file.ts'

/** The tree of the file, running. */
export class ComposeTree {
  readonly #directory: string
  readonly #services = readCompose().services
  readonly #nodes = new Map<string, ClusterNode>()
  readonly #programs: ChildProcess[] = []

  /** Nothing of it runs yet; all of it ends with the test. */
  constructor(t: Test) {
    this.#directory = mkdtempSync(join(tmpdir(), 'fanfold-compose-'))
    t.teardown(async () => {
      for (const child of this.#programs) child.kill('SIGKILL')
      await Promise.all([...this.#nodes.values()].map(node => node.kill()))
      rmSync(this.#directory, { recursive: true, force: true })
    })
  }

  /** Names of the services that are nodes, parents before children. */
  get nodeNames(): readonly string[] {
    return [...this.#nodes.keys()]
  }

  node(name: string): ClusterNode {
    const node = this.#nodes.get(name)
    if (node === undefined) throw new Error(`${name} does not run`)
    return node
  }

  /** Runs the service that makes keys, to its end. */
  async mintKeys(): Promise<void> {
    const [shell = 'sh', ...rest] = serviceOf(this.#services, 'keys').entrypoint
    const command = this.#translate(serviceOf(this.#services, 'keys'))
    // What the image has on its path.
    const path = join(this.#directory, 'bin')
    mkdirSync(path)
    writeFileSync(join(path, 'fanfold'), `#!/bin/sh\nexec ${process.execPath} ${program} "$@"\n`)
    chmodSync(join(path, 'fanfold'), 0o755)
    const child = spawn(shell, [...rest, ...command], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { PATH: `${path}:${process.env['PATH']}` },
    })
    this.#programs.push(child)
    const [code] = await within('keys are made', once(child, 'exit'), 50_000)
    if (code !== 0) throw new Error(`keys: exit code ${code}`)
  }

  /** Starts every node, those at the same height at the same time. */
  async startNodes(): Promise<void> {
    const waiting = new Set(this.#services.filter(({ entrypoint }) => entrypoint.length === 0))
    while (waiting.size > 0) {
      const ready = [...waiting].filter(({ after }) =>
        Object.keys(after).every(name => name === 'keys' || this.#nodes.has(name)),
      )
      if (ready.length === 0) throw new Error('services wait for each other')
      const started = await Promise.all(ready.map(service => this.#startNode(service)))
      for (const [index, service] of ready.entries()) {
        waiting.delete(service)
        const node = started[index]
        if (node !== undefined) this.#nodes.set(service.name, node)
      }
    }
  }

  /** Starts a service that is a program of its own; resolves with the lines it writes. */
  startProgram(name: string, more: readonly string[] = []): { lines: string[] } {
    const service = serviceOf(this.#services, name)
    const [, script = '', ...rest] = service.entrypoint
    const child = spawn(
      process.execPath,
      ['--import', endWithParent, script, ...rest, ...this.#translate(service), ...more],
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

  async #startNode(service: ComposeService): Promise<ClusterNode> {
    return await ClusterNode.start({
      name: service.name,
      arguments: [...this.#translate(service), '--port=0', '--admin-port=0'],
      environment: {},
    })
  }

  #translate({ command }: ComposeService): string[] {
    return command.map(argument =>
      argument
        .replace(/ws:\/\/([a-z][a-z-]*):9600/, (_, name: string) => this.node(name).url)
        .replace(/(^|=)\/(secrets|data)/, `$1${this.#directory}/$2`)
        .replace(/^examples\//, `${root}examples/`),
    )
  }
}

/** Waits until a node says that it is ready. */
export const untilReady = (node: ClusterNode): Promise<void> =>
  until(
    `${node.name} is ready`,
    async () => (await fetch(`${node.adminUrl}/readyz`)).status === 200,
  )
