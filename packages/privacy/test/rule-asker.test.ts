import type { PrivacyRule, RuleContext } from '@fanfold/definition'
import type { JsonObject } from '@fanfold/document'
import t from 'tap'
import { RuleAsker } from '../src/rule-asker.ts'
import { define, everybody, type RuleTable } from './build-view.ts'

const state: JsonObject = {
  phase: 2,
  players: { anna: { team: 'home' }, length: { team: 'away' } },
  bids: [{ by: 'anna' }],
}

const rulesOf = (table: RuleTable): readonly PrivacyRule[] => define(table).rules
const asker = (): RuleAsker => new RuleAsker('anna', state)

/** What a rule is told when it is asked about a place. */
function contextAt(pattern: string, reads: readonly string[], path: string[]): RuleContext {
  let told: RuleContext | undefined
  const allow = (_: unknown, context: RuleContext): boolean => {
    told = { ...context, reads: JSON.parse(JSON.stringify(context.reads)) }
    return true
  }
  asker().allow(rulesOf({ [pattern]: { reads, allow } }), path)
  if (told === undefined) throw new Error('the rule was asked')
  return told
}

t.test('a rule is told what its * stand for, also far below its place', async t => {
  const path = ['a', 'x', 'b', 'y', 'far', 'below']
  t.match(contextAt('/a/*/b/*', [], path), { key: 'y', keys: ['x', 'y'] })
  t.match(contextAt('/a', [], path), { key: '', keys: [] })
})

t.test('a rule reads through objects and arrays what its * stand for', async t => {
  t.same(contextAt('/hands/*', ['/players/*/team', '/phase'], ['hands', 'anna']).reads, {
    '/players/*/team': 'home',
    '/phase': 2,
  })
  t.same(contextAt('/prices/*', ['/bids/*/by'], ['prices', '0']).reads, { '/bids/*/by': 'anna' })
})

t.test(
  'a read of what is not there is undefined, not what JavaScript has by that name',
  async t => {
    t.same(contextAt('/a/*', ['/bids/*'], ['a', 'length']).reads, {})
    t.same(contextAt('/a/*', ['/players/*'], ['a', 'toString']).reads, {})
    t.same(contextAt('/a/*', ['/players/*/team'], ['a', 'length']).reads, {
      '/players/*/team': 'away',
    })
  },
)

t.test('every rule must allow, by true and nothing that is like it', async t => {
  const truthy = (() => 1) as unknown as () => boolean
  t.ok(asker().allow([], []))
  t.ok(asker().allow(rulesOf({ '/a': everybody, '/*': everybody }), ['a']))
  t.notOk(asker().allow(rulesOf({ '/a': everybody, '/*': truthy }), ['a']))
})

t.test('the first failure is kept, with the place of its rule', async t => {
  const one = asker()
  const error = new Error('no odds')
  const fail = (): boolean => {
    throw error
  }
  t.equal(one.failure, undefined)
  t.notOk(one.allow(rulesOf({ '/odds': fail }), ['odds']))
  t.notOk(one.allow(rulesOf({ '/hands/*': fail }), ['hands', 'anna']))
  t.same(one.failure, { code: 'FANFOLD_RULE_FAILED', place: '/odds', error })
})

t.test('what a rule kept of what it read is gone when the look is over', async t => {
  const one = asker()
  const kept: (JsonObject | undefined)[] = []
  const allow = (_: unknown, { reads }: RuleContext): boolean => {
    kept.push(reads['/players'] as JsonObject)
    return true
  }
  one.allow(rulesOf({ '/a': { reads: ['/players'], allow } }), ['a'])
  t.same(Object.keys(kept[0] ?? {}), ['anna', 'length'])
  one.end()
  t.throws(() => Object.keys(kept[0] ?? {}), /cannot be kept/)
})
