import {
  type DocumentKey,
  encodeLinkFrame,
  type LinkEffect,
  parseDocumentKey,
} from '@fanfold/protocol'
import t from 'tap'
import { ChildLinks } from '../src/child-links.ts'
import { link } from './build-stream.ts'

const peer = { node: 'n1', incarnation: '1', region: 'r', roles: [], ceiling: 239 }
const keys: readonly DocumentKey[] = Array.from({ length: 5_000 }, (_, at) =>
  parseDocumentKey(`acme/match/m${at}`),
)

/** Links of children that have asked for very many documents, and who has left which. */
function linksOf(...children: readonly number[]): { links: ChildLinks; left: string[] } {
  const left: string[] = []
  const effects: LinkEffect[] = []
  const links = new ChildLinks({
    join: () => undefined,
    downstream: () => undefined,
    left: (doc, id) => left.push(`${id} ${doc}`),
    flush: () => undefined,
    variant: () => undefined,
    signal: () => undefined,
  })
  for (const child of children) {
    links.receive({ kind: 'link-opened', link: link(child), peer, dialled: false }, effects)
    for (const doc of keys) {
      const join = {
        kind: 'join',
        doc,
        have: undefined,
        credit: 1,
        take: 'any',
        codecs: 0,
      } as const
      const frame = encodeLinkFrame(join)
      links.receive({ kind: 'link-frame', link: link(child), frame }, effects)
    }
  }
  return { links, left }
}

t.test('very many documents hear in turns that their child is gone, each once', async t => {
  const { links, left } = linksOf(1, 2)
  links.receive({ kind: 'link-closed', link: link(1), reason: 'gone' }, [])
  t.equal(links.count, 1)
  const turns = [left.length]
  for (; links.hasBusy && turns.length < 10; turns.push(left.length)) links.flushNext([])
  t.same(turns, [2_048, 4_096, 5_000])
  t.same(
    left,
    keys.map(doc => `1 ${doc}`),
  )
})

t.test('children that go one after the other leave one after the other', async t => {
  const { links, left } = linksOf(1, 2)
  for (const child of [1, 2]) {
    links.receive({ kind: 'link-closed', link: link(child), reason: 'gone' }, [])
  }
  for (let turn = 0; turn < 10 && links.hasBusy; turn++) links.flushNext([])
  t.notOk(links.hasBusy)
  t.same(
    left,
    [1, 2].flatMap(child => keys.map(doc => `${child} ${doc}`)),
  )
})
