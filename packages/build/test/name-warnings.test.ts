import t from 'tap'
import { build, definitionWith } from './project.ts'

/** What building a definition with these members warns of; its first state has `score` alone. */
const warningsOf = async (members: string): Promise<string[]> => {
  const { warnings } = await build(t, { 'definition.ts': definitionWith(members) })
  return warnings.map(({ message }) => message)
}

t.test('a pattern whose first name no state begins with is warned of', async t => {
  const rules = "privacy: { '/score/*': () => true, '/*/x': () => true, '/**': everybody }"
  t.same(await warningsOf(rules), [])
  const nowhere = 'leads nowhere in a first state, which has score'
  t.same(await warningsOf("privacy: { '/scroe/*': () => true }"), [
    `privacy./scroe/*: /scroe/* ${nowhere}`,
  ])
  t.same(await warningsOf("labels: { '/phaze': 1 }"), [`labels./phaze: /phaze ${nowhere}`])
  t.same(await warningsOf("privacy: { '/score': { reads: ['/phaze'], allow: () => true } }"), [
    `privacy./score: /phaze ${nowhere}`,
  ])
})
