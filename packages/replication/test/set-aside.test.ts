import { type AssertionError, assert } from '@fanfold/kernel'
import { parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { SetAside, setAsideMs } from '../src/set-aside.ts'
import { at, doc } from './build-stream.ts'

const fails = (): void => assert(false, 'all is well')

t.test('an assertion that fails puts its document aside for a while', async t => {
  const aside = new SetAside()
  const errors: AssertionError[] = []
  aside.guard(doc, at(5), fails, error => errors.push(error))
  t.match(errors, [{ name: 'AssertionError', message: 'all is well' }])
  t.equal(aside.leftMs(doc, at(5)), setAsideMs)
  t.equal(aside.leftMs(doc, at(5 + setAsideMs - 1)), 1)
  t.equal(aside.leftMs(doc, at(5 + setAsideMs)), undefined)
  t.equal(aside.count, 0)
})

t.test('what goes well puts nothing aside, and what is thrown else is thrown on', async t => {
  const aside = new SetAside()
  let steps = 0
  aside.guard(doc, at(0), () => steps++, fails)
  t.equal(steps, 1)
  const other = (): void => {
    throw new RangeError('no assertion')
  }
  t.throws(() => aside.guard(doc, at(0), other, fails), { name: 'RangeError' })
  t.equal(aside.leftMs(doc, at(0)), undefined)
})

t.test('so many documents are remembered, and one more pushes the oldest out', async t => {
  const aside = new SetAside()
  const key = (index: number) => parseDocumentKey(`acme/match/d${index}`)
  for (let index = 0; index < 1_024; index++) aside.guard(key(index), at(0), fails, () => undefined)
  t.equal(aside.count, 1_024)
  aside.guard(key(0), at(0), fails, () => undefined)
  t.equal(aside.count, 1_024)
  aside.guard(key(5_000), at(0), fails, () => undefined)
  t.equal(aside.count, 1_024)
  t.equal(aside.leftMs(key(1), at(0)), undefined)
  t.equal(aside.leftMs(key(0), at(0)), setAsideMs)
})
