// Viewers that look for a number and a time in each frame, told what to do by the process that forked this: each
// must see the numbers one after the other, and says how late they are.
import { RawSocket } from '../raw-socket.mjs'

/** How many sockets are opened at a time. */
const openingMax = 128
/** Of a saturated run, one in so many deliveries tells how late it is. */
const noted = { paced: 1, saturated: 16 }

let viewers = []
let marks
/** How many have each number that not all have. */
const counts = new Map()
let deliveries = 0
let violations = 0
let lateUs = []
let noteEvery = noted.paced

const nowUs = () => Number(process.hrtime.bigint() / 1_000n)

/** The number behind a mark; undefined where there is none. */
function numberAfter(bytes, mark) {
  const at = bytes.indexOf(mark, 0, 'latin1')
  if (at === -1) return undefined
  let value = 0
  for (let index = at + mark.length; ; index++) {
    const digit = bytes[index] - 0x30
    if (!(digit >= 0 && digit <= 9)) return value
    value = value * 10 + digit
  }
}

function take(viewer, bytes) {
  const number = numberAfter(bytes, marks.number)
  if (number === undefined) return
  if (viewer.number !== undefined && number !== viewer.number + 1) violations++
  viewer.number = number
  deliveries++
  if (deliveries % noteEvery === 0) lateUs.push(nowUs() - numberAfter(bytes, marks.time))
  const count = (counts.get(number) ?? 0) + 1
  if (count < viewers.length) {
    counts.set(number, count)
    return
  }
  counts.delete(number)
  process.send({ done: number })
}

function open(viewer, { url, protocols, first }) {
  return new Promise((resolve, reject) => {
    const socket = new RawSocket(url, protocols)
    socket.on('message', bytes => take(viewer, bytes))
    socket.once('error', reject)
    socket.once('close', () => {
      violations++
    })
    socket.once('open', () => {
      if (first !== undefined) socket.send(first)
      resolve()
    })
    viewer.socket = socket
  })
}

const requests = {
  /** Opens so many, with one list of subprotocols after the other. */
  async open({ url, count, protocolLists, first, marks: wanted }) {
    marks = wanted
    viewers = Array.from({ length: count }, () => ({}))
    for (let at = 0; at < count; at += openingMax) {
      const some = viewers.slice(at, at + openingMax)
      await Promise.all(
        some.map((viewer, index) =>
          open(viewer, {
            url,
            first,
            protocols: protocolLists[(at + index) % protocolLists.length],
          }),
        ),
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
    return { deliveries, violations, p50Ms: part(0.5), p99Ms: part(0.99) }
  },
}

process.on('message', async ({ id, what, options }) => {
  try {
    process.send({ id, answer: await requests[what](options) })
  } catch (error) {
    process.send({ id, error: error.stack })
  }
})
process.on('disconnect', () => process.exit(0))
