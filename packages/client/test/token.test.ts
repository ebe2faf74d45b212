import t from 'tap'
import { fetchToken, renewalDelayMs } from '../src/token.ts'
import { tokenUntil } from './tokens.ts'

const nowMs = 1_700_000_000_000

t.test('a token is a text, or what a function returns now or later', async t => {
  t.equal(await fetchToken('a'), 'a')
  t.equal(await fetchToken(() => 'b'), 'b')
  t.equal(await fetchToken(async () => 'c'), 'c')
  await t.rejects(
    fetchToken(() => {
      throw new Error('no')
    }),
    { message: 'no' },
  )
})

t.test('a token is renewed when 70 to 90 percent of its life are over', t => {
  const token = tokenUntil(nowMs + 100_000)
  t.equal(renewalDelayMs(token, nowMs, 0), 70_000)
  t.equal(Math.round(renewalDelayMs(token, nowMs, 1) ?? 0), 90_000)
  t.end()
})

t.test('never at once and never later than in a day', t => {
  t.equal(renewalDelayMs(tokenUntil(nowMs - 1_000), nowMs, 0), 1_000)
  t.equal(renewalDelayMs(tokenUntil(nowMs + 1e12), nowMs, 0), 86_400_000)
  t.end()
})

t.test('a token that does not say when it ends is not renewed', t => {
  for (const token of [
    '',
    'opaque',
    'a.b.c',
    'a.!.c',
    `a.${btoa('{"sub":"x"}')}.c`,
    `a.${btoa('1')}.c`,
  ]) {
    t.equal(renewalDelayMs(token, nowMs, 0), undefined, token)
  }
  t.end()
})
