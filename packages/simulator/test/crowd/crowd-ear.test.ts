import { parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { CrowdEar } from '../../src/crowd/crowd-ear.ts'
import type { Saying } from '../../src/crowd/saying.ts'
import { addOf } from './said-sums.ts'

const doc = parseDocumentKey('acme/board/0')

const saying = (name: string): Saying => ({
  viewer: 'viewer-0',
  doc,
  reducer: 'said',
  name,
  operand: name,
  hasId: true,
  fate: 'said',
  told: undefined,
})

function makeEar() {
  const sayings = new Map(['a', 'b', 'c'].map(name => [name, saying(name)]))
  const problems: string[] = []
  const settled: string[] = []
  const ear = new CrowdEar('edge-0', {
    find: name => sayings.get(name),
    heard: () => undefined,
    settled: ({ name, fate }) => settled.push(`${name} ${fate}`),
    problem: text => problems.push(text),
  })
  const ask = (name: string) => ear.asks(addOf(doc, name))
  const hear = (name: string) => {
    ask(name)
    ear.note({ event: 'crowd-heard', doc })
  }
  return { ear, ask, hear, settled, problems, fate: (name: string) => sayings.get(name)?.fate }
}

t.test('what is settled is what was heard first', async t => {
  const { ear, hear, settled, problems, fate } = makeEar()
  for (const name of ['a', 'b', 'c']) hear(name)
  t.equal(fate('b'), 'heard')
  ear.note({ event: 'crowd-settled', doc, outcome: 'counted', messages: 2 })
  ear.note({ event: 'crowd-settled', doc, outcome: 'unknown', messages: 1 })
  t.same(settled, ['a counted', 'b counted', 'c unknown'])
  t.same(problems, [])
})

t.test('what is rejected is heard by nobody', async t => {
  const { ear, ask, settled, problems } = makeEar()
  ask('a')
  ear.note({ event: 'crowd-rejected', doc, code: 'FANFOLD_BUSY' })
  t.same(settled, ['a rejected'])
  t.same(problems, [])
  ask('b')
  ear.note({ event: 'crowd-rejected', doc, code: 'FANFOLD_INVALID_VALUE' })
  t.match(problems, [/does not hear b: FANFOLD_INVALID_VALUE/])
})

t.test('what was heard goes with the process', async t => {
  const { ear, hear, settled } = makeEar()
  hear('a')
  ear.ends()
  ear.ends()
  t.same(settled, ['a died'])
})

t.test('an edge that answers nobody, hears a stranger or settles too much is told', async t => {
  const { ear, ask, hear, problems } = makeEar()
  ear.note({ event: 'crowd-heard', doc })
  ask('stranger')
  hear('a')
  ear.note({ event: 'crowd-settled', doc, outcome: 'counted', messages: 2 })
  ear.note({ event: 'crowd-failed', doc, error: undefined })
  t.match(problems, [
    /answers what nobody asked/,
    /hears stranger, which nobody said/,
    /settles 2 of acme.board.0, and has heard 1/,
    /cannot write down/,
  ])
})
