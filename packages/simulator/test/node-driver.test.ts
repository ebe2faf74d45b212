import { sha256 } from '@fanfold/conformance'
import { assert, type Duration, type Instant, instant, type Machine } from '@fanfold/kernel'
import t from 'tap'
import { NodeDriver } from '../src/node-driver.ts'
import { Problems } from '../src/problems.ts'
import { Trace } from '../src/trace.ts'
import { VirtualClock } from '../src/virtual-clock.ts'

type Input = { readonly kind: string }

/** A machine that does what a test says, and notes its ticks. */
class Scripted implements Machine<Input, string> {
  due: Instant | undefined
  readonly ticks: number[] = []
  onInput: (input: Input, effects: string[]) => void = () => undefined
  onTick: () => void = () => {
    this.due = undefined
  }

  receive(input: Input, _now: Instant, effects: string[]): void {
    this.onInput(input, effects)
  }

  wakeAt(): Instant | undefined {
    return this.due
  }

  tick(now: Instant): void {
    this.ticks.push(now)
    this.onTick()
  }
}

function makeDriver() {
  const clock = new VirtualClock()
  const problems = new Problems(clock)
  const machine = new Scripted()
  const performed: string[] = []
  const driver = new NodeDriver<Input, string>({
    name: 'node',
    machine,
    clock,
    trace: new Trace(sha256),
    problems,
    perform: effect => performed.push(effect),
    describe: input => ({ what: input.kind }),
  })
  return { clock, problems, machine, performed, driver, end: instant(1_000_000) }
}

t.test('effects are performed in order after the input', async t => {
  const { machine, performed, driver } = makeDriver()
  machine.onInput = (_input, effects) => {
    effects.push('a', 'b')
    t.same(performed, [])
  }
  driver.receive({ kind: 'go' })
  t.same(performed, ['a', 'b'])
})

t.test('a machine is woken when it wants to be, once', async t => {
  const { clock, machine, driver, end } = makeDriver()
  machine.due = instant(500)
  driver.receive({ kind: 'go' })
  driver.receive({ kind: 'go' })
  clock.runUntil(end)
  t.same(machine.ticks, [500])
})

t.test('the last word on when to wake counts: sooner, later or never', async t => {
  const { clock, machine, driver } = makeDriver()
  const say = (due: Instant | undefined) => {
    machine.due = due
    driver.receive({ kind: 'go' })
  }
  say(instant(500))
  say(instant(200))
  clock.runUntil(instant(1_000))
  t.same(machine.ticks, [200])
  say(instant(2_000))
  say(instant(3_000))
  clock.runUntil(instant(10_000))
  t.same(machine.ticks, [200, 3_000])
  say(instant(11_000))
  say(undefined)
  clock.runUntil(instant(20_000))
  t.same(machine.ticks, [200, 3_000])
  say(instant(25_000))
  clock.runUntil(instant(30_000))
  t.same(machine.ticks, [200, 3_000, 25_000])
})

t.test('a wake-up time that has passed means at once', async t => {
  const { clock, machine, driver } = makeDriver()
  clock.in(700 as Duration, () => {
    machine.due = instant(5)
    driver.receive({ kind: 'go' })
  })
  clock.runUntil(instant(700))
  t.same(machine.ticks, [700])
})

t.test('a machine that wakes for ever at one instant is stopped', async t => {
  const { clock, machine, driver, end } = makeDriver()
  machine.due = instant(5)
  machine.onTick = () => undefined
  driver.receive({ kind: 'go' })
  t.throws(() => clock.runUntil(end), /node goes in circles at 5 µs/)
})

t.test('an input from inside a turn is our bug', async t => {
  const { machine, driver, problems } = makeDriver()
  machine.onInput = input => {
    if (input.kind === 'go') driver.receive({ kind: 'again' })
  }
  driver.receive({ kind: 'go' })
  t.match(problems.messages, [/node takes one input at a time/])
})

t.test('an assertion that fails in a machine is a problem of the run', async t => {
  const { machine, driver, problems } = makeDriver()
  machine.onInput = () => assert(false, 'one is two')
  driver.receive({ kind: 'go' })
  t.same(problems.messages, ['at 0 µs: node: assertion failed: one is two'])
})
