/*
 * Networks of namespaces by number, for tests: the kernel counts the packets in which it sees a text, lets
 * only so many bytes a second leave, or none.
 */
import { spawnSync } from 'node:child_process'
import { Cleanups, type Heal, Networks, whyNot } from '@fanfold/nemesis'
import type { Test } from 'tap'
import type { ClusterNode } from './cluster-node.ts'

/** Why tests on namespaces are skipped where those are not permitted, and what to do; false where they run. */
export const namespacesSkip: string | false = whyNot(['networks']) ?? false

const commandMsMax = 20_000

const nameOf = (index: number): string => `net-${index}`

/** Namespaces 1 … `count`, each with an address that the others reach. */
export class NetworkNamespaces {
  readonly #networks: Networks
  readonly #heals = new Map<string, Heal>()

  private constructor(networks: Networks) {
    this.#networks = networks
  }

  /**
   * Makes them; they go with the test, also when a signal ends it.
   *
   * @throws Error with what the system says when they may not be made
   */
  static open(t: Test, count: number): NetworkNamespaces {
    const cleanups = new Cleanups()
    t.teardown(() => cleanups.run())
    const names = Array.from({ length: count }, (_, index) => nameOf(index + 1))
    return new NetworkNamespaces(Networks.open(names, cleanups))
  }

  /** The address of a namespace. */
  address(index: number): string {
    return this.#networks.address(nameOf(index))
  }

  /** Where others reach a node that runs in a namespace. */
  url(index: number, { port }: ClusterNode): string {
    return `ws://${this.address(index)}:${port}`
  }

  /** What runs a program in a namespace: the words in front of its command line. */
  wrapper(index: number): string[] {
    return this.#networks.wrapper(nameOf(index))
  }

  /** From now on, packets that leave a namespace with `text` in them are counted. */
  watchFor(index: number, text: string): void {
    this.#networks.watchFor(nameOf(index), text)
  }

  /** How many packets with `text` in them have left a namespace. */
  countOf(index: number, text: string): number {
    return this.#networks.countOf(nameOf(index), text)
  }

  /**
   * From now on so much leaves a namespace for others, such as `64kbit` a second; what is sent
   * meanwhile waits for two seconds, then it is lost. Between programs in it nothing changes.
   */
  slow(index: number, rate: string): void {
    this.#heals.set(`slow ${index}`, this.#networks.slow(nameOf(index), rate))
  }

  /** Ends `slow`. */
  unslow(index: number): void {
    this.#heals.get(`slow ${index}`)?.()
  }

  /** From now on nothing leaves a namespace or comes to it, and nobody is told. */
  unplug(index: number): void {
    this.#heals.set(`unplug ${index}`, this.#networks.unplug(nameOf(index)))
  }

  /** Ends `unplug`. */
  plug(index: number): void {
    this.#heals.get(`unplug ${index}`)?.()
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
}
