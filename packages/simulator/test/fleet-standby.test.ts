/* Authorities that stand by, in fleets whose authorities end one after the other. */
import { sha256 } from '@fanfold/conformance'
import t from 'tap'
import type { Fault } from '../src/fault.ts'
import { simulate } from '../src/simulate.ts'
import type { WorldEvent } from '../src/world-watch.ts'

/** What logs were asked and told. */
class SeenLogs {
  followed = 0
  takenOver = 0
  /** Records that were told of logs that nobody followed. */
  read = 0
  readonly #isOpening = new Set<string>()

  readonly watch = (event: WorldEvent): void => {
    if (event.kind === 'effect') this.#effect(event.node, event.effect)
    else if (event.kind === 'input') this.#input(event.node, event.input)
  }

  #effect(node: string, effect: { readonly kind: string }): void {
    if (!('doc' in effect)) return
    const name = `${node} ${effect.doc}`
    if (effect.kind === 'log-follow') {
      this.followed++
      this.#isOpening.delete(name)
    } else if (effect.kind === 'log-open') this.#isOpening.add(name)
  }

  #input(node: string, input: { readonly kind: string }): void {
    if (!('doc' in input) || !('records' in input) || !Array.isArray(input.records)) return
    if (this.#isOpening.has(`${node} ${input.doc}`)) this.read += input.records.length
  }
}

/** A fleet whose authorities end one after the other, each for longer than another one takes. */
function run(hotStandbyShare: number) {
  const logs = new SeenLogs()
  const faults = ['authority', 'authority-1'].map(
    (node, index): Fault => ({ kind: 'crash', node, atMs: 3_000 + 4_000 * index, forMs: 1_500 }),
  )
  const { problems, tally } = simulate({
    seed: 'standing by',
    sha256,
    watch: logs.watch,
    redial: 'fleet',
    authorities: 2,
    regions: 1,
    proxies: 1,
    edges: 1,
    viewers: 2,
    documents: 3,
    writes: 120,
    busyMs: 10_000,
    hotStandbyShare,
    faults,
  })
  return { logs, problems, count: (name: string) => new Map(tally).get(name) ?? 0 }
}

t.test('who takes over has followed what it takes over, and reads less of it', async t => {
  const cold = run(0)
  const hot = run(1)
  for (const { problems } of [cold, hot]) t.same(problems, [])
  t.equal(cold.logs.followed, 0)
  t.equal(cold.count('standby-took-over'), 0)
  t.ok(hot.logs.followed >= 3, `${hot.logs.followed} documents were followed`)
  t.ok(hot.count('standby-took-over') >= 2, `${hot.count('standby-took-over')} were taken over so`)
  t.ok(hot.logs.read < cold.logs.read, `${hot.logs.read} records of ${cold.logs.read} were read`)
  t.equal(hot.count('standby-lost'), 0)
})
