import type { LinkId, LinkInput } from '@fanfold/protocol'
import { LinkSockets, linkLimitsDefault, TurnShare, UpgradeRouter } from '@fanfold/websocket'
import t, { type Test } from 'tap'
import { until } from './client-rig.ts'
import { listen } from './http-server.ts'
import { testAuthenticator } from './link-authenticator.ts'
import { ManualClock } from './manual-clock.ts'

/** What a dialler learns of a peer whose token has these roles, and what the peer learns of it. */
async function dial(
  t: Test,
  roles: readonly string[],
): Promise<{ readonly dialler: LinkInput[]; readonly listener: LinkInput[] }> {
  let links = 0
  const side = (inputs: LinkInput[], authenticator = testAuthenticator({ node: 'n', roles })) => {
    const clock = new ManualClock()
    const sockets = new LinkSockets({
      authenticator,
      nextLink: () => ++links as LinkId,
      report: input => inputs.push(input),
      limits: linkLimitsDefault,
      clock,
      share: new TurnShare(clock),
    })
    t.teardown(() => sockets.close())
    return sockets
  }
  const seen = { dialler: [] as LinkInput[], listener: [] as LinkInput[] }
  const router = new UpgradeRouter({ origins: [], connectionsMax: 10 })
  router.add('', { link: side(seen.listener) })
  side(seen.dialler).dial(`ws://127.0.0.1:${(await listen(t, router)).port}`)
  await until(() => seen.dialler.length > 0)
  return seen
}

t.test(
  'a node dials parents: one that may only be an edge is refused, and never opens',
  async t => {
    const { dialler, listener } = await dial(t, ['edge'])
    t.match(dialler, [{ kind: 'link-closed', reason: /^FANFOLD_BAD_TOKEN: / }])
    await until(() => listener.some(({ kind }) => kind === 'link-closed'))
    t.match(listener.at(-1), { reason: /^unauthorized: / })
  },
)

t.test('an authority and a proxy are parents, whatever else they are', async t => {
  for (const roles of [['authority'], ['proxy'], ['edge', 'proxy']]) {
    const { dialler } = await dial(t, roles)
    t.match(dialler, [{ kind: 'link-opened', dialled: true, peer: { roles } }])
  }
})
