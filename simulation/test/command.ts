/* The command as a process, with a fault planted in what it runs when a test says so. */
import { type ChildProcess, spawn } from 'node:child_process'

/** How a process ended, and what it said. */
export type Ended = { readonly code: number | null; readonly out: string; readonly err: string }

/**
 * Runs the command to its end.
 *
 * @param onComplaint what to do when it first writes an error
 */
export async function runCommand(
  args: readonly string[],
  plant?: string,
  onComplaint?: (child: ChildProcess) => void,
): Promise<Ended> {
  // A process and its children begin with the modules that are imported before all others.
  const planted = plant === undefined ? [] : ['--import', plantUrl(plant)]
  const program = new URL('../src/main.js', import.meta.url).pathname
  const child = spawn(process.execPath, [...planted, program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (err === '') onComplaint?.(child)
    err += text
  })
  const code = await new Promise<number | null>(resolve => child.once('close', resolve))
  return { code, out, err }
}

/** Where a fault is that can be planted. */
export const plantUrl = (name: string): string => new URL(`plants/${name}.js`, import.meta.url).href
