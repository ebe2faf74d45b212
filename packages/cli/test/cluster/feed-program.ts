/*
 * A writer as a process of its own: values of a fixed size at an even rate, to one topic after the
 * other, each with the time at which it was written. Asked to end, it writes the seq of the last one.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { SteadyFeed } from './steady-feed.ts'
import { Writer } from './writer.ts'

const { FANFOLD_URL: url = '', FANFOLD_TOKEN: token = '' } = process.env
const [doc = '', messagesPerSecond = '', valueBytes = '', topics = ''] = process.argv.slice(2)

const writer = await Writer.open({ url, token })
const feed = new SteadyFeed({
  writer,
  doc,
  from: 0,
  messagesPerSecond: Number(messagesPerSecond),
  step: n => {
    const text = randomBytes(Math.ceil(Number(valueBytes) / 2)).toString('hex')
    const delta = { writtenAt: Date.now(), text }
    return { message: 'merge', value: { topic: `topic-${n % Number(topics)}`, delta } }
  },
})
await feed.untilSent(Number(topics))
// Whoever reads that it is started may ask it to end before the next line here runs.
const asked = once(process, 'SIGTERM')
process.stdout.write(`${JSON.stringify({ isStarted: true })}\n`)
await asked
process.stdout.write(`${JSON.stringify({ lastSeq: await feed.stop() })}\n`)
writer.close()
