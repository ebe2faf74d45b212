import { sha256 } from '@fanfold/conformance'
import { type DocumentKey, parseDocumentKey } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import { Authority } from '../src/authority.ts'
import type { AuthorityLimits } from '../src/authority-limits.ts'
import { DocumentQuotas } from '../src/document-quotas.ts'
import { Rig } from './build-authority.ts'
import { answersOf, contextOf, framesOf, limitsOf } from './build-document.ts'

const docOf = (tenant: string, id: number): DocumentKey => parseDocumentKey(`${tenant}/match/${id}`)

/** An authority at which tenant acme may have so many documents. */
function bounded(documentsMax: number, limits: Partial<AuthorityLimits> = {}) {
  const quotas = new Map<string, { documentsMax: number }>([['acme', { documentsMax }]])
  const { randomBytes } = contextOf()
  const authority = new Authority({
    sha256,
    randomBytes,
    limits: limitsOf(limits),
    quotaOf: tenant => quotas.get(tenant),
  })
  const rig = new Rig(limits, authority)
  const codesOf = (...docs: DocumentKey[]): string[] => {
    for (const doc of docs) rig.write({ doc })
    return answersOf(rig.effects()).map(({ answer }) =>
      answer.kind === 'rejected' ? answer.code : answer.kind,
    )
  }
  return { rig, authority, codesOf, quotas }
}

t.test('one document more than the quota is refused, and harms none that is there', t => {
  const { rig, authority, codesOf } = bounded(2)
  t.same(codesOf(docOf('acme', 1), docOf('acme', 2)), ['committed', 'committed'])
  rig.write({ doc: docOf('acme', 3) })
  const effects = rig.effects()
  t.match(answersOf(effects), [
    {
      answer: {
        code: 'FANFOLD_QUOTA_EXCEEDED',
        message: 'tenant acme has as many documents in use here as its quota allows: 2',
      },
    },
  ])
  t.match(
    effects.filter(({ kind }) => kind === 'fact'),
    [{ fact: { event: 'quota-refused', tenant: 'acme' } }],
  )
  rig.join(docOf('acme', 3))
  t.match(framesOf(rig.effects()), [{ kind: 'refused', code: 'FANFOLD_QUOTA_EXCEEDED' }])
  t.same(codesOf(docOf('acme', 1), docOf('other', 1), docOf('other', 2), docOf('other', 3)), [
    'committed',
    'committed',
    'committed',
    'committed',
  ])
  t.equal(authority.documentsOf('acme'), 2)
  t.same(authority.boundedTenants, ['acme'])
  t.end()
})

t.test('a quota that is lowered closes nothing, and one that is raised counts at once', t => {
  const { authority, codesOf, quotas } = bounded(3)
  const docs = [1, 2, 3].map(id => docOf('acme', id))
  codesOf(...docs)
  quotas.set('acme', { documentsMax: 1 })
  t.same(codesOf(...docs), ['committed', 'committed', 'committed'])
  t.same(codesOf(docOf('acme', 4)), ['FANFOLD_QUOTA_EXCEEDED'])
  t.equal(authority.documentsOf('acme'), 3)
  quotas.set('acme', { documentsMax: 4 })
  t.same(codesOf(docOf('acme', 4)), ['committed'])
  quotas.delete('acme')
  t.same(codesOf(docOf('acme', 5)), ['committed'])
  t.same(authority.boundedTenants, [])
  t.end()
})

t.test('documents of the tenant that rest make room, and nobody else’s do', t => {
  const limits = { restAfterMs: 1_000, unloadAfterMs: 60_000 }
  const { rig, authority, codesOf, quotas } = bounded(3, limits)
  codesOf(docOf('other', 1), docOf('acme', 1), docOf('acme', 2), docOf('acme', 3))
  rig.join(docOf('acme', 1))
  rig.passTo(2_000)
  rig.effects()
  t.same(codesOf(docOf('acme', 4)), ['committed'])
  t.equal(authority.documentsOf('acme'), 3)
  t.equal(authority.documentsOf('other'), 1)
  quotas.set('acme', { documentsMax: 2 })
  t.same(codesOf(docOf('acme', 5)), ['FANFOLD_QUOTA_EXCEEDED'], 'one is watched, one just written')
  rig.passTo(4_000)
  t.same(codesOf(docOf('acme', 5)), ['committed'])
  t.equal(authority.documentsOf('acme'), 2)
  t.end()
})

t.test('who asks for documents that do not exist takes a tenant none of its room', t => {
  const { rig, authority, codesOf } = bounded(2)
  for (let id = 10; id < 60; id++) rig.join(docOf('acme', id))
  rig.effects()
  t.same(codesOf(docOf('acme', 1), docOf('acme', 2)), ['committed', 'committed'])
  t.same(codesOf(docOf('acme', 3)), ['FANFOLD_QUOTA_EXCEEDED'])
  t.equal(authority.documentsOf('acme'), 2)
  t.end()
})

t.test('a tenant may have none at all', t => {
  const { authority, codesOf } = bounded(0)
  t.same(codesOf(docOf('acme', 1)), ['FANFOLD_QUOTA_EXCEEDED'])
  t.equal(authority.documentCount, 0)
  t.end()
})

t.test('documents are counted by tenant, whatever comes and goes', t => {
  const step = fc.record({
    tenant: fc.constantFrom('a', 'b'),
    id: fc.integer({ min: 1, max: 9 }),
    isGone: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step), steps => {
      const quotas = new DocumentQuotas(() => ({ documentsMax: 3 }))
      const held = new Set<DocumentKey>()
      for (const { tenant, id, isGone } of steps) {
        const doc = docOf(tenant, id)
        if (isGone === held.has(doc)) isGone ? quotas.delete(doc) : quotas.add(doc)
        if (isGone) held.delete(doc)
        else held.add(doc)
      }
      return ['a', 'b'].every(tenant => {
        const count = [...held].filter(doc => doc.startsWith(`${tenant}/`)).length
        const isFull = quotas.fullFor(docOf(tenant, 10)) !== undefined
        return quotas.countOf(tenant) === count && isFull === count >= 3
      })
    }),
  )
  t.end()
})
