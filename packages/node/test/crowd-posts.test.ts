import type { EdgeInput } from '@fanfold/edge'
import { encodeUtf8 } from '@fanfold/kernel'
import {
  type CohortId,
  encodeViewerFrame,
  type Grants,
  parseDocumentKey,
  type ViewerFrame,
  type ViewerId,
} from '@fanfold/protocol'
import t, { type Test } from 'tap'
import { CrowdPosts, type CrowdPostsOptions } from '../src/crowd-posts.ts'

const doc = parseDocumentKey('acme/match/final')
const grants = (subject = 'ada'): Grants => ({
  subject,
  tenant: undefined,
  documents: ['**'],
  allow: ['observe'],
  claims: {},
  expiresAtMs: undefined,
})

/** Posts, and what the edge is told. */
function rig(options: Partial<CrowdPostsOptions> = {}) {
  const inputs: EdgeInput[] = []
  let last = 0
  const posts = new CrowdPosts({
    submit: input => inputs.push(input),
    nextViewer: () => ++last as ViewerId,
    perSecondMax: 10,
    burst: 20,
    nowMs: () => 0,
    ...options,
  })
  const say = (isAsync = false, subject = 'ada') =>
    posts.say({ grants: grants(subject), doc, reducer: 'cheer', value: 'home', isAsync })
  const enter = (viewer = 1) =>
    posts.perform({
      kind: 'cohort-enter',
      cohort: 1 as CohortId,
      viewer: viewer as ViewerId,
      mark: 0,
    })
  type Small = Exclude<ViewerFrame, { type: 'snapshot' | 'snapshot-piece' | 'delta' }>
  const send = (frame: Small, viewer = 1) =>
    posts.perform({
      kind: 'viewer-send',
      viewer: viewer as ViewerId,
      frame: encodeViewerFrame(frame),
    })
  const kinds = () =>
    inputs
      .splice(0)
      .map(input => (input.kind === 'viewer-requested' ? input.request.type : input.kind))
  return { posts, inputs, say, enter, send, kinds }
}

const rejected = (t: Test, outcome: unknown, code: string, more: object = {}) =>
  t.match(outcome, { kind: 'rejected', code, ...more })

t.test('it observes, says it once it is let in, and goes when it is counted', async t => {
  const { posts, say, enter, send, kinds } = rig()
  const outcome = say()
  t.same(kinds(), ['viewer-opened', 'observe'])
  const large = encodeUtf8(JSON.stringify({ type: 'snapshot', view: 'x'.repeat(5_000) }))
  t.ok(posts.perform({ kind: 'viewer-send', viewer: 1 as ViewerId, frame: large }))
  t.same(kinds(), [])
  enter()
  enter()
  t.same(kinds(), ['add'], 'once')
  send({ type: 'counted', doc, id: 1 })
  t.same(await outcome, { kind: 'counted' })
  t.same(kinds(), ['viewer-closed'])
  t.notOk(send({ type: 'counted', doc, id: 1 }), 'it is no viewer of posts any more')
  t.notOk(enter(7), 'nor are those of others')
})

t.test('what is refused or rejected says why', async t => {
  const { say, enter, send } = rig()
  const first = say()
  send({ type: 'refused', doc, code: 'FANFOLD_FORBIDDEN', message: 'no' })
  rejected(t, await first, 'FANFOLD_FORBIDDEN')
  const second = say()
  enter(2)
  const reducer = 'cheer'
  send(
    { type: 'rejected', doc, reducer, code: 'FANFOLD_BUSY', message: 'later', retryAfter: 700 },
    2,
  )
  rejected(t, await second, 'FANFOLD_BUSY', { retryAfterMs: 700 })
})

t.test('once it is said, the end of the document is no answer: that follows', async t => {
  const { say, enter, send } = rig()
  const outcome = say()
  enter()
  send({ type: 'refused', doc, code: 'FANFOLD_SET_ASIDE', message: 'later', retryAfter: 700 })
  send({ type: 'left', doc, reason: 'deleted' })
  send({ type: 'unknown', doc, id: 1 })
  t.same(await outcome, { kind: 'unknown' })
})

t.test('who does not want to wait is answered when it is in the sums', async t => {
  const { inputs, say, enter, send } = rig()
  const outcome = say(true)
  enter()
  t.match(inputs.at(-1), { request: { type: 'add', id: undefined } })
  t.same(await outcome, { kind: 'accepted' })
  const refused = say(true)
  enter(2)
  send({ type: 'rejected', doc, reducer: 'cheer', code: 'FANFOLD_NO_REDUCER', message: 'no' }, 2)
  rejected(t, await refused, 'FANFOLD_NO_REDUCER')
})

t.test(
  'when it takes too long, or the edge goes, nobody can tell, or nothing was done',
  async t => {
    const { say, enter, kinds } = rig({ waitMaxMs: 1 })
    const outcomes = [say(), say()]
    enter(2)
    const [first, second] = await Promise.all(outcomes)
    rejected(t, first, 'FANFOLD_BUSY')
    t.same(second, { kind: 'unknown' })
    t.equal(kinds().filter(kind => kind === 'viewer-closed').length, 2)
    const { posts, say: sayMore, enter: enterMore } = rig()
    const late = [sayMore(), sayMore()]
    enterMore(2)
    posts.close()
    const [never, maybe] = await Promise.all(late)
    rejected(t, never, 'FANFOLD_BUSY')
    t.same(maybe, { kind: 'unknown' })
  },
)

t.test('a voice says so much in a second, whatever the requests', async t => {
  let nowMs = 0
  const { posts, say } = rig({ burst: 2, perSecondMax: 2, nowMs: () => nowMs })
  const waiting = [say(), say()]
  rejected(t, await say(), 'FANFOLD_OVERLOADED', { retryAfterMs: 500 })
  waiting.push(say(false, 'bob'))
  nowMs = 500
  waiting.push(say())
  rejected(t, await say(), 'FANFOLD_OVERLOADED')
  posts.close()
  t.equal((await Promise.all(waiting)).length, 4)
})

t.test('so many requests wait, and one more comes again', async t => {
  const { posts, say, inputs } = rig({ burst: 2_000 })
  const waiting = Array.from({ length: 1_000 }, () => say())
  const before = inputs.length
  rejected(t, await say(), 'FANFOLD_OVERLOADED')
  t.equal(inputs.length, before, 'the edge does not hear of it')
  posts.close()
  await Promise.all(waiting)
})
