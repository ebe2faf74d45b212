import t from 'tap'
import { define, nobody, Observed } from './build-view.ts'

/** Looks at what is visible, while it can be looked at. */
function look(
  state: ConstructorParameters<typeof Observed>[1],
  see: (visible: Record<string, unknown>) => void,
): void {
  let isSeen = false
  const definition = define(
    { '/secret': nobody, '/deep/secret': nobody, '/list/1': nobody, '/list/*/secret': nobody },
    {
      view(visible) {
        if (!isSeen) see(visible as Record<string, unknown>)
        isSeen = true
        return {}
      },
    },
  )
  const { cohort } = new Observed(definition, state)
  if (cohort.failure !== undefined) throw cohort.failure.error
}

const state = () => ({
  secret: 's',
  open: { a: [1, { b: null }] },
  deep: { secret: 1, kept: 2 },
  list: [{ secret: 1, a: 1 }, 'hidden', 'last'],
})
const seen = {
  open: { a: [1, { b: null }] },
  deep: { kept: 2 },
  list: [{ a: 1 }, 'last'],
}

t.test('keys, spread, JSON and in show what is visible and nothing else', async t => {
  look(state(), visible => {
    t.same(Object.keys(visible), ['open', 'deep', 'list'])
    t.equal(JSON.stringify(visible), JSON.stringify(seen))
    t.same(Object.keys({ ...visible }), ['open', 'deep', 'list'])
    t.equal('secret' in visible, false)
    t.equal('open' in visible, true)
    t.equal(visible['secret'], undefined)
    t.equal(Object.hasOwn(visible, 'secret'), false)
    t.equal(Object.getOwnPropertyDescriptor(visible, 'secret'), undefined)
    t.same(Object.entries(Object(visible['deep'])), [['kept', 2]])
    t.equal(String(visible), '[object Object]')
    const names: string[] = []
    for (const name in visible) names.push(name)
    t.same(names, ['open', 'deep', 'list'])
  })
})

t.test('an array is an array: length, iteration and methods', async t => {
  look(state(), visible => {
    const list = visible['list'] as readonly unknown[]
    t.ok(Array.isArray(list))
    t.equal(list.length, 2)
    t.equal(list.at(-1), 'last')
    t.equal(list.indexOf('last'), 1)
    t.same(
      list.map(element => typeof element),
      ['object', 'string'],
    )
    t.equal([...list].length, 2)
    t.same(list.slice(1), ['last'])
    t.equal(list.includes('hidden'), false)
    t.same(Object.keys(list), ['0', '1'])
    const whole = Object(visible['open']).a as readonly unknown[]
    t.ok(Array.isArray(whole))
    t.equal(JSON.stringify(whole.toReversed()), '[{"b":null},1]')
  })
})

t.test('the same place is the same object', async t => {
  look(state(), visible => {
    t.equal(visible['open'], visible['open'])
    t.equal(visible['deep'], visible['deep'])
    t.equal(Object(visible['list'])[0], Object(visible['list'])[0])
  })
})

t.test('every write throws', async t => {
  look(state(), visible => {
    const places = [visible, visible['deep'], visible['list'], visible['open']].map(Object)
    for (const place of places) {
      t.throws(() => Reflect.set(place, 'x', 1), TypeError)
      t.throws(() => Reflect.deleteProperty(place, 'kept'), TypeError)
      t.throws(() => Object.defineProperty(place, 'x', { value: 1 }), TypeError)
      t.throws(() => Object.setPrototypeOf(place, null), TypeError)
      t.throws(() => Object.freeze(place), TypeError)
    }
    t.throws(() => Object(visible['list']).push(1), TypeError)
    t.throws(() => Object(visible['open']).a.sort(), TypeError)
  })
})

t.test('nothing can be looked at once the view is made', async t => {
  const kept: object[] = []
  look(state(), visible => {
    kept.push(visible, Object(visible['deep']), Object(visible['list']), Object(visible['open']))
  })
  for (const place of kept) t.throws(() => JSON.stringify(place), TypeError)
})

t.test('only what the view looks at is filtered', async t => {
  const asked: string[] = []
  const definition = define(
    {
      '/rooms/*': (_, { key }) => {
        asked.push(key)
        return true
      },
    },
    { view: visible => ({ one: Object(visible).rooms.r7 ?? null }) },
  )
  const rooms = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`r${index}`, index]))
  t.same(new Observed(definition, { rooms }).view, { one: 7 })
  t.ok(asked.length > 0 && asked.every(key => key === 'r7'))
})
