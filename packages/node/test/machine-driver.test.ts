import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { after, type Instant, type Machine, milliseconds } from '@fanfold/kernel'
import t from 'tap'
import { monotonicClock } from '../src/clock.ts'
import { MachineDriver } from '../src/machine-driver.ts'

/** A machine that waits once for so long, and says what it was given in which order. */
class Waiting implements Machine<string, never> {
  readonly steps: string[] = []
  readonly ticked: Promise<void>
  #resolve: () => void = () => undefined
  #wakeAt: Instant | undefined

  constructor() {
    this.ticked = new Promise(resolve => {
      this.#resolve = resolve
    })
  }

  receive(input: string, now: Instant): void {
    this.steps.push(input)
    if (input === 'wait') this.#wakeAt = after(now, milliseconds(5))
  }

  wakeAt(): Instant | undefined {
    return this.#wakeAt
  }

  tick(now: Instant): void {
    if (this.#wakeAt === undefined || now < this.#wakeAt) return
    this.#wakeAt = undefined
    this.steps.push('tick')
    this.#resolve()
  }
}

const makeDriver = (machine: Waiting) =>
  new MachineDriver<string, never>({
    machine,
    perform: () => undefined,
    fail: error => {
      throw error
    },
  })

t.test('a machine is woken when it asked to be', async t => {
  const machine = new Waiting()
  const driver = makeDriver(machine)
  const keptAlive = setInterval(() => undefined, 1_000)
  driver.submit('wait')
  await machine.ticked
  clearInterval(keptAlive)
  t.same(machine.steps, ['wait', 'tick'])
})

t.test('after a pause, what waits in sockets is heard before time has passed', async t => {
  const machine = new Waiting()
  const driver = makeDriver(machine)
  const server = createServer(socket => socket.on('data', () => driver.submit('heard')))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const peer = connect((server.address() as AddressInfo).port, '127.0.0.1')
  t.teardown(() => {
    peer.destroy()
    server.close()
  })
  await once(peer, 'connect')
  // Once, so that the server has the connection.
  peer.write('x')
  while (machine.steps.length === 0) await new Promise(resolve => setImmediate(resolve))

  await new Promise<void>(resolve => {
    setImmediate(() => {
      driver.submit('wait')
      peer.write('x')
      const untilMicros = monotonicClock() + 50_000
      while (monotonicClock() < untilMicros);
      resolve()
    })
  })
  await machine.ticked
  t.same(machine.steps, ['heard', 'wait', 'heard', 'tick'])
})
