import { once } from 'node:events'
import { userInfo } from 'node:os'
import { createInterface } from 'node:readline'
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
    user: userName(),
    readInput: () => text(host.stdin),
    readLine: () => lineFrom(host.stdin, interruption.signal),
    onHangup: hungUp => host.on('SIGHUP', hungUp),
    exit: code => host.exit(code),
  }
}

function userName(): string | undefined {
  try {
    return userInfo().username
  } catch {
    // A container's user may have no entry in the system's table.
    return undefined
  }
}

async function lineFrom(
  input: NodeJS.ReadStream,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (!input.isTTY) return undefined
  const lines = createInterface({ input, signal })
  try {
    for await (const line of lines) return line
    return undefined
  } finally {
    lines.close()
  }
}

const channelOf = (stream: NodeJS.WriteStream): Channel => ({
  isTerminal: stream.isTTY === true,
  write: async chunk => {
    if (!stream.write(chunk)) await once(stream, 'drain')
  },
})
