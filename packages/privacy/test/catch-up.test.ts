import type { JsonObject, PatchOperation } from '@fanfold/document'
import t from 'tap'
import { catchUpPatch } from '../src/catch-up.ts'
import { define, everybody, itself, nobody, Observed } from './build-view.ts'

function caughtUp(
  definition: ReturnType<typeof define>,
  state: JsonObject,
  ...patches: PatchOperation[][]
): unknown {
  const result = catchUpPatch({ view: new Observed(definition, state).cohort, state, patches })
  return result.kind === 'delta' ? JSON.parse(result.patchJson) : result.kind
}

const hands = define({ '/hands/*': itself, '/notes': nobody })

t.test('the touched places come with the values now, each once', async t => {
  const state = { score: 3, hands: { anna: [1, 2], bob: [3] }, notes: 'n' }
  const told = caughtUp(
    hands,
    state,
    [{ op: 'replace', path: '/score', value: 2 }],
    [
      { op: 'replace', path: '/score', value: 3 },
      { op: 'add', path: '/hands/anna/1', value: 2 },
      { op: 'add', path: '/hands/anna/0', value: 1 },
    ],
  )
  t.same(told, [
    { op: 'add', path: '/score', value: 3 },
    { op: 'add', path: '/hands/anna', value: [1, 2] },
  ])
})

t.test('of what is hidden nothing is told', async t => {
  const state = { hands: { bob: [3] }, notes: 'n' }
  const told = caughtUp(hands, state, [
    { op: 'replace', path: '/notes', value: 'n' },
    { op: 'add', path: '/hands/bob/0', value: 3 },
    { op: 'remove', path: '/hands/carl' },
  ])
  t.same(told, [])
})

t.test('what is gone is taken away whether the viewer has it or not', async t => {
  t.same(caughtUp(hands, {}, [{ op: 'remove', path: '/score' }]), [
    { op: 'add', path: '/score', value: null },
    { op: 'remove', path: '/score' },
  ])
})

t.test('a container that is gone takes with it what was in it', async t => {
  const told = caughtUp(
    hands,
    {},
    [{ op: 'add', path: '/score/home', value: 1 }],
    [{ op: 'remove', path: '/score' }],
  )
  t.same(told, [
    { op: 'add', path: '/score', value: null },
    { op: 'remove', path: '/score' },
  ])
})

t.test('what came and went within one patch is not told', async t => {
  const patch: PatchOperation[] = [
    { op: 'add', path: '/tmp', value: 1 },
    { op: 'remove', path: '/tmp' },
  ]
  t.equal(caughtUp(hands, {}, patch), 'snapshot')
})

t.test('an array stands for what is in it', async t => {
  t.same(caughtUp(hands, { list: [1, 2, 3] }, [{ op: 'remove', path: '/list/0' }]), [
    { op: 'add', path: '/list', value: [1, 2, 3] },
  ])
})

t.test('where only what is hidden may have been touched, a snapshot does not tell', async t => {
  const list = define({ '/list/1': nobody, '/team/secret': nobody })
  t.equal(
    caughtUp(list, { list: [1, 2] }, [{ op: 'replace', path: '/list/1', value: 2 }]),
    'snapshot',
  )
  const team = { name: 'a', secret: 2 }
  t.equal(caughtUp(list, { team }, [{ op: 'add', path: '/team', value: team }]), 'snapshot')
  t.same(caughtUp(list, { team }, [{ op: 'add', path: '/team/secret', value: 2 }]), [])
})

t.test('an answer that may have turned is a snapshot', async t => {
  const roles = define({ '/roles/*': { reads: ['/phase'], allow: everybody } })
  const state = { phase: { day: 1 }, roles: {} }
  t.equal(caughtUp(roles, state, [{ op: 'add', path: '/phase/day', value: 1 }]), 'snapshot')
})

t.test('another root is a snapshot, and so is a computed view', async t => {
  t.equal(caughtUp(hands, {}, [{ op: 'replace', path: '', value: {} }]), 'snapshot')
  const computed = define({}, { view: () => ({}) })
  t.equal(caughtUp(computed, { a: 1 }, [{ op: 'add', path: '/a', value: 1 }]), 'snapshot')
})

t.test('what may have been an object on the way is a snapshot', async t => {
  const closed = define({ '/a/b': everybody }, { isOpen: false })
  t.equal(caughtUp(closed, { a: 1 }, [{ op: 'replace', path: '/a', value: 1 }]), 'snapshot')
  t.equal(caughtUp(closed, {}, [{ op: 'remove', path: '/a' }]), 'snapshot')
})

t.test('a rule that throws is a failure', async t => {
  const fragile = define({
    '/a': () => {
      throw new Error('rule')
    },
  })
  t.equal(caughtUp(fragile, { a: 1 }, [{ op: 'add', path: '/a', value: 1 }]), 'failed')
})
