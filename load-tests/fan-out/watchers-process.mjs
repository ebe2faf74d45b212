// Viewers that look for a number and a time in each frame, told what to do by the process that forked this: each
// must see every number once and one after the other, and says how late they are. What they speak besides is told
// by whoever knows the server: what to say first, what is heard when all is set, what wants which answer.
import { setTimeout as wait } from 'node:timers/promises'
import { RawSocket } from '../raw-socket.mjs'
import { nowUs } from './delta.mjs'

/** How many sockets are opened at a time. */
const openingMax = 128
/** Of a saturated run, one in so many deliveries tells how late it is. */
const noted = { paced: 1, saturated: 16 }
const settleEveryMs = 50

let viewers = []
/** What they look for, say and answer. */
let speech
/** How many have each number that not all have. */
const counts = new Map()
let deliveries = 0
let missing = 0
let repeated = 0
let lateUs = []
let noteEvery = noted.paced

/** The number whose digits begin there. */
function numberAt(bytes, from) {
  let value = 0
  for (let index = from; ; index++) {
    const digit = bytes[index] - 0x30
    if (!(digit >= 0 && digit <= 9)) return value
    value = value * 10 + digit
  }
}

/** A frame has no delta, one, or those that were waiting together. */
function take(viewer, bytes) {
  const { number: mark, time } = speech.marks
  let at = bytes.indexOf(mark, 0, 'latin1')
  if (at === -1) hear(viewer, bytes)
  while (at !== -1) {
    at += mark.length
    note(viewer, numberAt(bytes, at), () => {
      const timeAt = bytes.indexOf(time, at, 'latin1')
      return numberAt(bytes, timeAt + time.length)
    })
    at = bytes.indexOf(mark, at, 'latin1')
  }
}

function note(viewer, number, timeUs) {
  if (number <= viewer.number) {
    repeated++
    return
  }
  missing += number - viewer.number - 1
  viewer.number = number
  deliveries++
  if (deliveries % noteEvery === 0) lateUs.push(nowUs() - timeUs())
  const count = (counts.get(number) ?? 0) + 1
  if (count < viewers.length) {
    counts.set(number, count)
    return
  }
  counts.delete(number)
  process.send({ done: number })
}

const beginsWith = (bytes, beginning) => bytes.subarray(0, beginning.length).equals(beginning)

function hear(viewer, bytes) {
  if (speech.ready !== undefined && beginsWith(bytes, speech.ready)) viewer.whenReady()
  for (const { to, say } of speech.answers) {
    if (beginsWith(bytes, to)) viewer.socket.send(say)
  }
}

function open(viewer, url, protocols) {
  return new Promise((resolve, reject) => {
    const socket = new RawSocket(url, protocols)
    viewer.socket = socket
    viewer.whenReady = resolve
    socket.on('message', bytes => take(viewer, bytes))
    socket.once('error', reject)
    socket.once('close', () => reject(new Error(`${url} closed a viewer before it was ready`)))
    socket.once('open', () => {
      for (const first of speech.firsts) socket.send(first)
      if (speech.ready === undefined) resolve()
    })
  })
}

/** What is said, as a socket sends it: text as it is, and bytes that came as `hex`. */
const sayable = ({ text, hex }) => text ?? Buffer.from(hex, 'hex')
const heard = spoken => Buffer.from(sayable(spoken))

const requests = {
  /** Opens so many, with one address and one list of subprotocols after the other. */
  async open({ count, urls, protocolLists = [[]], firsts = [], ready, answers = [], marks }) {
    speech = {
      marks,
      firsts: firsts.map(sayable),
      ready: ready && heard(ready),
      answers: answers.map(({ to, say }) => ({ to: heard(to), say: sayable(say) })),
    }
    viewers = Array.from({ length: count }, () => ({ number: 0 }))
    for (let at = 0; at < count; at += openingMax) {
      await Promise.all(
        viewers.slice(at, at + openingMax).map((viewer, index) => {
          const place = at + index
          const protocols = protocolLists[place % protocolLists.length]
          return open(viewer, urls[place % urls.length], protocols)
        }),
      )
    }
  },
  /** Begins to count anew. */
  begin({ isSaturated }) {
    noteEvery = isSaturated ? noted.saturated : noted.paced
    deliveries = 0
    lateUs = []
  },
  /** What was counted since. */
  end() {
    const sorted = Float64Array.from(lateUs).sort()
    const part = share =>
      sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] / 1_000
    return { deliveries, p50Ms: part(0.5), p99Ms: part(0.99) }
  },
  /** Waits until all have this number, but no longer; what went wrong from the first delta on. */
  async settle({ number, withinMs }) {
    const isThere = () => viewers.every(viewer => viewer.number >= number)
    for (let waitedMs = 0; waitedMs < withinMs && !isThere(); waitedMs += settleEveryMs) {
      await wait(settleEveryMs)
    }
    const late = viewers.reduce((sum, viewer) => sum + Math.max(0, number - viewer.number), 0)
    return { missing: missing + late, repeated }
  },
}

process.on('message', async ({ what, options }) => {
  try {
    process.send({ answer: await requests[what](options) })
  } catch (error) {
    process.send({ error: error.stack })
  }
})
process.on('disconnect', () => process.exit(0))
