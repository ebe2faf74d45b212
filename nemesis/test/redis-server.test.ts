/* The rig itself: a server ends with the process that started it, however that ends. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { until } from '../src/until.ts'

const program = fileURLToPath(new URL('./start-and-wait.js', import.meta.url))

t.test('a server ends when the process that started it is killed', async t => {
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout })
  const [line] = await once(lines, 'line')
  const port = Number(line)
  t.ok(await isListening(port), `port ${port} is taken`)
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
  await until('the server is gone', async () => !(await isListening(port)))
  t.pass('it is gone')
})

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
