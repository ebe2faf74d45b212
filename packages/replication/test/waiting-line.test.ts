import fc from 'fast-check'
import t from 'tap'
import { WaitingLine } from '../src/waiting-line.ts'

const step = fc.record({
  kind: fc.constantFrom('add', 'add', 'delete', 'delete-first', 'look', 'empty'),
  key: fc.nat({ max: 9 }),
})

t.test('the first is the one that has waited longest, whoever comes and goes', async t => {
  const check = fc.property(fc.array(step, { maxLength: 60, size: 'max' }), steps => {
    const line = new WaitingLine<number>()
    let model: number[] = []
    for (const { kind, key } of steps) {
      if (kind === 'add') {
        line.add(key)
        if (!model.includes(key)) model.push(key)
      } else if (kind === 'empty') {
        for (const each of model) line.delete(each)
        model = []
      } else if (kind !== 'look') {
        const gone = kind === 'delete' ? key : (model[0] ?? key)
        line.delete(gone)
        model = model.filter(each => each !== gone)
      } else if (line.first !== model[0]) return false
      if (line.size !== model.length || line.has(key) !== model.includes(key)) return false
    }
    return line.first === model[0]
  })
  t.doesNotThrow(() => fc.assert(check, { numRuns: 1_000 }))
})
