import { countBy, defineDocument, message, reducer, vote } from '@fanfold/definition'
import t from 'tap'
import { WebSocket } from 'ws'
import * as z from 'zod'
import { type Connection, connect, type Observation, type WebSocketClass } from '../src/index.ts'
import { Hole, observeMany } from '../src/many.ts'
import { VirtualNetwork } from './virtual-world.ts'

type Match = { score: { [team: string]: number }; headline: string }

const match = defineDocument({
  type: 'match',
  state: (): Match => ({ score: {}, headline: '' }),
  messages: {
    goal: message(z.object({ team: z.string() }), (state: Match, { team }) => {
      state.score[team] = (state.score[team] ?? 0) + 1
    }),
    title: message(z.string(), (state: Match, text) => {
      state.headline = text
    }),
  },
  reducers: {
    cheer: reducer({
      message: z.object({ team: z.string() }),
      of: cheer => cheer.team,
      into: countBy({ top: 4 }),
      apply: () => undefined,
    }),
    poll: reducer({ message: z.string(), into: vote(), apply: () => undefined }),
  },
})

const paged = defineDocument({
  type: 'paged',
  state: () => ({ pages: {} as { [page: string]: string } }),
  messages: {},
  observe: { allow: () => true },
  viewState: z.object({ page: z.number() }),
  view: (visible, _audience, viewState) => ({ text: visible.pages?.[viewState?.page ?? 0] ?? '' }),
})

const doc = 'acme/match/final'

/** Compiled, never run: what the types let through, and what they refuse. */
export const typed = (live: Connection): void => {
  const observation: Observation<Match> = live.observe<typeof match>(doc)
  observation.subscribe(view => view.headline.length)
  // @ts-expect-error the view has no such member
  observation.subscribe(view => view.title)
  // @ts-expect-error viewers of such documents have no view state
  live.observe<typeof match>(doc).setViewState({ page: 1 })

  const page = live.observe<typeof paged>(doc, { viewState: { page: 1 } })
  page.subscribe(view => view.text.length)
  page.setViewState({ page: 2 })
  // @ts-expect-error a page is a number
  page.setViewState({ page: 'two' })
  // @ts-expect-error a page is a number
  live.observe<typeof paged>(doc, { viewState: { page: 'one' } })

  const all = observeMany<typeof paged, 'fail'>(live, [doc], { missing: 'fail' })
  all.subscribe(views => views[doc]?.text.length)
  const some = observeMany<typeof paged, 'hole'>(live, [doc], { missing: 'hole' })
  some.subscribe(views => {
    const view = views[doc]
    // @ts-expect-error it may be a hole
    view?.text
    return view instanceof Hole ? view.code : view?.text.length
  })
  const kept = [
    live.send<typeof match>(doc, 'goal', { team: 'home' }),
    live.send<typeof match>(doc, 'title', 'final', { id: 'a' }),
    // @ts-expect-error a goal has a team
    live.send<typeof match>(doc, 'goal', { player: 'x' }),
    // @ts-expect-error the value of another message
    live.send<typeof match>(doc, 'goal', 'final'),
    // @ts-expect-error no message of this name
    live.send<typeof match>(doc, 'penalty', {}),
    live.send(doc, 'anything', { at: 'all' }),
  ]
  const added = [
    observation.add('whatever', 1),
    live.observe<typeof match>(doc).add('cheer', { team: 'home' }),
    live.observe<typeof match>(doc).add('poll', 'home', { stamp: 7 }),
    // @ts-expect-error a cheer has a team
    live.observe<typeof match>(doc).add('cheer', { player: 'x' }),
    // @ts-expect-error the value of another reducer
    live.observe<typeof match>(doc).add('cheer', 'home'),
    // @ts-expect-error no reducer of this name
    live.observe<typeof match>(doc).add('goal', { team: 'home' }),
    // @ts-expect-error documents of this type have no reducers
    live.observe<typeof paged>(doc).add('cheer', { team: 'home' }),
    live.observe(doc).add('anything', { at: 'all' }),
  ]
  t.ok(added)
  // @ts-expect-error without a definition nothing is known of the view
  live.observe(doc).subscribe(view => view.headline)
  t.ok(kept)
}

t.test('the WebSocket of ws is one that the client takes', t => {
  const classes: WebSocketClass[] = [WebSocket, new VirtualNetwork().WebSocket]
  for (const one of classes) t.equal(connect('wss://a', { WebSocket: one }).status, 'idle')
  t.equal(typeof typed, 'function')
  t.end()
})
