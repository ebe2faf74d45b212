/*
 * Whatever the order of writes, of answers of the log and of changes of who serves what: a write that was
 * refused is not in the log, and each write is answered once.
 */
import type { LogRefusal } from '@fanfold/document'
import { parseDocumentKey } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import { answersOf, factsOf, send } from './build-document.ts'
import { OwnedRig, stalled } from './build-owned.ts'

const keys = ['one', 'two'].map(name => parseDocumentKey(`acme/match/${name}`))
const refusals: readonly LogRefusal[] = [
  'FANFOLD_LOG_FULL',
  'FANFOLD_LOG_LOST',
  'FANFOLD_LOG_UNREACHABLE',
  'FANFOLD_FENCED',
]

const kinds = ['write', 'write', 'write', 'answer', 'answer', 'refuse', 'wait'] as const
const changes = ['move', 'bring', 'change', 'turn', 'go', 'come', 'stall', 'pass'] as const
type Step = {
  readonly kind: (typeof kinds)[number] | (typeof changes)[number]
  readonly key: (typeof keys)[number]
  readonly code: LogRefusal
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(...kinds, ...changes),
  key: fc.constantFrom(...keys),
  code: fc.constantFrom(...refusals),
})

/** A team that only this write names. */
const teamOf = (write: number): string => `team-${write}-`

function take(rig: OwnedRig, { kind, key, code }: Step, number: number): void {
  switch (kind) {
    case 'write':
      rig.write({ doc: key, action: send('goal', { team: teamOf(number) }) })
      return
    case 'answer':
      rig.answer(key)
      return
    case 'refuse':
      rig.refuse(code, key)
      return
    case 'wait':
      rig.wait(key)
      return
    case 'move':
      rig.elsewhere.add(key)
      return
    case 'bring':
      rig.elsewhere.delete(key)
      return
    case 'go':
      rig.move(key)
      return
    case 'come':
      rig.bring(key)
      return
    case 'change':
      rig.take({ kind: 'owners-changed' })
      return
    case 'turn':
      rig.turn()
      return
    case 'stall':
      rig.stall = rig.stall === undefined ? stalled : undefined
      return
    case 'pass':
      rig.nowMs += 6_000
      rig.turn()
      return
  }
}

/** All documents are here, and the log answers until nothing is under way. */
function settle(rig: OwnedRig): void {
  rig.stall = undefined
  rig.elsewhere.clear()
  rig.change()
  for (let round = 0; round < 100 && rig.asked.size > 0; round++) rig.answerAll()
  rig.change()
}

t.test('what was refused is not in the log, and each write is answered once', async t => {
  const holds = fc.property(fc.array(step, { maxLength: 60, size: 'max' }), steps => {
    const rig = new OwnedRig()
    /** Which step each write was, by its request. */
    const writes: number[] = []
    for (const [number, next] of steps.entries()) {
      if (next.kind === 'write') writes.push(number)
      take(rig, next, number)
    }
    settle(rig)
    const effects = rig.effects()
    const answers = answersOf(effects).toSorted((a, b) => a.request - b.request)
    const isEachOnce =
      answers.length === writes.length &&
      answers.every(({ request }, index) => request === index + 1)
    const records = [...rig.logs.values()].flat().map(({ bytes }) => bytes)
    const log = Buffer.concat(records).toString('latin1')
    const areTrue = answers.every(({ request, answer }) => {
      const isInLog = log.includes(teamOf(writes[request - 1] ?? -1))
      return isInLog === (answer.kind === 'committed')
    })
    const isSound = rig.wrongs.length === 0 && !factsOf(effects).includes('document-quarantined')
    return isEachOnce && areTrue && isSound
  })
  t.doesNotThrow(() => fc.assert(holds, { numRuns: 300 }))
})

t.test('a document that has left at any time comes back with all that is in its log', async t => {
  const holds = fc.property(fc.array(step, { maxLength: 60, size: 'max' }), steps => {
    const rig = new OwnedRig()
    for (const [number, next] of steps.entries()) take(rig, next, number)
    settle(rig)
    rig.nowMs += 6_000
    rig.turn()
    rig.effects()
    for (const key of keys) rig.commit(key)
    settle(rig)
    const answers = answersOf(rig.effects()).map(({ answer }) => answer.kind)
    return answers.length === keys.length && answers.every(kind => kind === 'committed')
  })
  t.doesNotThrow(() => fc.assert(holds, { numRuns: 100 }))
})
