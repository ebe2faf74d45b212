import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { cores, pin } from './processes.mjs'

/** The longest that an answer may take, ms: thousands of viewers are opened in one. */
const answerMs = 120_000

/** Starts the viewers' process; `ask` has answers, `onDone` is told a number that all viewers have. */
export function startWatchers() {
  const child = fork(fileURLToPath(new URL('./watchers-process.mjs', import.meta.url)))
  pin(cores.viewers, child.pid)
  let waiting
  const watchers = {
    onDone: () => undefined,
    ask: (what, options = {}) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`viewers do not ${what} within ${answerMs} ms`)),
          answerMs,
        )
        waiting = { resolve, reject, timer }
        child.send({ what, options })
      }),
    stop: () => child.kill('SIGKILL'),
  }
  child.once('exit', () => waiting?.reject(new Error('the process of the viewers ended')))
  child.on('message', ({ done, answer, error }) => {
    if (done !== undefined) {
      watchers.onDone(done)
      return
    }
    clearTimeout(waiting.timer)
    if (error === undefined) waiting.resolve(answer)
    else waiting.reject(new Error(error))
  })
  return watchers
}
