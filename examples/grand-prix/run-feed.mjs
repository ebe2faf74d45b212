/*
 * Plays the race into a document of an authority that runs elsewhere: what `fanfold dev` does inside
 * its own process.
 *
 *   node run-feed.mjs --authority ws://127.0.0.1:9600 --token-file feed.token
 *
 * Of several authorities, with commas between them, any that answers is taken, and says where the document is.
 * A message is sent again until it is answered, for half a minute; authorities that are gone for
 * longer end the feed with exit code 1, and whoever started it starts it anew: a new race begins.
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { connect } from '@fanfold/client'
import { WebSocket } from 'ws'
import feed from './dist/feed.js'

const { values } = parseArgs({
  options: {
    authority: { type: 'string', default: 'ws://127.0.0.1:9600' },
    document: { type: 'string', default: 'demo/grand-prix/corvane' },
    seed: { type: 'string', default: '1' },
    'token-file': { type: 'string' },
  },
})
if (values['token-file'] === undefined) {
  console.error('--token-file is needed: a token that allows write and create')
  process.exit(2)
}
const { authority, document, seed } = values
const live = connect(authority.split(','), {
  WebSocket,
  token: readFileSync(values['token-file'], 'utf8').trim(),
})
live.onStatus(status => console.log(`${authority}: ${status}`))

const ending = new AbortController()
const end = () => {
  ending.abort()
  // A message that waits for an authority waits no longer.
  live.close()
}
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, end)
let isPlaying = false
const send = async (message, value) => {
  const { epoch, seq } = await live.send(document, message, value)
  if (!isPlaying) console.log(`${document}: playing, from epoch ${epoch} seq ${seq}`)
  isPlaying = true
}
try {
  await feed({
    send,
    seed,
    signal: ending.signal,
  })
} catch (error) {
  if (!ending.signal.aborted) {
    console.error(`${document}: ${error.message} [${error.code}]`)
    process.exitCode = 1
  }
} finally {
  live.close()
}
