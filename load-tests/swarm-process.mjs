// Viewers of one document each on a socket of its own, told what to do by the process that forked this.
import { createHash } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { applyPatch, canonicalJson } from '@fanfold/document'
import { WebSocket } from 'ws'
import { RawSocket } from './raw-socket.mjs'
import { token } from './start-node.mjs'

/** How many sockets are opened at a time: a client's own machine would not open more. */
const openingMax = 256
/** How the SDK waits by default. */
const reconnectMs = { min: 500, max: 20_000 }
const deltaMark = '{"type":"delta"'
const snapshotMark = '{"type":"snapshot"'

class Viewer {
  /** ms from the commit to here, while they are wanted. */
  lags
  deltas = 0
  /** The view, where it is followed at all. */
  view
  seq = 0
  position
  isLive = false
  isBack = false
  turnedAway = 0
  #isExact
  #urls
  #doc
  #socket
  #whenLive = () => undefined

  constructor({ urls, doc, isExact }) {
    this.#urls = urls
    this.#doc = doc
    this.#isExact = isExact
  }

  connect() {
    return new Promise((resolve, reject) => {
      const url = `${this.#urls[0]}/v1/observe`
      const protocols = ['fanfold.v1', `bearer.${token}`]
      const socket = this.#isExact
        ? new WebSocket(url, protocols, { perMessageDeflate: false, skipUTF8Validation: true })
        : new RawSocket(url, protocols)
      socket.on('message', data => this.#take(data))
      socket.once('open', () => resolve(this))
      socket.once('error', reject)
      socket.once('close', () => {
        if (!this.isLive) return
        this.isLive = false
        if (this.isComingBack) void this.#comeBack()
      })
      this.#socket = socket
    })
  }

  /** Resolves when the view is there. */
  observe(more = {}) {
    const live = new Promise(resolve => {
      this.#whenLive = resolve
    })
    this.#socket.send(
      JSON.stringify({ type: 'observe', doc: this.#doc, from: this.position, ...more }),
    )
    return live
  }

  /** Reads so many bytes a second from now on; 0 for none, undefined for all there are. */
  slow(bytesPerSecond) {
    clearInterval(this.slowing)
    const tcp = this.#socket._socket
    this.#socket.resume()
    if (bytesPerSecond === undefined) return
    this.#socket.pause()
    if (bytesPerSecond === 0) return
    const everyMs = 250
    let allowed = 0
    let readBefore = tcp.bytesRead
    this.slowing = setInterval(() => {
      allowed += (bytesPerSecond * everyMs) / 1_000
      allowed -= tcp.bytesRead - readBefore
      readBefore = tcp.bytesRead
      if (allowed <= 0) return
      this.#socket.resume()
      setImmediate(() => this.#socket.pause())
    }, everyMs)
  }

  close() {
    this.isComingBack = false
    clearInterval(this.slowing)
    this.#socket.terminate()
  }

  /**
   * As the SDK does: soon and spread after a loss, from one address to the next at once, and from round to
   * round with waits that grow.
   */
  async #comeBack() {
    for (let failures = 0; this.isComingBack; failures++) {
      await wait(this.#delayMs(failures))
      this.#urls.push(this.#urls.shift())
      try {
        await this.connect()
        await this.observe()
        this.isBack = true
        return
      } catch {
        this.turnedAway++
      }
    }
  }

  #delayMs(failures) {
    if (failures === 0) return 2 * reconnectMs.min * Math.random()
    const rounds = failures / this.#urls.length
    if (!Number.isInteger(rounds)) return 0
    const step = Math.min(reconnectMs.max, reconnectMs.min * 2 ** (rounds - 1))
    return Math.min(reconnectMs.max, reconnectMs.min + step * Math.random())
  }

  #take(data) {
    const isDelta = data.subarray(0, deltaMark.length).equals(deltaBytes)
    if (!isDelta && !data.subarray(0, snapshotMark.length).equals(snapshotBytes)) return
    if (this.#isExact) this.#apply(JSON.parse(data))
    else this.#note(data, isDelta)
    this.isLive = true
    this.#whenLive()
  }

  #note(data, isDelta) {
    if (isDelta) this.deltas++
    const head = data.subarray(0, 600).toString('latin1')
    if (this.lags !== undefined && isDelta) {
      this.lags.push(Date.now() - Number(/"time":(\d+)/.exec(head)?.[1]))
    }
    const position = /"position":"([^"]+)"/.exec(head)?.[1]
    if (position !== undefined) this.position = position
  }

  #apply(frame) {
    if (frame.type === 'snapshot') {
      this.view = frame.view
    } else {
      if (frame.from !== this.seq) throw new Error(`a delta from ${frame.from} at ${this.seq}`)
      this.deltas++
      this.view = applyPatch(this.view, frame.patch)
      if (this.lags !== undefined) this.lags.push(Date.now() - frame.time)
    }
    this.seq = frame.seq
  }
}

const deltaBytes = Buffer.from(deltaMark)
const snapshotBytes = Buffer.from(snapshotMark)
const groups = new Map()
const quantile = (values, part) => {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]
}

const requests = {
  /** Opens so many connections. */
  async connect({ group, urls, doc, count, isExact = false }) {
    const viewers = Array.from(
      { length: count },
      () => new Viewer({ urls: [...urls], doc, isExact }),
    )
    for (let at = 0; at < count; at += openingMax) {
      await Promise.all(viewers.slice(at, at + openingMax).map(viewer => viewer.connect()))
    }
    groups.set(group, viewers)
  },
  /** All of them observe at once; how long until the last one had the view, ms. */
  async observe({ group }) {
    const startedAt = performance.now()
    await Promise.all(groups.get(group).map(viewer => viewer.observe()))
    return performance.now() - startedAt
  },
  /** From now on who loses its connection comes back. */
  comeBack({ group }) {
    for (const viewer of groups.get(group)) viewer.isComingBack = true
  },
  /** How many are live again. */
  back({ group }) {
    return groups.get(group).filter(({ isBack, isLive }) => isBack && isLive).length
  },
  /** How often they found no room, all together. */
  turnedAway({ group }) {
    return groups.get(group).reduce((sum, { turnedAway }) => sum + turnedAway, 0)
  },
  slow({ group, bytesPerSecond }) {
    for (const viewer of groups.get(group)) viewer.slow(bytesPerSecond)
  },
  /** Begins to note how late deltas are. */
  watch({ group }) {
    for (const viewer of groups.get(group)) viewer.lags = []
  },
  /** How late they were, ms, all viewers of the group together. */
  lags({ group }) {
    const all = groups.get(group).flatMap(({ lags }) => lags)
    for (const viewer of groups.get(group)) viewer.lags = undefined
    return { count: all.length, p50: quantile(all, 0.5), p99: quantile(all, 0.99) }
  },
  /** Digest of each view, once all stand at `seq`. */
  async digests({ group, seq }) {
    const viewers = groups.get(group)
    while (viewers.some(viewer => viewer.seq < seq)) await wait(50)
    return viewers.map(({ view }) => createHash('sha256').update(canonicalJson(view)).digest('hex'))
  },
  close({ group }) {
    for (const viewer of groups.get(group)) viewer.close()
    groups.delete(group)
  },
}

process.on('message', async ({ id, what, options }) => {
  try {
    process.send({ id, answer: await requests[what](options) })
  } catch (error) {
    process.send({ id, error: error.stack })
  }
})
