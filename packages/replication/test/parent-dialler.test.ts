import { Prng } from '@fanfold/kernel'
import type { LinkEffect, LinkId, LinkInput, PeerIdentity } from '@fanfold/protocol'
import t from 'tap'
import { ParentDialler } from '../src/parent-dialler.ts'

const peer: PeerIdentity = {
  node: 'parent',
  incarnation: '1',
  region: 'local',
  roles: ['proxy'],
  ceiling: 239,
}

/** A dialler on links that open and close when the test says so, and on time that it lets pass. */
function rig(...addresses: string[]) {
  const dialled: string[] = []
  const links: LinkId[] = []
  const closed: string[] = []
  const waits: { delayMs: number; task: () => void }[] = []
  const dialler = new ParentDialler({
    addresses,
    links: {
      dial: address => {
        links.push((links.length + 1) as LinkId)
        dialled.push(address)
        return links.at(-1)
      },
      perform: (effect: LinkEffect) => {
        if (effect.kind === 'link-close') closed.push(dialled[effect.link - 1] ?? '')
      },
    },
    prng: new Prng('dialler'),
    note: () => undefined,
    after: (delayMs, task) => {
      const wait = { delayMs, task }
      waits.push(wait)
      return () => {
        waits.splice(waits.indexOf(wait), 1)
      }
    },
  })
  const tell = (input: LinkInput): void => dialler.notice(input)
  const linkTo = (address: string): LinkId => (dialled.lastIndexOf(address) + 1) as LinkId
  dialler.start()
  return {
    dialler,
    dialled,
    closed,
    waits,
    opens: (address: string) =>
      tell({ kind: 'link-opened', link: linkTo(address), peer, dialled: true }),
    loses: (address: string) =>
      tell({ kind: 'link-closed', link: linkTo(address), reason: 'closed: a test' }),
    timePasses: () => {
      const [wait] = waits.splice(0, 1)
      wait?.task()
      return wait?.delayMs ?? 0
    },
  }
}

t.test('the most preferred parent is dialled, and after a loss the next one at once', async t => {
  const { dialled, waits, opens, loses } = rig('a', 'b', 'c')
  opens('a')
  loses('a')
  t.same(dialled, ['a', 'b'])
  opens('b')
  loses('b')
  t.same(dialled, ['a', 'b', 'a'], 'the most preferred one again')
  t.same(waits, [])
})

t.test('when no parent answers there is a wait, which grows', async t => {
  const { dialled, loses, timePasses } = rig('a', 'b')
  loses('a')
  loses('b')
  t.same(dialled, ['a', 'b'])
  const first = timePasses()
  t.ok(first >= 50 && first <= 100, `${first} ms`)
  t.equal(dialled.length, 3)
  loses('a')
  const second = timePasses()
  t.ok(second >= 100 && second <= 200, `${second} ms`)
  t.same(dialled, ['a', 'b', 'a', 'b'])
})

t.test('a second parent is one of another address, and goes when it is not wanted', async t => {
  const { dialler, dialled, closed, opens } = rig('a', 'b', 'c')
  opens('a')
  dialler.want(2)
  t.same(dialled, ['a', 'b'])
  opens('b')
  t.same(dialled, ['a', 'b'], 'two are enough')
  dialler.want(1)
  t.same(closed, ['b'])
})

t.test('a second parent that is still dialled goes too', async t => {
  const { dialler, closed, opens } = rig('a', 'b')
  opens('a')
  dialler.want(2)
  dialler.want(1)
  t.same(closed, ['b'])
})

t.test('with one address there is one parent', async t => {
  const { dialler, dialled, waits, opens } = rig('a')
  opens('a')
  dialler.want(2)
  t.same(dialled, ['a'])
  t.same(waits, [])
})

t.test('a parent that goes while a second one is there leaves that one', async t => {
  const { dialler, dialled, closed, opens, loses } = rig('a', 'b')
  opens('a')
  dialler.want(2)
  opens('b')
  loses('a')
  dialler.want(1)
  t.same(closed, [])
  t.same(dialled.slice(0, 2), ['a', 'b'])
})

t.test('the wait for a second parent does not hold up the first', async t => {
  const { dialler, dialled, waits, opens, loses } = rig('a', 'b')
  opens('a')
  dialler.want(2)
  loses('b')
  t.equal(waits.length, 1)
  loses('a')
  t.equal(waits.length, 0)
  t.same(dialled, ['a', 'b', 'b'])
})

t.test('what is known of each address is what came of it last', async t => {
  const { dialler, opens, loses } = rig('a', 'b', 'c')
  t.same(dialler.dialled, [{ node: 'a', isOpen: false }])
  loses('a')
  t.same(dialler.dialled, [
    { node: 'a', isOpen: false },
    { node: 'b', isOpen: false },
  ])
  opens('b')
  t.same(dialler.dialled, [{ node: 'b', isOpen: true }])
})

t.test('a dialler that is closed dials no more', async t => {
  const { dialler, dialled, waits, opens, loses } = rig('a', 'b')
  opens('a')
  dialler.close()
  loses('a')
  dialler.want(2)
  t.same(dialled, ['a'])
  t.same(waits, [])
})
