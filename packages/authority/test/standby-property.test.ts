/*
 * Whatever the order of writes, of answers of the log, of what is followed, and of who is seen to have the document:
 * what was acknowledged is in the log once and is known to who has it in the end, and nothing fails inside.
 */
import fc from 'fast-check'
import t from 'tap'
import { doc, send } from './build-document.ts'
import { type Side, StandbyRig } from './build-standby.ts'

const kinds = ['write', 'write', 'again', 'answer', 'answer', 'follow', 'turn', 'pass'] as const
const changes = ['see', 'see', 'cold', 'refuse', 'settle'] as const
const step = fc.record({
  kind: fc.constantFrom(...kinds, ...changes),
  isFirst: fc.boolean(),
  owner: fc.constantFrom('a', 'b'),
})
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

/** Where each message was committed, by its number, as writers were told. */
type Told = Map<number, string>

/** Writes of one run, each with an id and a team of its own. */
class Writes {
  readonly told: Told = new Map()
  readonly #asked: { readonly side: Side; readonly request: number; readonly number: number }[] = []
  #next = 1

  send(side: Side, number = this.#next++): void {
    const action = send('goal', { team: `team-${number}-` })
    const request = side.write({ action, id: `id-${number}` })
    this.#asked.push({ side, request, number })
  }

  again(side: Side): void {
    this.send(side, Math.max(1, this.#next - 2))
  }

  /** What was answered; two answers to one message must be the same. */
  collect(): boolean {
    return this.#asked.every(({ side, request, number }) => {
      const answer = side.answers.get(request)
      if (answer?.kind !== 'committed') return true
      const place = `${answer.epoch}:${answer.seq}`
      const before = this.told.get(number) ?? place
      this.told.set(number, place)
      return before === place
    })
  }

  get areAnswered(): boolean {
    return this.#asked.every(({ side, request }) => side.answers.has(request))
  }
}

function take(rig: StandbyRig, { kind, isFirst, owner }: Step, writes: Writes): void {
  const side = isFirst ? rig.a : rig.b
  switch (kind) {
    case 'write':
      writes.send(side)
      return
    case 'again':
      writes.again(side)
      return
    case 'answer':
      side.answer()
      return
    case 'follow':
      side.follow()
      return
    case 'turn':
      side.turn()
      return
    case 'pass':
      for (const each of rig.both) each.nowMs += 2_600
      return
    case 'see':
      side.see(owner)
      return
    case 'cold':
      side.see(owner, false)
      return
    case 'refuse':
      if (side.asked.length > 0) side.refuse('FANFOLD_LOG_UNREADABLE')
      return
    case 'settle':
      rig.settle()
  }
}

/** Where the second one says that a message was committed; one that was overtaken or deposed is asked again. */
function knownAt(rig: StandbyRig, number: number): string | undefined {
  for (let attempt = 0; attempt < 3; attempt++) {
    const request = rig.b.write({ id: `id-${number}`, action: send('nothing') })
    rig.settle()
    const answer = rig.b.answers.get(request)
    if (answer?.kind === 'committed') return `${answer.epoch}:${answer.seq}`
    rig.passTo(rig.b.nowMs + 6_000)
  }
  return undefined
}

t.test('what was acknowledged is there once, and known to who takes over', async t => {
  let takeovers = 0
  const holds = fc.property(fc.array(step, { maxLength: 80, size: 'max' }), steps => {
    const rig = new StandbyRig()
    const writes = new Writes()
    for (const next of steps) take(rig, next, writes)
    rig.see('b')
    rig.settle()
    // Who was fenced waits for five seconds.
    for (let round = 0; round < 3; round++) {
      for (const side of rig.both) side.nowMs += 6_000
      rig.settle()
    }
    if (!writes.collect() || !writes.areAnswered) return false
    const facts = rig.both.flatMap(({ facts }) => facts.map(({ event }) => event))
    takeovers += facts.filter(event => event === 'standby-took-over').length
    if (facts.includes('document-quarantined')) return false
    const log = Buffer.concat(rig.logs.of(doc).records.map(({ bytes }) => bytes)).toString('latin1')
    for (const [number, place] of writes.told) {
      if (log.split(`team-${number}-`).length !== 2) return false
      if (knownAt(rig, number) !== place) return false
    }
    return true
  })
  t.doesNotThrow(() => fc.assert(holds, { numRuns: 400 }))
  t.ok(takeovers > 20, `${takeovers} documents were taken over from what was followed`)
})
