import { sha256 } from '@fanfold/conformance'
import { assert, type Duration, type Instant, instant, type Machine } from '@fanfold/kernel'
import t from 'tap'
import { NodeClock } from '../src/node-clock.ts'
import { NodeDriver } from '../src/node-driver.ts'
import { Problems } from '../src/problems.ts'
import { Processor } from '../src/processor.ts'
import { Trace } from '../src/trace.ts'
import { VirtualClock } from '../src/virtual-clock.ts'

type Input = { readonly kind: string }
type Effect = { readonly kind: string }

/** A machine that does what a test says, and notes its ticks. */
class Scripted implements Machine<Input, Effect> {
  due: Instant | undefined
  readonly ticks: number[] = []
  onInput: (input: Input, effects: Effect[]) => void = () => undefined
  onTick: () => void = () => {
    this.due = undefined
  }

  receive(input: Input, _now: Instant, effects: Effect[]): void {
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
  const processor = new Processor(clock)
  const problems = new Problems(clock)
  const machine = new Scripted()
  const performed: string[] = []
  const driver = new NodeDriver<Input, Effect>({
    name: 'node',
    machine,
    clock,
    time: new NodeClock(clock),
    trace: new Trace(sha256),
    problems,
    processor,
    perform: effect => performed.push(effect.kind),
    describe: input => ({ what: input.kind }),
  })
  return { clock, problems, machine, performed, driver, processor, end: instant(1_000_000) }
}

t.test('effects are performed in order after the input', async t => {
  const { machine, performed, driver } = makeDriver()
  machine.onInput = (_input, effects) => {
    effects.push({ kind: 'a' }, { kind: 'b' })
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

const moment = (side: 'before' | 'after', what: string, count: number) => ({ side, what, count })

t.test('a machine stops right before or right after what it does so often', async t => {
  for (const [side, what, expected] of [
    ['before', 'b', ['a', 'b', 'a']],
    ['after', 'b', ['a', 'b', 'a', 'b']],
    ['before', 'go', ['a', 'b']],
    ['after', 'go', ['a', 'b', 'a', 'b']],
  ] as const) {
    const { machine, performed, driver } = makeDriver()
    machine.onInput = (_input, effects) => effects.push({ kind: 'a' }, { kind: 'b' })
    let sprung = 0
    const spring = () => {
      sprung++
    }
    driver.trap({ moment: moment(side, what, 2), isSet: () => true, spring })
    for (let turn = 0; turn < 4; turn++) driver.receive({ kind: 'go' })
    t.same(performed, expected, `${side} ${what}`)
    t.equal(sprung, 1)
  }
})

t.test('a moment that comes when nobody waits for it any more is one like others', async t => {
  const { machine, performed, driver } = makeDriver()
  machine.onInput = (_input, effects) => effects.push({ kind: 'a' })
  const spring = () => t.fail('nobody waits')
  driver.trap({ moment: moment('before', 'a', 1), isSet: () => false, spring })
  driver.receive({ kind: 'go' })
  t.same(performed, ['a'])
})

t.test('a tick waits while the process is paused', async t => {
  const { clock, machine, driver, processor } = makeDriver()
  machine.due = instant(500)
  driver.receive({ kind: 'go' })
  processor.pause()
  clock.runUntil(instant(900))
  t.same(machine.ticks, [])
  processor.resume()
  clock.runUntil(instant(1_000))
  t.same(machine.ticks, [900])
})
