/*
 * Networks of namespaces on one bridge, made by shell functions that lie beside the repository, which
 * not every machine has. The kernel counts the packets in which it sees a text, lets only so many bytes
 * a second leave, or none.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { findProgram, iproute, iptables, missingSentence } from '../system/system-program.ts'
import { thisMachine } from '../system/this-machine.ts'
import type { ClusterNode } from './cluster-node.ts'

const library = fileURLToPath(new URL('../../../../../../shared/faults/lib.sh', import.meta.url))

/** Why tests on namespaces are skipped; false where the functions are. */
export const faultsSkip: string | false = existsSync(library)
  ? false
  : 'there are no tools for networks of namespaces here'

const commandMsMax = 20_000

/** Namespaces 1 … `count`, each with an address that the others reach. */
export class NetworkNamespaces {
  readonly #prefix: string
  readonly #count: number

  private constructor(prefix: string, count: number) {
    this.#prefix = prefix
    this.#count = count
  }

  /**
   * Makes them; they go with the test, also when a signal ends it.
   *
   * @throws Error with what the system says when they may not be made
   */
  static open(t: Test, count: number): NetworkNamespaces {
    const namespaces = new NetworkNamespaces(`ff${process.pid.toString(36)}n`, count)
    const end = (): void => namespaces.#close()
    const endBySignal = (signal: NodeJS.Signals): void => {
      end()
      process.kill(process.pid, signal)
    }
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
    for (const signal of signals) process.once(signal, endBySignal)
    process.once('exit', end)
    t.teardown(() => {
      end()
      process.removeListener('exit', end)
      for (const signal of signals) process.removeListener(signal, endBySignal)
    })
    namespaces.#run('set -e; net_up "$1" "$2"', namespaces.#prefix, String(count))
    return namespaces
  }

  /** The same, but the test fails with what is to be done where they cannot be made. */
  static openOrFail(t: Test, count: number): NetworkNamespaces | undefined {
    const missing = [iproute, iptables].find(one => findProgram(one, thisMachine) === undefined)
    if (missing !== undefined) {
      t.fail(missingSentence(missing))
      return undefined
    }
    try {
      return NetworkNamespaces.open(t, count)
    } catch (error) {
      t.fail(`networks of namespaces: as root, where they are permitted: ${String(error)}`)
      return undefined
    }
  }

  /** The address of a namespace. */
  address(index: number): string {
    return `10.88.0.${index}`
  }

  /** Where others reach a node that runs in a namespace. */
  url(index: number, { port }: ClusterNode): string {
    return `ws://${this.address(index)}:${port}`
  }

  /** What runs a program in a namespace: the words in front of its command line. */
  wrapper(index: number): string[] {
    return ['ip', 'netns', 'exec', this.#name(index)]
  }

  /** From now on, packets that leave a namespace with `text` in them are counted. */
  watchFor(index: number, text: string): void {
    this.#run('canary_on "$1" "$2"', this.#name(index), text)
  }

  /** How many packets with `text` in them have left a namespace. */
  countOf(index: number, text: string): number {
    const output = this.#run('canary_count "$1" "$2"', this.#name(index), text).trim()
    if (!/^\d+$/.test(output)) throw new Error(`a count of packets with ${text}, got ${output}`)
    return Number(output)
  }

  /**
   * From now on so much leaves a namespace for others, such as `64kbit` a second; what is sent
   * meanwhile waits for two seconds, then it is lost. Between programs in it nothing changes.
   */
  slow(index: number, rate: string): void {
    this.#run('slow "$1" "$2" "$3" 2kb 2000ms', this.#name(index), this.#device(index), rate)
  }

  /** Ends `slow`. */
  unslow(index: number): void {
    this.#run('unslow "$1" "$2"', this.#name(index), this.#device(index))
  }

  /** From now on nothing leaves a namespace or comes to it, and nobody is told. */
  unplug(index: number): void {
    this.#run('unplug "$1" "$2"', this.#name(index), this.#device(index))
  }

  /** Ends `unplug`. */
  plug(index: number): void {
    this.#run('plug "$1" "$2"', this.#name(index), this.#device(index))
  }

  /** The body of what is answered to a GET request in a namespace. */
  fetch(index: number, url: string): string {
    const script = 'fetch(process.argv[1]).then(answer => answer.text()).then(console.log)'
    const [file = '', ...before] = this.wrapper(index)
    const { status, stdout, stderr } = spawnSync(
      file,
      [...before, process.execPath, '-e', script, url],
      { encoding: 'utf8', timeout: commandMsMax },
    )
    if (status !== 0) throw new Error(`GET ${url}: ${stderr}`)
    return stdout
  }

  #name(index: number): string {
    return `${this.#prefix}${index}`
  }

  #device(index: number): string {
    return `${this.#prefix}v${index}`
  }

  #run(script: string, ...args: readonly string[]): string {
    const { status, stdout, stderr } = spawnSync(
      'bash',
      ['-c', `source "$0"; ${script}`, library, ...args],
      { encoding: 'utf8', timeout: commandMsMax },
    )
    if (status !== 0) throw new Error(`${script} ${args.join(' ')}: ${stderr}`)
    return stdout
  }

  #close(): void {
    spawnSync(
      'bash',
      ['-c', 'source "$0"; net_down "$1" "$2"', library, this.#prefix, String(this.#count)],
      {
        stdio: 'ignore',
        timeout: commandMsMax,
      },
    )
  }
}
