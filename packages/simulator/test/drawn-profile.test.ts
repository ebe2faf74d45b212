import { Prng } from '@fanfold/kernel'
import t from 'tap'
import type { DrawnOptions } from '../src/drawn-options.ts'
import { drawProfile } from '../src/drawn-profile.ts'
import { drawWorld, numberedSeed, worldNames } from '../src/drawn-world.ts'
import { ProfiledWrites } from '../src/write-profile.ts'

const drawnOf = (drawn: DrawnOptions, count = 400) =>
  Array.from({ length: count }, (_, number) => drawProfile(new Prng(`${number}`), drawn))

const profileOf = ({ writeProfile }: DrawnOptions) =>
  writeProfile?.kind === 'summary' ? writeProfile : undefined

t.test('about a fifth of the worlds have a profile, and each profile is met', async t => {
  const names = drawnOf({}).map(options => profileOf(options)?.name)
  const some = names.filter(name => name !== undefined)
  t.ok(some.length > 50 && some.length < 110, `${some.length} of 400`)
  t.same([...new Set(some)].sort(), [
    'editing session',
    'election night',
    'live timing',
    'live timing from large',
  ])
})

t.test('worlds without writes, of many documents or of the slowest links have none', async t => {
  for (const options of [{ writes: 0 }, { documents: 40 }, { linkBytesPerSecond: 1_000 }]) {
    t.ok(drawnOf(options).every(drawn => Object.keys(drawn).length === 0))
  }
})

t.test('a document that is large from the beginning has the size of a feed', async t => {
  const full = drawnOf({ linkBytesPerSecond: 4_000 }).filter(
    drawn => (profileOf(drawn)?.beginBytes ?? 0) > 0,
  )
  t.ok(full.length > 5)
  for (const drawn of full) {
    const profile = profileOf(drawn)
    t.ok(profile)
    if (profile === undefined) continue
    const { beginBytes, beginMessages } = profile
    t.ok(beginBytes >= 43_000 && beginBytes < 72_000)
    t.ok(beginBytes / beginMessages <= 48_000, 'a text holds each part of it')
    t.ok((drawn.linkBytesPerSecond ?? 0) >= 200_000, 'and links are quick enough for it')
  }
})

t.test('a world of a given size has no more messages for its profile', async t => {
  for (const world of worldNames) {
    for (let number = 0; number < 200; number++) {
      const drawn = drawWorld({ world, seed: numberedSeed(world, number), nodes: 20 })
      t.ok((drawn.writes ?? 0) <= 40)
    }
  }
})

t.test('every summary reaches from the smallest size to the largest', async t => {
  const profiles = new Map(drawnOf({}).map(drawn => [profileOf(drawn)?.name, profileOf(drawn)]))
  for (const profile of profiles.values()) {
    if (profile === undefined) continue
    const writes = new ProfiledWrites({ profile, prng: new Prng('sizes'), documents: 1 })
    for (const { bytes } of writes.next(5_000, 1_000)) t.ok(bytes >= 20 && bytes <= 72_000)
  }
})
