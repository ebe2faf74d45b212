import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { deltaOf, plainMarks } from './delta.mjs'
import { cores, endTree } from './processes.mjs'

/**
 * Starts a server that is told its deltas line by line, as JSON, and prints a line of JSON with its port first.
 * `viewersOf` says what its viewers do besides looking for a plain delta, given that line.
 */
export async function startLineServer(command, args, viewersOf = () => ({})) {
  const child = spawn('taskset', ['-c', cores.server, command, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  // Its end is noticed by whoever looks at its processes.
  child.stdin.on('error', error => console.error(`${command}: ${error.message}`))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const { value, done } = await lines.next()
  if (done) throw new Error(`${[command, ...args].join(' ')} ended before it had a port`)
  const said = JSON.parse(value)
  return {
    pids: [child.pid],
    viewers: {
      urls: [`ws://127.0.0.1:${said.port}/`],
      marks: plainMarks,
      ...viewersOf(said),
    },
    publish: number => child.stdin.write(`${JSON.stringify(deltaOf(number))}\n`),
    stop: () => endTree(child),
  }
}
