import t from 'tap'
import { keepLatest } from '../src/token-key.ts'

const init = {
  headers: new Headers(),
  method: 'GET' as const,
  redirect: 'manual' as const,
  signal: AbortSignal.abort(),
}

/** A fetch that gives one answer after the other. */
function answers(...list: readonly (Response | Error)[]): () => Promise<string> {
  const rest = [...list]
  const fetchKeys = keepLatest(async () => {
    const next = rest.shift()
    if (next instanceof Response) return next
    throw next
  })
  return async () => await (await fetchKeys('https://a', init)).text()
}

t.test('published keys are those of the latest good answer', async t => {
  const ask = answers(
    new Response('one'),
    new Error('no network'),
    new Response('broken', { status: 500 }),
    new Response('x'.repeat(262_145)),
    new Response('two'),
    new Error('no network'),
  )
  for (const keys of ['one', 'one', 'one', 'one', 'two', 'two']) t.equal(await ask(), keys)
})

t.test('before the first good answer a failure is a failure', async t => {
  const ask = answers(
    new Error('no network'),
    new Response('', { status: 404 }),
    new Response('one'),
  )
  await t.rejects(ask(), /no network/)
  await t.rejects(ask(), /status 404/)
  t.equal(await ask(), 'one')
})
