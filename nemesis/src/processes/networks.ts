/*
 * Networks: namespaces of Linux on one bridge, each with an address that the others reach. Everything acts
 * within them alone, and they are gone with this process.
 *
 * Faults of a link are rules of the kernel's packet filter, so that no connection is told of them: nothing
 * ends, and what is sent again arrives once the rule is gone. Each rule is taken away as it was put, so
 * that faults at the same time leave each other alone.
 */
import { existsSync } from 'node:fs'
import type { Cleanups } from './cleanups.ts'
import { runCommand, tryCommand } from './run-command.ts'

/** Addresses begin with it. */
const subnet = '10.88.0'
/** What goes by the slower way is marked so, and has a table of routes. */
const slowMark = '1'
const slowTable = '100'
const markSlow = ['-j', 'MARK', '--set-mark', slowMark]

/** Ends a fault; again does nothing. */
export type Heal = () => void

/** Namespaces by name. */
export class Networks {
  readonly #names: readonly string[]
  readonly #prefix: string

  private constructor(names: readonly string[], prefix: string) {
    this.#names = names
    this.#prefix = prefix
  }

  /** Makes them; needs root, `ip` and `iptables`. */
  static open(names: readonly string[], cleanups: Cleanups): Networks {
    const prefix = `fn${process.pid}`
    const networks = new Networks(names, prefix)
    removeStale()
    cleanups.add(() => networks.#close())
    const bridge = networks.#bridge
    runCommand('ip', 'netns', 'add', bridge)
    runCommand('ip', '-n', bridge, 'link', 'add', 'br0', 'type', 'bridge')
    runCommand('ip', '-n', bridge, 'link', 'set', 'br0', 'up')
    for (const name of names) {
      const namespace = networks.#namespace(name)
      const device = networks.#device(name)
      const port = `${device}p`
      runCommand('ip', 'netns', 'add', namespace)
      runCommand('ip', '-n', namespace, 'link', 'set', 'lo', 'up')
      runCommand('ip', 'link', 'add', device, 'type', 'veth', 'peer', 'name', port)
      runCommand('ip', 'link', 'set', device, 'netns', namespace)
      runCommand('ip', 'link', 'set', port, 'netns', bridge)
      const address = `${networks.address(name)}/24`
      runCommand('ip', '-n', namespace, 'addr', 'add', address, 'dev', device)
      runCommand('ip', '-n', namespace, 'link', 'set', device, 'up')
      runCommand('ip', '-n', bridge, 'link', 'set', port, 'master', 'br0')
      runCommand('ip', '-n', bridge, 'link', 'set', port, 'up')
    }
    return networks
  }

  /** The address of a namespace. */
  address(name: string): string {
    return `${subnet}.${this.#index(name) + 1}`
  }

  /** What runs a program in a namespace: the words in front of its command line. */
  wrapper(name: string): string[] {
    return ['ip', 'netns', 'exec', this.#namespace(name)]
  }

  /** Nothing that comes from the other namespace is taken. */
  cutFrom(name: string, other: string): Heal {
    return this.#rule(name, ['INPUT', '-s', this.address(other), '-j', 'DROP'])
  }

  /** Nothing leaves for the other namespace. */
  cutTo(name: string, other: string): Heal {
    return this.#rule(name, ['OUTPUT', '-d', this.address(other), '-j', 'DROP'])
  }

  /** New connections to a port are refused. */
  refuse(name: string, port: number): Heal {
    const reject = ['-j', 'REJECT', '--reject-with', 'tcp-reset']
    return this.#rule(name, ['INPUT', '-p', 'tcp', '--dport', String(port), '--syn', ...reject])
  }

  /** New connections to a port get no answer. */
  blackHole(name: string, port: number): Heal {
    const match = ['INPUT', '-p', 'tcp', '--dport', String(port), '--syn']
    return this.#rule(name, [...match, '-j', 'DROP'])
  }

  /** Whoever sends anything to a port is reset. */
  reset(name: string, port: number): Heal {
    const reject = ['-j', 'REJECT', '--reject-with', 'tcp-reset']
    return this.#rule(name, ['INPUT', '-p', 'tcp', '--dport', String(port), ...reject])
  }

  /** Of what comes in, this share is lost. */
  lose(name: string, share: number): Heal {
    const match = ['-m', 'statistic', '--mode', 'random', '--probability', String(share)]
    return this.#rule(name, ['INPUT', ...match, '-j', 'DROP'])
  }

  /** So much leaves a namespace a second, such as `64kbit`; what is sent meanwhile waits for 2 s. */
  slow(name: string, rate: string): Heal {
    const device = this.#device(name)
    const tc = (...args: readonly string[]): string[] => ['tc', 'qdisc', ...args]
    const limit = ['rate', rate, 'burst', '2kb', 'latency', '2000ms']
    const [program = '', ...before] = this.wrapper(name)
    runCommand(program, ...before, ...tc('replace', 'dev', device, 'root', 'tbf', ...limit))
    return once(() => {
      tryCommand(program, ...before, ...tc('del', 'dev', device, 'root'))
    })
  }

  /**
   * Of what leaves a namespace, a share goes by another way to the same bridge, where so much passes a
   * second, such as `64kbit`: what was sent later by the first way overtakes it. What does not fit there
   * within half a second is lost.
   */
  reorder(name: string, share: number, rate: string): Heal {
    const device = `${this.#device(name)}s`
    const port = `${device}p`
    const run = (...words: readonly string[]): void => {
      const [program = '', ...before] = this.wrapper(name)
      runCommand(program, ...before, ...words)
    }
    runCommand('ip', 'link', 'add', device, 'type', 'veth', 'peer', 'name', port)
    runCommand('ip', 'link', 'set', device, 'netns', this.#namespace(name))
    runCommand('ip', 'link', 'set', port, 'netns', this.#bridge)
    runCommand('ip', '-n', this.#bridge, 'link', 'set', port, 'master', 'br0')
    runCommand('ip', '-n', this.#bridge, 'link', 'set', port, 'up')
    run('ip', 'link', 'set', device, 'up')
    // Others must go on sending to the first way alone, which is there afterwards, too.
    run('sh', '-c', `echo 1 > /proc/sys/net/ipv4/conf/${device}/arp_ignore`)
    for (const other of this.#names.filter(one => one !== name)) {
      const at = [this.address(other), 'lladdr', this.#hardwareAddress(other), 'dev', device]
      run('ip', 'neigh', 'add', ...at, 'nud', 'permanent')
    }
    const limit = ['rate', rate, 'burst', '2kb', 'latency', '500ms']
    run('tc', 'qdisc', 'add', 'dev', device, 'root', 'tbf', ...limit)
    const route = [`${subnet}.0/24`, 'dev', device, 'src', this.address(name), 'table', slowTable]
    run('ip', 'route', 'add', ...route)
    run('ip', 'rule', 'add', 'fwmark', slowMark, 'table', slowTable)
    const some = ['-m', 'statistic', '--mode', 'random', '--probability', String(share)]
    run('iptables', '-w', '5', '-t', 'mangle', '-A', 'OUTPUT', ...some, ...markSlow)
    return once(() => {
      run('iptables', '-w', '5', '-t', 'mangle', '-D', 'OUTPUT', ...some, ...markSlow)
      run('ip', 'rule', 'del', 'fwmark', slowMark, 'table', slowTable)
      run('ip', 'link', 'del', device)
    })
  }

  /** Packets of TCP that came to a namespace before an earlier one, and waited for it. */
  overtaken(name: string): number {
    const [program = '', ...before] = this.wrapper(name)
    const [names = '', values = ''] = runCommand(program, ...before, 'cat', '/proc/net/netstat')
      .split('\n')
      .filter(line => line.startsWith('TcpExt:'))
    return Number(values.split(' ')[names.split(' ').indexOf('TCPOFOQueue')] ?? 0)
  }

  /** Nothing leaves a namespace or comes to it. */
  unplug(name: string): Heal {
    const device = this.#device(name)
    const link = (state: string): void => {
      runCommand('ip', '-n', this.#namespace(name), 'link', 'set', device, state)
    }
    link('down')
    return once(() => link('up'))
  }

  /** From now on, packets that leave a namespace, or come to it, with `text` in them are counted. */
  watchFor(name: string, text: string, chain: 'OUTPUT' | 'INPUT' = 'OUTPUT'): Heal {
    return this.#rule(name, [chain, '-m', 'string', '--algo', 'bm', '--string', text])
  }

  /** How many packets there were since the latest `watchFor` with the same text. */
  countOf(name: string, text: string, chain: 'OUTPUT' | 'INPUT' = 'OUTPUT'): number {
    return this.#counted(name, chain, `"${text}"`)
  }

  /** From now on, attempts of one namespace to connect to a port of another are counted. */
  watchDials(name: string, from: string, port: number): void {
    const match = ['INPUT', '-p', 'tcp', '-s', this.address(from), '--dport', String(port), '--syn']
    this.#rule(name, [...match, '-m', 'comment', '--comment', dialsOf(from)])
  }

  /** How many attempts there were since `watchDials`. */
  dialsFrom(name: string, from: string): number {
    return this.#counted(name, 'INPUT', dialsOf(from))
  }

  /** From now on, bytes that leave a namespace for another are counted. */
  watchBytes(name: string, other: string): void {
    const match = ['OUTPUT', '-d', this.address(other)]
    this.#rule(name, [...match, '-m', 'comment', '--comment', bytesTo(other)])
  }

  /** How many there were since `watchBytes`, headers of IP and TCP included. */
  bytesTo(name: string, other: string): number {
    return this.#counted(name, 'OUTPUT', bytesTo(other), 'bytes')
  }

  /** All bytes that left a namespace by its device. */
  sentBytes(name: string): number {
    const [program = '', ...before] = this.wrapper(name)
    const path = `/sys/class/net/${this.#device(name)}/statistics/tx_bytes`
    return Number(runCommand(program, ...before, 'cat', path))
  }

  /** Each connection of a port is ended at both ends, at once; those that are made later are not. */
  breakConnections(name: string, port: number): void {
    const [program = '', ...before] = this.wrapper(name)
    runCommand(program, ...before, 'ss', '-K', 'sport', '=', `:${port}`)
  }

  #rule(name: string, [chain = '', ...rule]: readonly string[]): Heal {
    const [program = '', ...before] = this.wrapper(name)
    const iptables = [...before, 'iptables', '-w', '5']
    runCommand(program, ...iptables, '-I', chain, ...rule)
    return once(() => {
      tryCommand(program, ...iptables, '-D', chain, ...rule)
    })
  }

  #counted(
    name: string,
    chain: string,
    mark: string,
    unit: 'packets' | 'bytes' = 'packets',
  ): number {
    const [program = '', ...before] = this.wrapper(name)
    const list = runCommand(program, ...before, 'iptables', '-w', '5', '-nvxL', chain)
    const line = list.split('\n').find(one => one.includes(mark))
    const count = Number(line?.trim().split(/\s+/)[unit === 'packets' ? 0 : 1] ?? Number.NaN)
    if (!Number.isInteger(count)) throw new Error(`${name} does not count packets with ${mark}`)
    return count
  }

  #index(name: string): number {
    const index = this.#names.indexOf(name)
    if (index < 0) throw new Error(`there is no network ${name}, only ${this.#names.join(', ')}`)
    return index
  }

  #namespace(name: string): string {
    return `${this.#prefix}n${this.#index(name)}`
  }

  #hardwareAddress(name: string): string {
    const [program = '', ...before] = this.wrapper(name)
    const path = `/sys/class/net/${this.#device(name)}/address`
    return runCommand(program, ...before, 'cat', path).trim()
  }

  get #bridge(): string {
    return `${this.#prefix}br`
  }

  #device(name: string): string {
    return `${this.#prefix}v${this.#index(name)}`
  }

  #close(): void {
    for (const name of this.#names) tryCommand('ip', 'netns', 'del', this.#namespace(name))
    tryCommand('ip', 'netns', 'del', this.#bridge)
  }
}

const dialsOf = (name: string): string => `dials-of-${name}`
const bytesTo = (name: string): string => `bytes-to-${name}`

/** Removes what a command left that was killed before it could. */
function removeStale(): void {
  for (const line of runCommand('ip', 'netns', 'list').split('\n')) {
    const [, name = '', pid = ''] = /^(fn(\d+)(?:n\d+|br))\b/.exec(line) ?? []
    if (name !== '' && !existsSync(`/proc/${pid}`)) tryCommand('ip', 'netns', 'del', name)
  }
}

function once(act: () => void): Heal {
  let isDone = false
  return () => {
    if (isDone) return
    isDone = true
    act()
  }
}
