/* The command as a process of its own, as people and scripts run it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

const main = fileURLToPath(new URL('../src/main.js', import.meta.url))

/** What is added to the environment. */
export type Variables = Readonly<Record<string, string>>

const start = (args: readonly string[], variables: Variables): ChildProcess =>
  spawn(process.execPath, [main, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], ...variables },
  })

/** Runs a command line to its end. */
export async function runCommand(args: readonly string[], variables: Variables, input = '') {
  const child = start(args, variables)
  child.stdin?.end(input)
  const { stdout, stderr } = child
  if (stdout === null || stderr === null) throw new Error('the streams of the command are pipes')
  const [out, err] = await Promise.all([text(stdout), text(stderr), once(child, 'close')])
  return { code: child.exitCode, stdout: out, stderr: err }
}

/** Starts a command that goes on, and waits for its first line; it is killed when the test ends. */
export async function startCommand(t: Test, args: readonly string[], variables: Variables) {
  const child = start(args, variables)
  t.teardown(() => child.kill('SIGKILL'))
  if (child.stdout === null) throw new Error('standard output of the command is a pipe')
  child.stderr?.resume()
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const nextLine = async (): Promise<string> => String((await lines.next()).value)
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal)
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    return child.exitCode
  }
  return { firstLine: await nextLine(), nextLine, end }
}
