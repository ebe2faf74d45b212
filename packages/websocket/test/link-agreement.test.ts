import type { LinkAgreement } from '@fanfold/websocket'
import t from 'tap'
import { until } from './client-rig.ts'
import { testAuthenticator } from './link-authenticator.ts'
import { serve, side, untilInput } from './link-side.ts'

/** Has this configured view, and takes note of whoever has another; refuses those unless it is tolerant. */
function agreementOf(configuredView: string, isTolerant = false) {
  const differing: { node: string; view: string }[] = []
  const agreement: LinkAgreement = {
    configuredView,
    refusalOf: (peer, view) => {
      if (view === configuredView) return undefined
      differing.push({ node: peer.node, view })
      return isTolerant ? undefined : `${view} is not ${configuredView}`
    },
  }
  return { agreement, differing }
}

t.test('nodes that are set differently refuse each other, each for itself', async t => {
  const [one, other] = [agreementOf('[["a",1]]'), agreementOf('[["a",2]]')]
  const dialler = side(t, { authenticator: testAuthenticator({ node: 'a' }), ...one })
  const listener = side(t, { authenticator: testAuthenticator({ node: 'b' }), ...other })
  dialler.links.dial(`ws://127.0.0.1:${await serve(t, listener)}`)
  const { reason } = await untilInput(dialler, 'link-closed')
  t.equal(reason, 'FANFOLD_VIEW_DIFFERS: [["a",2]] is not [["a",1]]')
  await until(() => listener.links.stats().closes['FANFOLD_VIEW_DIFFERS'] === 1)
  t.same(one.differing, [{ node: 'b', view: '[["a",2]]' }])
  t.same(other.differing, [{ node: 'a', view: '[["a",1]]' }])
  t.equal(dialler.inputs.length, 1)
  t.same(listener.inputs, [])
})

t.test('who is refused for its settings is told so with 4511', async t => {
  const [one, other] = [agreementOf('[]', true), agreementOf('[["a",2]]')]
  const dialler = side(t, { authenticator: testAuthenticator({ node: 'a' }), ...one })
  const listener = side(t, { authenticator: testAuthenticator({ node: 'b' }), ...other })
  dialler.links.dial(`ws://127.0.0.1:${await serve(t, listener)}`)
  const { reason } = await untilInput(dialler, 'link-closed')
  t.match(reason, /^view-differs: FANFOLD_VIEW_DIFFERS: \[\] is not/)
})

t.test(
  'nodes that are set alike have links, and so have those that are part of no fleet',
  async t => {
    for (const [ours, theirs] of [
      ['[["a",1]]', '[["a",1]]'],
      ['[["a",1]]', undefined],
      [undefined, '[["a",1]]'],
    ]) {
      const given = (view: string | undefined) => (view === undefined ? {} : agreementOf(view))
      const dialler = side(t, { authenticator: testAuthenticator({ node: 'a' }), ...given(ours) })
      const listener = side(t, {
        authenticator: testAuthenticator({ node: 'b' }),
        ...given(theirs),
      })
      dialler.links.dial(`ws://127.0.0.1:${await serve(t, listener)}`)
      t.match(await untilInput(dialler, 'link-opened'), { peer: { node: 'b' } })
      t.match(await untilInput(listener, 'link-opened'), { peer: { node: 'a' } })
    }
  },
)
