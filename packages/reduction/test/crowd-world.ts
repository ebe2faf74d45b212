/*
 * A small tree that counts a crowd: edges, proxies and an authority as they are, messages between them that may
 * come in any order, twice or never, and whatever may die. Who runs it chooses what happens next.
 *
 * Each window that an edge closes holds one operation with a name of its own, so it shows how often each counts.
 */
import { countBy, type Voice } from '@fanfold/definition'
import { toHex } from '@fanfold/kernel'
import type { Aggregate } from '../src/aggregate.ts'
import { Combiner } from '../src/combiner.ts'
import { decodeContent } from '../src/content.ts'
import { Ledger, type LedgerEntry } from '../src/ledger.ts'
import { Origin } from '../src/origin.ts'
import type { Range, Standing } from '../src/ranges.ts'

/** What may go wrong, and how often; all 0 when not said. */
export type Faults = {
  readonly losses: number
  readonly copies: number
  readonly proxyCrashes: number
  readonly edgeCrashes: number
  readonly authorityChanges: number
  readonly seals: number
}

/** A mistake that is made on purpose. */
export type Bug =
  | 'partial-apply'
  | 'no-contiguity'
  | 'mutable-window'
  | 'ledger-not-durable'
  | 'zombie-resends'
  | 'acknowledged-by-proxy'

export type WorldOptions = {
  readonly edges: number
  readonly proxies: number
  /** Windows of each edge. */
  readonly windows: readonly number[]
  /** How often each edge may send, before all is well again. */
  readonly sendsMax: number
  readonly faults: Partial<Faults>
  readonly bug?: Bug | undefined
}

type Message =
  | {
      readonly kind: 'aggregate'
      readonly from: string
      readonly to: string
      readonly number: number
      readonly aggregate: Aggregate
    }
  | {
      readonly kind: 'answer'
      readonly from: string
      readonly to: string
      readonly number: number
      readonly standings: readonly Standing[]
    }

type Edge = {
  readonly name: string
  origin: Origin
  /** The windows of this life by what they hold. */
  operations: Map<number, string>
  windowsLeft: number
  sendsLeft: number
  number: number
  life: number
}

type Proxy = {
  readonly name: string
  combiner: Combiner<string>
  /** What it has sent last; an answer to another one says nothing. Of no life before. */
  number: number
  life: number
}

type Action = { readonly name: string; readonly run: () => void }

const voice: Voice = { id: '', timeMs: 0, stamp: 0, draw: () => 0 }
const reduction = countBy({ top: 1_000 })

/** What an operation came to, as its edge was told. */
type Told = 'counted' | 'unknown' | 'edge-died'

export class CrowdWorld {
  readonly #options: WorldOptions
  readonly #left: Faults
  readonly #edges: Edge[]
  readonly #proxies: Proxy[]
  #net: Message[] = []
  #log: LedgerEntry[] = []
  #ledger = new Ledger()
  #epoch = 1
  #lastSession = 0
  readonly #counts = new Map<string, number>()
  readonly #said: string[] = []
  readonly #told = new Map<string, Told>()
  readonly problems: string[] = []

  constructor(options: WorldOptions) {
    this.#options = options
    const none = {
      losses: 0,
      copies: 0,
      proxyCrashes: 0,
      edgeCrashes: 0,
      authorityChanges: 0,
      seals: 0,
    }
    this.#left = { ...none, ...options.faults }
    this.#proxies = Array.from({ length: options.proxies }, (_, at) => ({
      name: `proxy-${at}`,
      combiner: new Combiner<string>(),
      number: 0,
      life: 0,
    }))
    this.#edges = Array.from({ length: options.edges }, (_, at) => ({
      name: `edge-${at}`,
      origin: new Origin(),
      operations: new Map(),
      windowsLeft: options.windows[at] ?? 0,
      sendsLeft: options.sendsMax,
      number: 0,
      life: 0,
    }))
    for (const edge of this.#edges) this.#begin(edge)
  }

  /** All that this state is, as far as what may happen next goes. */
  get fingerprint(): string {
    const net = this.#net.map(textOf).toSorted()
    const edges = this.#edges.map(({ origin, windowsLeft, sendsLeft, number, life }) => {
      const state = [origin.session, origin.closedCount, origin.next()?.ranges]
      return [windowsLeft, sendsLeft, number, life, state]
    })
    const proxies = this.#proxies.map(({ combiner, life }) => [
      combiner.held,
      combiner.isWaiting,
      life,
    ])
    const told = [...this.#told].map(([operation, kind]) => `${operation} ${kind}`).toSorted()
    const counts = [...this.#counts.keys()].toSorted()
    const ledger = toHex(this.#ledger.encode())
    const drawn = [this.#epoch, this.#lastSession]
    return JSON.stringify([net, edges, proxies, ledger, drawn, this.#left, told, counts])
  }

  /** What may happen now. */
  actions(): Action[] {
    const actions: Action[] = []
    for (const edge of this.#edges) {
      const mayClose = edge.windowsLeft > 0 && edge.origin.mayClose
      if (edge.sendsLeft === 0 || !(mayClose || edge.origin.closedCount > 0)) continue
      for (const { name } of this.#proxies) {
        actions.push({ name: `${edge.name} to ${name}`, run: () => this.#closeAndSend(edge, name) })
      }
    }
    for (const [at, message] of this.#net.entries()) {
      const name = `${message.kind} from ${message.from} at ${message.to}`
      actions.push({ name, run: () => this.#deliver(at) })
    }
    return [...actions, ...this.#faults()]
  }

  /** Nothing goes wrong any more: everything that is left is told, and looked at. */
  finish(): void {
    for (let round = 0; round < 60; round++) {
      while (this.#net.length > 0) this.#deliver(0)
      for (const { combiner } of this.#proxies) combiner.interrupt()
      for (const edge of this.#edges) {
        if (edge.origin.session === undefined) this.#begin(edge)
        while (edge.windowsLeft > 0 && edge.origin.mayClose) this.#close(edge)
        if (edge.origin.next() !== undefined) this.#send(edge, 'proxy-0')
      }
      for (const proxy of this.#proxies) this.#pass(proxy)
      if (this.#net.length === 0 && this.#edges.every(({ origin }) => origin.closedCount === 0))
        break
    }
    this.#audit()
  }

  #faults(): Action[] {
    const actions: Action[] = []
    const may = (kind: keyof Faults, name: string, run: () => void): void => {
      if (this.#left[kind] === 0) return
      const left = this.#left as { -readonly [Name in keyof Faults]: number }
      actions.push({
        name,
        run: () => {
          left[kind]--
          run()
        },
      })
    }
    for (const [at, message] of this.#net.entries()) {
      may('losses', `${message.kind} from ${message.from} is lost`, () => this.#net.splice(at, 1))
      may('copies', `${message.kind} from ${message.from} comes twice`, () =>
        this.#net.push(message),
      )
    }
    for (const proxy of this.#proxies) {
      may('proxyCrashes', `${proxy.name} dies`, () => {
        proxy.combiner = new Combiner()
        proxy.number = 0
        proxy.life++
      })
    }
    for (const edge of this.#edges) {
      may('edgeCrashes', `${edge.name} dies`, () => this.#die(edge))
      const { session } = edge.origin
      if (session !== undefined && this.#ledger.standingsOf([session])[0]?.state === 'open') {
        may('seals', `${edge.name} is taken for dead`, () =>
          this.#commit({ sealed: [session] }, []),
        )
      }
    }
    may('authorityChanges', 'another authority', () => this.#change())
    return actions
  }

  #begin(edge: Edge): void {
    const session = ++this.#lastSession
    this.#commit({ opened: [session] }, [])
    edge.origin.begin(session)
  }

  #close(edge: Edge): void {
    edge.windowsLeft--
    const operation = `${edge.name}.${edge.life}.${edge.windowsLeft}`
    const folded = edge.origin.fold('said', reduction, operation, voice)
    if (folded.kind !== 'folded') throw new Error('the open window takes one operation')
    edge.operations.set(folded.window, operation)
    this.#said.push(operation)
    edge.origin.close()
  }

  /** The next window is there when the ones before are sent: once more, or the first time. */
  #closeAndSend(edge: Edge, to: string): void {
    if (edge.windowsLeft > 0 && edge.origin.mayClose) this.#close(edge)
    edge.sendsLeft--
    this.#send(edge, to)
  }

  #send(edge: Edge, to: string): void {
    const aggregate = edge.origin.next()
    if (aggregate === undefined) return
    edge.number++
    const { number, name: from } = edge
    const isChanged = this.#options.bug === 'mutable-window' && number > 1
    const sent = isChanged ? this.#changed(edge, aggregate) : aggregate
    this.#net.push({ kind: 'aggregate', from, to, number, aggregate: sent })
    if (this.#options.bug === 'acknowledged-by-proxy') this.#acknowledge(edge, aggregate)
  }

  /** What was sent before holds something else the second time. */
  #changed(edge: Edge, { ranges }: Aggregate): Aggregate {
    const operation = `${edge.name}.late`
    if (!this.#said.includes(operation)) this.#said.push(operation)
    const all = new Origin()
    all.begin(1)
    for (const name of [...edge.operations.values(), operation])
      all.fold('said', reduction, name, voice)
    all.close()
    return { ranges, content: all.next()?.content ?? new Uint8Array() }
  }

  #acknowledge(edge: Edge, { ranges: [range] }: Aggregate): void {
    const { session = 0, upTo = 0 } = range ?? {}
    this.#tell(edge, [{ session, upTo, state: 'open' }])
  }

  #deliver(at: number): void {
    const [message] = this.#net.splice(at, 1)
    if (message === undefined) return
    const edge = this.#edges.find(({ name }) => name === message.to)
    const proxy = this.#proxies.find(({ name }) => name === message.to)
    if (message.kind === 'aggregate') {
      if (proxy === undefined) this.#judge(message)
      else {
        const said = { asked: 0, aggregate: message.aggregate }
        proxy.combiner.receive(message.from, message.number, said)
      }
    } else if (edge !== undefined) {
      this.#tell(edge, message.standings)
    } else if (proxy !== undefined) {
      const { standings } = message
      const isAnswer = message.number === proxy.number
      const answers = isAnswer ? proxy.combiner.answered({ sessions: [], standings }) : []
      for (const { child, number, answer } of answers) {
        this.#net.push({
          kind: 'answer',
          from: proxy.name,
          to: child,
          number,
          standings: answer.standings,
        })
      }
    }
    if (proxy !== undefined) this.#pass(proxy)
  }

  #pass(proxy: Proxy): void {
    const { name: from, combiner, life } = proxy
    const aggregate = combiner.next()?.aggregate
    if (aggregate === undefined) return
    const number = ++proxy.number + life * 1_000
    this.#net.push({ kind: 'aggregate', from, to: 'authority', aggregate, number })
  }

  #judge({ from, number, aggregate }: Message & { kind: 'aggregate' }): void {
    const { bug } = this.#options
    const sessions = aggregate.ranges.map(({ session }) => session)
    const takes = (ranges: readonly Range[]): boolean =>
      bug === 'no-contiguity'
        ? this.#ledger
            .standingsOf(sessions)
            .every(({ state, upTo }, at) => state === 'open' && upTo < (ranges[at]?.upTo ?? 0))
        : this.#ledger.takes(ranges)
    const some = aggregate.ranges.filter(range => this.#ledger.takes([range]))
    if (takes(aggregate.ranges))
      this.#commit({ counted: aggregate.ranges }, operationsOf(aggregate))
    else if (bug === 'partial-apply' && some.length > 0)
      this.#commit({ counted: some }, operationsOf(aggregate))
    const standings = this.#ledger.standingsOf(sessions)
    const life = Math.floor(number / 1_000)
    const proxy = this.#proxies.find(({ name }) => name === from)
    // A proxy that has died since has no such connection any more.
    if (proxy === undefined || proxy.life !== life) return
    this.#net.push({
      kind: 'answer',
      from: 'authority',
      to: from,
      number: number % 1_000,
      standings,
    })
  }

  /** One record: what it counts, and what it says of sessions. */
  #commit(entry: Partial<LedgerEntry>, operations: readonly string[]): void {
    const whole = { opened: [], sealed: [], counted: [], ...entry }
    if (this.#options.bug === 'no-contiguity') this.#force(whole)
    else this.#ledger.enter(whole)
    this.#log.push(whole)
    for (const operation of operations) {
      const count = (this.#counts.get(operation) ?? 0) + 1
      this.#counts.set(operation, count)
      if (count > 1) this.problems.push(`${operation} counts ${count} times`)
    }
  }

  #force(entry: LedgerEntry): void {
    this.#ledger.enter({ ...entry, counted: [] })
    for (const { session, upTo } of entry.counted) {
      const [standing] = this.#ledger.standingsOf([session])
      const counted = [{ session, after: standing?.upTo ?? 0, upTo }]
      this.#ledger.enter({ opened: [], sealed: [], counted })
    }
  }

  #tell(edge: Edge, standings: readonly Standing[]): void {
    for (const standing of standings) {
      const before = edge.origin.next()
      for (const { window, kind } of edge.origin.answered(standing)) {
        const operation = edge.operations.get(window)
        if (operation === undefined) continue
        if (this.#told.has(operation)) this.problems.push(`${operation} is told of twice`)
        this.#told.set(operation, kind)
      }
      if (edge.origin.session !== undefined) continue
      this.#begin(edge)
      if (this.#options.bug === 'zombie-resends' && before !== undefined) {
        const [session = 0] = [edge.origin.session ?? 0]
        const aggregate = { ...before, ranges: [{ session, after: 0, upTo: 1 }] }
        this.#net.push({
          kind: 'aggregate',
          from: edge.name,
          to: 'proxy-0',
          number: ++edge.number,
          aggregate,
        })
      }
    }
  }

  #die(edge: Edge): void {
    for (const operation of edge.operations.values()) {
      if (!this.#told.has(operation)) this.#told.set(operation, 'edge-died')
    }
    edge.origin = new Origin()
    edge.operations = new Map()
    edge.life++
    this.#net = this.#net.filter(({ to }) => to !== edge.name)
    this.#begin(edge)
  }

  /** Another authority has what the log has. */
  #change(): void {
    this.#epoch++
    this.#net = this.#net.filter(({ to, from }) => to !== 'authority' && from !== 'authority')
    for (const { combiner } of this.#proxies) combiner.interrupt()
    if (this.#options.bug === 'ledger-not-durable') this.#forget()
    this.#ledger = new Ledger()
    for (const entry of this.#log) this.#ledger.enter(entry)
    this.#ledger = Ledger.decode(this.#ledger.encode())
    for (const proxy of this.#proxies) this.#pass(proxy)
  }

  /** The last that was counted is in the document, and not in the ledger. */
  #forget(): void {
    const last = this.#log.findLastIndex(({ counted }) => counted.length > 0)
    this.#log = this.#log.filter((_, at) => at !== last)
  }

  #audit(): void {
    for (const operation of this.#said) {
      const count = this.#counts.get(operation) ?? 0
      const told = this.#told.get(operation)
      if (told === 'counted' && count !== 1)
        this.problems.push(`${operation} was counted ${count} times`)
      if (told === undefined && !operation.endsWith('late'))
        this.problems.push(`${operation} is never told of`)
    }
  }
}

/** The operations that an aggregate says, each as often as it says it. */
function operationsOf({ content }: Aggregate): string[] {
  return decodeContent(content).flatMap(({ bytes }) => {
    const counts = reduction.read(reduction.decode(bytes))
    return [...counts].flatMap(([operation, count]) => new Array<string>(count).fill(operation))
  })
}

const texts = new WeakMap<Message, string>()

/** A message, as far as it matters. */
function textOf(message: Message): string {
  const known = texts.get(message)
  if (known !== undefined) return known
  const { kind, from, to, number } = message
  const said =
    message.kind === 'answer'
      ? message.standings
      : [message.aggregate.ranges, operationsOf(message.aggregate)]
  const text = JSON.stringify([kind, from, to, number, said])
  texts.set(message, text)
  return text
}
