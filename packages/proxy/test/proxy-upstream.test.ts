import t from 'tap'
import {
  doc,
  framesOf,
  link,
  parent,
  positionAt,
  Rig,
  records,
  snapshot,
  welcome,
} from './build-proxy.ts'

/** There is no such document, as the parent says each time that it is asked. */
const refused = {
  kind: 'refused',
  doc,
  code: 'FANFOLD_NO_DOCUMENT',
  message: 'there is none',
  retryAfterMs: 0,
} as const

/** What the parent is sent, without what tells of viewers, while so many children come, go and come back. */
function sentUpward(childCount: number): unknown[] {
  const rig = new Rig()
  const children = Array.from({ length: childCount }, (_, index) => link(index + 1))
  rig.open(parent)
  for (const id of children) rig.open(id)
  for (const id of children) rig.join(id)
  rig.frame(parent, welcome('snapshot', 10), ...snapshot(10))
  for (let seq = 11; seq <= 30; seq++) rig.frame(parent, records(seq, seq))
  for (const id of children) rig.close(id)
  for (const id of children) rig.open(id)
  // Back at another place: half of them where they were, the others with nothing.
  for (const [index, id] of children.entries()) rig.join(id, index % 2 ? positionAt(20) : undefined)
  rig.pass(100)
  rig.frame(parent, records(31, 60))
  return rig.sent(parent).filter(({ kind }) => kind !== 'signal')
}

t.test('what a proxy asks of its parent does not grow with its children', async t => {
  const one = sentUpward(1)
  t.match(one, [{ kind: 'join' }])
  t.same(sentUpward(2), one)
  t.same(sentUpward(90), one)
})

t.test(
  'who has the document from this proxy is no parent of it, a proxy that gives it no child',
  async t => {
    const rig = new Rig()
    rig.open(parent, 239, { node: 'other' })
    rig.open(link(1), 239, { node: 'other', roles: ['proxy'] })
    rig.open(link(2), 239, { node: 'other', roles: ['edge'] })
    rig.join(link(1))
    rig.join(link(2))
    rig.frame(parent, welcome('snapshot', 10), ...snapshot(10))
    const effects = rig.effects()
    t.match(framesOf(effects, link(2)).at(0), { kind: 'welcome' })
    rig.join(link(1))
    t.match(rig.sent(link(1)), [{ kind: 'refused', code: 'FANFOLD_NO_PARENT' }])
    rig.close(parent)
    rig.open(link(3), 239, { node: 'other', roles: ['proxy'] })
    rig.join(link(3))
    t.match(
      rig.sent(link(3)).at(0),
      { kind: 'welcome' },
      'what it has it gives when it has it from nobody',
    )
  },
)

t.test('a document that the parent refuses for ever goes when nobody below wants it', async t => {
  const rig = new Rig()
  rig.open(parent)
  rig.open(link(1))
  rig.join(link(1))
  rig.frame(link(1), { kind: 'leave', doc })
  for (let times = 0; times < 60 && rig.proxy.documentCount > 0; times++) {
    if (rig.sent(parent).some(({ kind }) => kind === 'join')) rig.frame(parent, refused)
    rig.pass(100)
  }
  t.equal(rig.proxy.documentCount, 0)
})
