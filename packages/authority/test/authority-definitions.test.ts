import { parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { variantsHeldMax } from '../src/loaded-definitions.ts'
import { child, peer, Rig } from './build-authority.ts'
import { at, framesOf, match } from './build-document.ts'
import { tableOf, variantOf, variantsFrom } from './build-labelled.ts'

const other = parseDocumentKey('acme/table/one')

t.test('a child that asks for a variant gets it, or hears at once that there is none', async t => {
  const rig = new Rig()
  rig.take({ kind: 'definition-loaded', definition: tableOf(), variants: variantsFrom(1) })
  rig.take({ kind: 'link-opened', link: child, peer, dialled: false })
  rig.frame({ kind: 'request-variant', hash: variantOf(2).hash })
  rig.frame({ kind: 'request-variant', hash: variantOf(9).hash })
  t.match(framesOf(rig.effects(), child), [
    { kind: 'variant', variant: variantOf(2) },
    { kind: 'no-variant', hash: variantOf(9).hash },
  ])
})

t.test('the newest variants are at hand, however often definitions are loaded', async t => {
  const rig = new Rig()
  const load = (first: number): void =>
    rig.take({ kind: 'definition-loaded', definition: tableOf(), variants: variantsFrom(first) })
  load(200)
  for (let first = 1; first <= variantsHeldMax; first += 3) load(first)
  rig.take({ kind: 'link-opened', link: child, peer, dialled: false })
  for (const number of [200, 2, 3, 66]) {
    rig.frame({ kind: 'request-variant', hash: variantOf(number).hash })
  }
  t.same(
    framesOf(rig.effects(), child).map(({ kind }) => kind),
    ['no-variant', 'no-variant', 'variant', 'variant'],
    '66 of the loop, of which two are too many',
  )
})

t.test('documents hear of a definition turn by turn, and those of its type alone', async t => {
  const rig = new Rig()
  rig.take({ kind: 'definition-loaded', definition: { ...match, type: 'table' } })
  for (let number = 0; number < 70; number++) {
    rig.write({ doc: parseDocumentKey(`acme/match/${number}`), action: { type: 'create' } })
  }
  rig.write({ doc: other, action: { type: 'create' } })
  rig.effects()
  rig.take({ kind: 'definition-loaded', definition: match, variants: variantsFrom(1) })
  t.same(rig.effects(), [], 'not in this turn')
  t.equal(rig.authority.wakeAt(), at(rig.nowMs))
  const turns = [rig.tick(), rig.tick()]
  t.same(
    turns.map(effects => effects.filter(({ kind }) => kind === 'log-append').length),
    [64, 6],
  )
  t.not(rig.authority.wakeAt(), at(rig.nowMs))
})
