/*
 * A child of a node in this process: what a proxy has towards its parent (sockets, handshake, streams), with
 * nothing below it. It counts what comes.
 */
import { instant, milliseconds, Prng } from '@fanfold/kernel'
import { createLinkAuthenticator, createReplicaWorker, sha256, snapshotCodec } from '@fanfold/node'
import { defaultUpstreamLimits, Following } from '@fanfold/replication'
import { LinkSockets, linkLimitsDefault, systemClock } from '@fanfold/websocket'
import { linkIdentity } from './start-node.mjs'

const now = () => instant(performance.now() * 1_000)
const openWorker = createReplicaWorker()
let nextLink = 1

/** Connects to a node; resolves when the link is there. */
export async function startChild({ url, isSnapshotDisabled = false, onRecords = () => undefined }) {
  const identity = await linkIdentity(`child-${nextLink}`, ['proxy'])
  const authenticator = await createLinkAuthenticator({
    token: identity['link.token'],
    privateKey: identity['link.privateKey'],
    fleetPublicKeys: identity['link.fleetPublicKeys'],
    incarnation: `child-${nextLink}`,
  })
  const received = { frames: 0, bytes: 0 }
  /** Documents that are waited for: up to which seq, and who waits. */
  const awaited = new Map()
  let link
  let whenOpened
  let whenClosed = () => undefined
  const following = new Following({
    sha256,
    codec: snapshotCodec,
    prng: new Prng(`child ${nextLink}`),
    isSnapshotDisabled,
    isStateNeeded: false,
    limits: {
      ring: { recordsMax: 8_192, bytesMax: 16_777_216, ageMax: milliseconds(60_000) },
      upstream: defaultUpstreamLimits,
      pendingBytesMax: 1_073_741_824,
    },
    lingerMs: 0,
    tell: (doc, event) => {
      if (event.kind === 'records') onRecords(doc, event.records)
      if (event.kind === 'joined') joined.add(doc)
      settle(doc)
      if (event.kind === 'refused' && event.final) throw new Error(event.message)
    },
    tellVariant: () => undefined,
  })
  const joined = new Set()
  const settle = doc => {
    const wanted = awaited.get(doc)
    const position = following.get(doc)?.replica.position
    if (wanted === undefined || !joined.has(doc) || position.seq < wanted.seq) return
    awaited.delete(doc)
    wanted.resolve()
  }
  let timer
  const step = run => {
    const effects = []
    run(effects)
    for (const effect of effects) {
      if (effect.kind.startsWith('link-')) sockets.perform(effect)
      if (effect.kind.startsWith('worker-')) worker.perform(effect)
    }
    clearTimeout(timer)
    const wakeAt = following.wakeAt()
    if (wakeAt === undefined) return
    const delayMs = Math.max(0, (wakeAt - now()) / 1_000)
    timer = setTimeout(() => step(more => following.tick(now(), more)), delayMs)
  }
  const worker = openWorker(input =>
    step(effects => following.receiveWorker(input, now(), effects)),
  )
  const sockets = new LinkSockets({
    authenticator,
    nextLink: () => nextLink++,
    limits: linkLimitsDefault,
    clock: systemClock,
    report: input => {
      if (input.kind === 'link-frame') {
        received.frames++
        received.bytes += input.frame.length
      }
      step(effects => following.receive(input, now(), effects))
      if (input.kind === 'link-opened') {
        link = input.link
        whenOpened()
      }
      if (input.kind === 'link-closed') whenClosed()
    },
  })
  const connect = () =>
    new Promise(resolve => {
      whenOpened = resolve
      sockets.dial(url)
    })
  await connect()
  /** What passes until the document is here up to `seq`, from when `begin` is called. */
  const measure = async (doc, seq, begin) => {
    const before = { ...received }
    joined.delete(doc)
    const startedAt = performance.now()
    await new Promise(resolve => {
      awaited.set(doc, { seq, resolve })
      begin()
    })
    return {
      ms: performance.now() - startedAt,
      bytes: received.bytes - before.bytes,
      frames: received.frames - before.frames,
      seq: following.get(doc).replica.position.seq,
    }
  }
  return {
    /** Joins a document; resolves when it is here up to `seq`, with ms, bytes and frames. */
    join: (doc, seq = 1) =>
      measure(doc, seq, () => step(effects => following.follow(doc, now(), effects))),
    /** Lets a document go. */
    leave: doc => step(effects => following.unfollow(doc, effects)),
    /** Loses the link. */
    async lose() {
      const closed = new Promise(resolve => {
        whenClosed = resolve
      })
      sockets.perform({ kind: 'link-close', link, code: 'FANFOLD_DRAINING', message: 'lost' })
      await closed
    },
    /** Connects again; resolves when the document is here up to `seq`, as `join` does. */
    resume: (doc, seq) => measure(doc, seq, () => void connect()),
    stop() {
      clearTimeout(timer)
      sockets.close()
      void worker.close()
    },
  }
}
