import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { exitCodes } from './exit-code.ts'
import type { Channel, Terminal } from './terminal.ts'

/** The terminal of this process. The first SIGINT or SIGTERM asks verbs to end, a second ends all. */
export function openProcessTerminal(host: NodeJS.Process): Terminal {
  const interruption = new AbortController()
  const onSignal = (): void => {
    if (interruption.signal.aborted) host.exit(exitCodes.failed)
    interruption.abort()
  }
  host.on('SIGINT', onSignal)
  host.on('SIGTERM', onSignal)
  // Who reads may have read enough, as `head` does: nothing is wrong then.
  host.stdout.on('error', error => {
    host.exit('code' in error && error.code === 'EPIPE' ? exitCodes.ok : exitCodes.failed)
  })
  return {
    out: channelOf(host.stdout),
    err: channelOf(host.stderr),
    environment: host.env,
    directory: host.cwd(),
    clock: {
      now: () => performance.now(),
      wallClock: () => Date.now(),
      wait: async (ms, signal) => {
        // An abort ends the wait, and is no error.
        await delay(ms, undefined, { signal }).catch(() => undefined)
      },
    },
    interrupted: interruption.signal,
    logs: undefined,
    readInput: () => text(host.stdin),
    exit: code => host.exit(code),
  }
}

const channelOf = (stream: NodeJS.WriteStream): Channel => ({
  isTerminal: stream.isTTY === true,
  write: async chunk => {
    if (!stream.write(chunk)) await once(stream, 'drain')
  },
})
