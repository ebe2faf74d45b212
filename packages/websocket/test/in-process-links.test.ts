import { testLinkPort } from '@fanfold/conformance'
import type { LinkId, LinkInput } from '@fanfold/protocol'
import { InProcessLinks, inProcessLimitsDefault, TurnShare } from '@fanfold/websocket'
import t from 'tap'
import { ManualClock } from './manual-clock.ts'

let links = 0
const nextLink = () => ++links as LinkId

/** Runs tasks in later turns, unless it is told to keep them. */
class Turns {
  #kept: (() => void)[] = []
  #isStuck = false

  readonly defer = (task: () => void): void => {
    setImmediate(() => {
      if (this.#isStuck) this.#kept.push(task)
      else task()
    })
  }

  stall(): void {
    this.#isStuck = true
  }

  unstall(): void {
    this.#isStuck = false
    const kept = this.#kept
    this.#kept = []
    for (const task of kept) task()
  }
}

const make = (
  node: string,
  options: { report: (input: LinkInput) => void; turns: Turns; clock?: ManualClock },
) =>
  new InProcessLinks({
    identity: { node, incarnation: `${node}-1`, region: 'here', roles: ['proxy'], ceiling: 1 },
    nextLink,
    report: options.report,
    limits: inProcessLimitsDefault,
    share: new TurnShare(options.clock ?? new ManualClock()),
    defer: options.turns.defer,
  })

testLinkPort(t, async reports => {
  const turns = new Turns()
  const dialler = make('dialler', { report: reports.dialler, turns })
  const listener = make('listener', { report: reports.listener, turns })
  return {
    dialler,
    listener,
    dial: () => dialler.connect(listener),
    stall: () => turns.stall(),
    unstall: () => turns.unstall(),
    close: async () => {
      dialler.close()
      listener.close()
    },
  }
})

const turn = () => new Promise(resolve => setImmediate(resolve))

t.test('frames are handed over as they are, in a later turn', async t => {
  const turns = new Turns()
  const arrived: LinkInput[] = []
  const dialler = make('a', { report: () => undefined, turns })
  const listener = make('b', { report: input => arrived.push(input), turns })
  const link = dialler.connect(listener)
  await turn()
  const frame = Uint8Array.of(200)
  dialler.perform({ kind: 'link-send', link, frame })
  t.equal(arrived.length, 1)
  await turn()
  const input = arrived[1]
  t.equal(input?.kind === 'link-frame' ? input.frame : undefined, frame)
})

t.test('frames that take long are delivered over several turns', async t => {
  const turns = new Turns()
  const clock = new ManualClock()
  let frames = 0
  const dialler = make('a', { report: () => undefined, turns })
  const listener = make('b', {
    report: ({ kind }) => {
      if (kind !== 'link-frame') return
      frames++
      clock.advance(30)
    },
    turns,
    clock,
  })
  const link = dialler.connect(listener)
  await turn()
  for (let index = 0; index < 6; index++) {
    dialler.perform({ kind: 'link-send', link, frame: Uint8Array.of(200, index) })
  }
  for (const expected of [2, 4, 6]) {
    await turn()
    t.equal(frames, expected)
  }
})

t.test('a burst is delivered over several turns', async t => {
  const turns = new Turns()
  let frames = 0
  const dialler = make('a', { report: () => undefined, turns })
  const listener = make('b', {
    report: input => {
      if (input.kind === 'link-frame') frames++
    },
    turns,
  })
  const link = dialler.connect(listener)
  await turn()
  for (let index = 0; index < 8; index++) {
    dialler.perform({ kind: 'link-send', link, frame: new Uint8Array(131_072) })
  }
  await turn()
  t.equal(frames, 2)
  await turn()
  t.equal(frames, 4)
})

t.test(
  'signals go at once, or wait until the link has drained, the latest of each key',
  async t => {
    const turns = new Turns()
    const said: (number | string)[] = []
    const dialler = make('a', { report: input => said.push(input.kind), turns })
    const listener = make('b', {
      report: input => {
        if (input.kind === 'link-frame' && input.frame.length === 1) said.push(input.frame[0] ?? -1)
      },
      turns,
    })
    const link = dialler.connect(listener)
    await turn()
    const signal = (key: string, n: number) =>
      dialler.perform({ kind: 'link-signal', link, key, frame: Uint8Array.of(n) })
    signal('a', 200)
    await turn()
    for (let index = 0; index < 5; index++) {
      dialler.perform({ kind: 'link-send', link, frame: new Uint8Array(300_000) })
    }
    signal('a', 201)
    signal('b', 202)
    signal('a', 203)
    for (let index = 0; index < 8; index++) await turn()
    t.same(said, ['link-opened', 200, 'link-congested', 'link-drained', 202, 203])
  },
)

t.test('frames sent before a close arrive before it', async t => {
  const turns = new Turns()
  const kinds: string[] = []
  const dialler = make('a', { report: () => undefined, turns })
  const listener = make('b', { report: input => kinds.push(input.kind), turns })
  const link = dialler.connect(listener)
  await turn()
  dialler.perform({ kind: 'link-send', link, frame: Uint8Array.of(200) })
  dialler.perform({ kind: 'link-close', link, code: 'FANFOLD_MOVED', message: 'elsewhere' })
  await turn()
  t.same(kinds, ['link-opened', 'link-frame', 'link-closed'])
})

t.test('a role that has closed is dialled in vain', async t => {
  const turns = new Turns()
  const inputs: LinkInput[] = []
  const dialler = make('a', { report: input => inputs.push(input), turns })
  const listener = make('b', { report: () => t.fail('reported after close'), turns })
  listener.close()
  listener.close()
  dialler.connect(listener)
  await turn()
  t.match(inputs, [{ kind: 'link-closed', reason: /^refused: / }])
})

t.test('a role that drains closes its links, and both sides are told', async t => {
  const turns = new Turns()
  const kinds: string[] = []
  const dialler = make('a', { report: input => kinds.push(`a ${input.kind}`), turns })
  const listener = make('b', { report: input => kinds.push(`b ${input.kind}`), turns })
  dialler.connect(listener)
  await turn()
  listener.drain()
  await turn()
  t.same(kinds.slice(-2).sort(), ['a link-closed', 'b link-closed'])
})
