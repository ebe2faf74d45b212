// A tree on virtual time for what crowds say: the machines of an authority and of proxies as they are, a log that takes
// 2 ms to sync, links that take 5 ms, and edges that are what an edge folds with and no more.
import { Authority, defaultAuthorityLimits } from '@fanfold/authority'
import { instant, milliseconds, Prng } from '@fanfold/kernel'
import { sha256 } from '@fanfold/node'
import { decodeLinkFrame, encodeLinkFrame, parseDocumentKey } from '@fanfold/protocol'
import { ProxyTier } from '@fanfold/proxy'
import { CrowdUplink, Origin } from '@fanfold/reduction'
import { defaultUpstreamLimits } from '@fanfold/replication'

const linkMs = 5
const syncMs = 2
/** Children of a proxy. */
const fanOut = 32

/** What is to happen, the earliest first. */
class Agenda {
  #heap = []
  #count = 0
  nowMs = 0

  at(ms, run) {
    const heap = this.#heap
    const entry = { ms, order: this.#count++, run }
    let at = heap.push(entry) - 1
    for (; at > 0; ) {
      const up = (at - 1) >> 1
      if (!isBefore(entry, heap[up])) break
      heap[at] = heap[up]
      at = up
    }
    heap[at] = entry
  }

  runUntil(ms) {
    while (this.#heap.length > 0 && this.#heap[0].ms <= ms) {
      const first = this.#take()
      this.nowMs = first.ms
      first.run()
    }
    this.nowMs = ms
  }

  #take() {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (heap.length === 0) return first
    let at = 0
    for (;;) {
      let down = 2 * at + 1
      if (down >= heap.length) break
      if (down + 1 < heap.length && isBefore(heap[down + 1], heap[down])) down++
      if (!isBefore(heap[down], last)) break
      heap[at] = heap[down]
      at = down
    }
    heap[at] = last
    return first
  }
}

const isBefore = (one, other) =>
  one.ms < other.ms || (one.ms === other.ms && one.order < other.order)

/** A document of a definition, and a tree of so many edges in so many regions below it. */
export class CrowdTree {
  agenda = new Agenda()
  doc
  edges = []
  /** What came to the authority from children: frames of crowds, and their bytes. */
  inbound = { frames: 0, bytes: 0 }
  /** Called with each batch of records that is durable. */
  onRecords = () => undefined
  #nextLink = 1

  constructor({ definition, edges, regions = 3, name = 'crowd' }) {
    this.doc = parseDocumentKey(`acme/${definition.type}/${name}`)
    const prng = new Prng(name)
    const top = this.#machine(
      new Authority({
        sha256,
        randomBytes: count => prng.bytes(count),
        limits: defaultAuthorityLimits,
        wallClockMs: () => this.agenda.nowMs,
      }),
    )
    this.#top = top
    top.take({ kind: 'definition-loaded', definition })
    top.take({
      kind: 'write',
      request: 1,
      doc: this.doc,
      action: { type: 'create' },
      id: undefined,
      subject: 'bench',
      claims: {},
      mayCreate: true,
      timeMs: 0,
      trace: undefined,
    })
    const perRegion = Array.from(
      { length: regions },
      (_, at) => Math.floor(edges / regions) + (at < edges % regions ? 1 : 0),
    )
    for (const [region, count] of perRegion.entries()) {
      if (count > 0) this.#region(`r${region}`, top, count)
    }
    this.agenda.runUntil(1_000)
  }

  #top

  #region(region, top, count) {
    let parents = [this.#proxy(region, top)]
    while (parents.length * fanOut < count) {
      const wanted = Math.min(parents.length * fanOut, Math.ceil(count / fanOut))
      parents = Array.from({ length: wanted }, (_, at) =>
        this.#proxy(region, parents[at % parents.length]),
      )
    }
    for (let at = 0; at < count; at++) this.#edge(region, parents[at % parents.length])
  }

  #proxy(region, parent) {
    const node = this.#machine(
      new ProxyTier({
        sha256,
        prng: new Prng(`${region} ${this.#nextLink}`),
        limits: {
          follower: {
            ring: { recordsMax: 1_000, bytesMax: 1_000_000, ageMax: milliseconds(60_000) },
            upstream: defaultUpstreamLimits,
            pendingBytesMax: 1_000_000,
          },
          lingerMs: 60_000,
        },
      }),
    )
    this.#link(region, parent, node, 'proxy')
    return node
  }

  #edge(region, parent) {
    const origin = new Origin()
    const source = {
      next: () => origin.say(),
      interrupt: () => undefined,
      answered: answer => edge.outcomes(origin.take(answer)),
    }
    let link
    const uplink = new CrowdUplink({ linkOf: () => link, sourceOf: () => source })
    const node = this.#machine({
      receive: input => {
        if (input.kind !== 'link-frame') return
        const frame = decodeLinkFrame(input.frame)
        if (frame?.kind === 'records') for (const { seq } of frame.records) edge.got(seq)
        if (frame?.kind === 'crowd-answer')
          uplink.receive(frame, input.link, instant(this.agenda.nowMs * 1_000))
      },
      wakeAt: () => uplink.wakeAt(),
      tick: (now, effects) => uplink.tick(now, effects),
    })
    const edge = {
      outcomes: () => undefined,
      /** Called with the seq of each record that comes. */
      got: () => undefined,
      get session() {
        return origin.session
      },
      /** One of its viewers says something. */
      say: (reducer, reduction, operand, voice) => {
        const folded = origin.fold(reducer, reduction, operand, voice)
        uplink.want(this.doc, instant(this.agenda.nowMs * 1_000))
        node.wake()
        return folded
      },
    }
    link = this.#link(region, parent, node, 'edge')
    const join = { kind: 'join', doc: this.doc, have: undefined, take: 'any', codecs: 0 }
    parent.hear(link, encodeLinkFrame({ ...join, credit: 2 ** 31 }))
    this.edges.push(edge)
  }

  /** A link from a child to its parent. */
  #link(region, parent, child, role) {
    const link = this.#nextLink++
    const peer = (of, roles) => ({
      node: `${of}-${link}`,
      incarnation: '1',
      region,
      roles,
      ceiling: 239,
    })
    parent.ends.set(link, child)
    child.ends.set(link, parent)
    parent.take({ kind: 'link-opened', link, peer: peer(role, [role]), dialled: false })
    child.take({ kind: 'link-opened', link, peer: peer('above', ['proxy']), dialled: true })
    return link
  }

  #machine(machine) {
    const { agenda } = this
    const effects = []
    let dueMs = Number.POSITIVE_INFINITY
    const now = () => instant(agenda.nowMs * 1_000)
    const node = {
      ends: new Map(),
      take: input => {
        machine.receive(input, now(), effects)
        settle()
      },
      hear: (link, frame) => {
        if (node === this.#top && frame[0] === 139) {
          this.inbound.frames++
          this.inbound.bytes += frame.length
        }
        node.take({ kind: 'link-frame', link, frame })
      },
      wake: () => settle(),
    }
    const settle = () => {
      for (const effect of effects.splice(0)) this.#perform(node, effect)
      const wakeAt = machine.wakeAt()
      if (wakeAt === undefined) return
      const ms = Math.max(agenda.nowMs, Math.ceil(wakeAt / 1_000))
      if (ms >= dueMs && dueMs > agenda.nowMs) return
      dueMs = ms
      agenda.at(ms, () => {
        if (dueMs !== ms) return
        dueMs = Number.POSITIVE_INFINITY
        machine.tick(now(), effects)
        settle()
      })
    }
    return node
  }

  #perform(node, effect) {
    const { agenda } = this
    switch (effect.kind) {
      case 'link-send':
      case 'link-signal': {
        const { link, frame } = effect
        agenda.at(agenda.nowMs + linkMs, () => node.ends.get(link).hear(link, frame))
        return
      }
      case 'link-close':
        throw new Error(`a link closes: ${effect.message}`)
      case 'log-open':
        agenda.at(agenda.nowMs, () => node.take({ kind: 'log-opened', doc: effect.doc, epoch: 0 }))
        return
      case 'log-append': {
        const { doc, records } = effect
        agenda.at(agenda.nowMs + syncMs, () => {
          node.take({ kind: 'log-appended', doc, seq: records.at(-1).seq })
          this.onRecords(records)
        })
        return
      }
      default:
    }
  }
}
