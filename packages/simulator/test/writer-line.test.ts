import { type Duration, instant, milliseconds, Prng } from '@fanfold/kernel'
import t from 'tap'
import { VirtualClock } from '../src/virtual-clock.ts'
import { WriterLine } from '../src/writer-line.ts'

function makeLine(options: { seed?: string; isListening?: boolean } = {}) {
  const clock = new VirtualClock()
  const told: string[] = []
  const rig = { clock, told, isListening: options.isListening ?? true }
  const line = new WriterLine<string>({
    clock,
    profile: { delayMin: milliseconds(5), delayMean: milliseconds(1), bytesPerSecond: 1_000_000 },
    prngOf: way => new Prng(way),
    losses: new Prng(options.seed ?? 'losses'),
    isListening: () => rig.isListening,
    enter: copy => told.push(`enter ${copy}`),
    lost: copies => told.push(`lost ${copies.join()}`),
  })
  const pass = (ms: number): string[] => {
    clock.runUntil(instant(clock.now + ms * 1_000))
    return told.splice(0)
  }
  return { ...rig, rig, line, pass }
}

t.test('what is sent comes in, in order, and is answered', async t => {
  const { line, pass, told } = makeLine()
  line.send('a')
  line.send('b')
  t.same(pass(100), ['enter a', 'enter b'])
  line.answer('a', () => told.push('answered a'))
  t.same(pass(100), ['answered a'])
})

t.test('what was not answered is sent again when there is somebody again', async t => {
  const { line, rig, pass, told } = makeLine()
  line.send('a')
  line.send('b')
  pass(100)
  line.answer('a', () => told.push('answered a'))
  pass(100)
  rig.isListening = false
  line.lose()
  line.send('c')
  t.same(pass(2_000), ['lost b,c'])
  rig.isListening = true
  t.same(pass(2_000), ['enter b', 'enter c'])
})

t.test('what was under way when the line was lost never comes in', async t => {
  const { line, rig, pass } = makeLine()
  line.send('a')
  rig.isListening = false
  line.lose()
  t.same(pass(2_000), ['lost a'])
})

t.test('an answer that was under way arrives or does not', async t => {
  const outcomes = new Set<string>()
  for (let seed = 0; seed < 40; seed++) {
    const { line, rig, pass, told } = makeLine({ seed: `${seed}` })
    line.send('a')
    pass(100)
    line.answer('a', () => told.push('answered a'))
    rig.isListening = false
    line.lose()
    outcomes.add(pass(2_000).join())
  }
  t.same([...outcomes].sort(), ['answered a,lost ', 'lost a'])
})

t.test('what is dropped is not sent again', async t => {
  const { line, rig, pass } = makeLine()
  line.send('a')
  line.send('b')
  pass(100)
  rig.isListening = false
  line.lose()
  pass(1_000)
  line.drop('a')
  rig.isListening = true
  t.same(pass(1_000), ['enter b'])
})

t.test('a line that begins while nobody listens waits', async t => {
  const { clock, line, rig, pass } = makeLine({ isListening: false })
  line.send('a')
  t.same(pass(1_000), [])
  clock.in(1 as Duration, () => {
    rig.isListening = true
  })
  t.same(pass(1_000), ['enter a'])
})
