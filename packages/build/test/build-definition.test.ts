import { join } from 'node:path'
import type { EdgeDefinition } from '@fanfold/definition'
import { watchedBy } from '@fanfold/definition'
import t from 'tap'
import { buildDefinition, evaluateEdgeVariant } from '../src/index.ts'
import { build, definitionWith, refusals, textSchema } from './project.ts'

const canary = /CANARY/

t.test(
  'nothing of handlers, schemas, the first state and what they import is in a variant',
  async t => {
    const files = {
      'definition.ts': `
      import { defineDocument, message, nobody, presence as told, reducer, watched as seen } from 'fanfold'
      import { apply as applyCheers, schema } from './direct.ts'
      import * as everything from './all.ts'
      import byDefault from './default.ts'
      import { isOpen } from './shared.ts'
      import { budget, viewState } from './budget.ts'
      import { tally } from './tally.ts'
      import type { Match } from './match.ts'
      const secret = 'CANARY in a constant'
      const made = everything.make('CANARY in a call')
      function helper() { return secret + made }
      export const unused = 'CANARY that is exported'
      export { byDefault as renamed }
      export default defineDocument({
        type: 'match',
        state: (): Match => ({ score: {}, note: 'CANARY in state' + helper() }),
        messages: {
          goal: message(schema, (match) => { match.note = byDefault('CANARY in a handler') }),
        },
        reducers: {
          cheer: reducer({
            message: schema,
            of: cheer => cheer.team,
            into: tally(),
            apply(match, sum) { applyCheers(match, sum, 'CANARY in apply') },
          }),
        },
        watched: {
          heat: seen({
            everyMs: 500,
            of: viewState => viewState?.team,
            into: tally(),
            apply(match, sum) { applyCheers(match, sum, 'CANARY in what is done with looks') },
          }),
        },
        presence: told({ apply: (match, viewers) => applyCheers(match, viewers, 'CANARY in presence') }),
        crowd: { aggregatesPerSecond: budget('CANARY of the budget') },
        observe: { allow: viewer => isOpen(viewer) },
        privacy: { '/note': nobody },
        viewState,
      })
    `,
      'match.ts': `export interface Match { score: object; note: string } // CANARY in a comment`,
      'direct.ts': `
      import { deep } from './deep.ts'
      import { z } from './schemas.ts'
      export const schema = z('CANARY of a schema')
      export const apply = (...all: unknown[]) => deep(all)
    `,
      'budget.ts': `
      const note = ['CANARY beside the budget'].join()
      export const budget = (text: string) => (text + note).length
      export const viewState = { '~standard': { version: 1, vendor: 'CANARY of a view state',
        validate: value => ({ value }),
        jsonSchema: { input: () => ({ type: 'object' }), output: () => ({ type: 'object' }) } } }
    `,
      'schemas.ts': `export const z = (note: string) => (${textSchema.replace("'test'", "'test' + (note ? '' : note)")})`,
      'deep.ts': `const key = ['CANARY', Date.now()].join(); export const deep = (all: unknown[]) => [key, all]`,
      'all.ts': `export * from './again.ts'; export { other } from './deep-again.ts'`,
      'again.ts': `export const make = (text: string) => 'CANARY re-exported' + text`,
      'deep-again.ts': `export const other = () => 'CANARY re-exported by name'`,
      'default.ts': `export default (text: string) => 'CANARY by default' + text`,
      'tally.ts': `
      import { countBy } from 'fanfold'
      import { forApply } from './for-apply.ts'
      export const tally = () => countBy({ top: 9 })
      export const table = { a: forApply, b: 'CANARY of a table' }
    `,
      'for-apply.ts': `export const forApply = () => 'CANARY of the shared module of a shared module'`,
      'shared.ts': `
      import { forApply } from './for-apply.ts'
      export const isOpen = (viewer: { id: string }) => !banned.includes(viewer.id)
      const banned = ['mallory']
      export const secretText = 'CANARY beside a rule'
      const start = 'CANARY'
      export const secretTemplate = \`\${start} in a template\`
      export const secretSum = start + ' in a sum'
      export const secretList = [{ a: start }, -1 * 60, start ? 'CANARY' : 1]
      export class Secret { static text = 'CANARY of a class'; static f = () => start; text = 'CANARY' }
      export const SecretExpression = class extends Secret { static more = 'CANARY' }
      export function secretFunction() { return forApply() + 'CANARY of a function' }
    `,
    }
    const built = await build(t, files)
    t.match(built.authority.code, canary)
    t.match(built.definition.state(), { note: canary })
    const [edge] = built.edges
    t.equal(built.edges.length, 1)
    t.notMatch(edge?.code, canary)
    t.notMatch(edge?.code, /definition\.ts|testdir|shared\.ts/)
    const variant = evaluateEdgeVariant(edge?.code ?? '')
    t.equal(variant.observe?.allow({ id: 'mallory', claims: {} }), false)
    t.equal(variant.observe?.allow({ id: 'ann', claims: {} }), true)
    const names = (paths: readonly string[] = []): string[] =>
      paths.map(path => path.replace(/^.*\//, '')).toSorted()
    const within = edge?.inputs.filter(({ bytes }) => bytes > 0) ?? []
    t.same(names(within.map(({ path }) => path)), ['definition.ts', 'shared.ts', 'tally.ts'])
    t.ok(edge?.inputs.some(({ path, bytes }) => path.endsWith('for-apply.ts') && bytes === 0))
    t.ok(names(edge?.leftOut).includes('direct.ts'))
    t.same(edge?.cut.toSorted(), [
      'crowd',
      'messages',
      'presence',
      'reducers.cheer.apply',
      'state',
      'watched.heat.apply',
    ])
    t.same(edge?.kept.toSorted(), [
      'observe',
      'privacy./note',
      'reducers.cheer.into',
      'reducers.cheer.message',
      'reducers.cheer.of',
      'type',
      'viewState',
      'watched.heat.everyMs',
      'watched.heat.into',
      'watched.heat.of',
    ])
    t.notMatch(edge?.code, /presence|crowd|aggregates/)
    t.same(built.definition.crowd.aggregatesPerSecond, 44)
    const { watched } = variant as EdgeDefinition
    t.match(watched['heat'], { everyMs: 500, into: { shape: 'top/9' } })
    t.same(watchedBy({ watched }, 'heat', { team: 'home' }), { ok: true, operand: 'home' })
  },
)

const labelled = definitionWith(`
  observe: { allow: () => true, clearance: () => 2 },
  labels: { '/odds': 1, '/roles/*': 2, '/roles/*/deep': 1 },
  privacy: {
    '/open': nobody,
    '/odds': (_, { key }) => key === 'rule of odds',
    '/odds/more': (_, { key }) => key === 'rule of more odds',
    '/roles/*': { reads: ['/open'], allow: (_, { key }) => key === 'rule of roles' },
    '/roles': (_, { key }) => key === 'rule above roles',
    '/roles/*/deep/er': (_, { key }) => key === 'rule deeper',
    '/**': everybody,
  },`)

t.test('there is a variant for each ceiling, without what is above it', async t => {
  const { edges } = await build(t, { 'definition.ts': labelled })
  t.same(
    edges.map(({ ceiling }) => ceiling),
    [0, 1, 2],
  )
  const [zero, one, two] = edges.map(({ code }) => code)
  t.notMatch(zero, /odds|\/roles\/|rule of roles|deeper/)
  t.match(zero, /rule above roles/)
  t.match(one, /rule of odds.*rule of more odds/)
  t.notMatch(one, /\/roles\/\*"|rule of roles|deeper/)
  t.match(two, /rule of roles.*deeper/)
  t.same(edges[0]?.cut.toSorted(), [
    'labels./odds',
    'labels./roles/*',
    'labels./roles/*/deep',
    'messages',
    'privacy./odds',
    'privacy./odds/more',
    'privacy./roles/*',
    'privacy./roles/*/deep/er',
    'state',
  ])
  for (const { ceiling, code } of edges) {
    const { labels, rules } = evaluateEdgeVariant(code)
    t.ok(labels.every(({ label }) => label <= ceiling))
    t.equal(rules.length, [2, 4, 6][ceiling])
  }
})

t.test('equal sources give equal hashes, wherever they lie', async t => {
  const directory = t.testdir({
    one: { 'definition.ts': labelled },
    two: { deeper: { 'definition.ts': labelled } },
    three: { 'definition.ts': labelled.replace('rule of roles', 'Rule of roles') },
  })
  const hashes = async (name: string): Promise<string[]> => {
    const { authority, edges } = await buildDefinition(join(directory, name, 'definition.ts'))
    return [authority, ...edges].map(({ hash }) => hash)
  }
  const one = await hashes('one')
  t.same(await hashes('two/deeper'), one)
  const three = await hashes('three')
  t.same(three.slice(1, 3), one.slice(1, 3), 'a rule that is cut is not in the hash')
  t.notSame(three[3], one[3])
})

t.test('the literal may be written in any way that can be read', async t => {
  const { edges } = await build(t, {
    'definition.ts': `
      import { type JsonObject, defineDocument as define, nobody, message as on } from 'fanfold'
      type State = { readonly odds: number, note: string }
      const type = 'match' as const
      let mine = 'CANARY'
      export default (define</* a comment */State, {}>((({
        // before
        type, /* CANARY */
        state(): State { return { odds: 1, note: 'CANARY' } },
        'messages': {} satisfies object, // behind
        /** of what follows */
        "observe": { allow({ id }) { return id !== 'x' } } as any,
        privacy: ({
          '/odds'(audience: any) { return audience.id! === 'ann' },
          "/note": <any>nobody, // the last
        } as const) satisfies object,
        labels: { '/odds': (1 as number), },
        view(visible, audience) { return { ...visible, id: audience.id } },
      }) satisfies object))!) as any
      interface Later { a: 1 }
      declare const ambient: string
    `,
  })
  t.equal(edges.length, 2)
  for (const { code } of edges) t.notMatch(code, canary)
  const variant = evaluateEdgeVariant(edges[1]?.code ?? '')
  t.equal(variant.type, 'match')
  t.equal(variant.observe?.allow({ id: 'x', claims: {} }), false)
  t.equal(variant.rules.length, 2)
  t.same(variant.view?.({ a: 1 }, { id: 'ann' }, undefined), { a: 1, id: 'ann' })
})

t.test('a module of JavaScript loses the imports that nothing is left of', async t => {
  const directory = t.testdir({
    'definition.mjs': `
      import def, { secret, rule as mine } from './both.mjs'
      import { defineDocument } from '@fanfold/definition'
      export default defineDocument({
        type: 'match', state: () => ({ a: secret, b: def }), messages: {}, privacy: { '/a': mine },
      })`,
    'both.mjs': `export { secret } from './secret.mjs'; export { default } from './secret.mjs'
      export const rule = () => true`,
    'secret.mjs': `export const secret = 'CANARY'; export default 'CANARY'`,
  })
  const { edges } = await buildDefinition(join(directory, 'definition.mjs'))
  t.notMatch(edges[0]?.code, canary)
  t.equal(evaluateEdgeVariant(edges[0]?.code ?? '').rules.length, 1)
})

t.test('what cannot be read with certainty is refused with its place', async t => {
  const one = (members: string, before?: string): Promise<string[]> =>
    refusals(t, { 'definition.ts': definitionWith(members, before) })
  const cases: [members: string, before: string | undefined, expected: RegExp][] = [
    ['...{}', undefined, /^definition\.ts:7:3: a spread hides/],
    ['["observe"]: { allow: () => true }', undefined, /:7:3: a computed or numeric key/],
    ['get view() { return () => ({}) }', undefined, /:7:3: view is a getter/],
    ['async view() { return {} }', undefined, /:7:3: view is a getter, a setter, async/],
    ['privacy: rules', 'const rules = { "/a": nobody }', /:7:3: privacy is an object literal/],
    ['privacy: { ["/a"]: nobody }', undefined, /:7:14: a computed or numeric key/],
    ['privacy: { ...{ "/a": nobody } }', undefined, /:7:14: a spread/],
    ['labels: { "/a": one }', 'const one = 1', /:7:13: a label is a number literal/],
    ['labels: { "/a": 1 + 1 }', undefined, /:7:13: a label is a number literal/],
    ['state: () => ({}),', undefined, /:7:3: state is there twice/],
    ['privacy: { "/a": nobody, "/a": nobody }', undefined, /:7:28: \/a is there twice/],
    [
      'reducers: {} as object, privacy: {}, labels,',
      'const labels = {}',
      /labels is an object lit/,
    ],
  ]
  for (const [members, before, expected] of cases) {
    const found = await one(members, before)
    t.equal(found.length, 1, members)
    t.match(found[0], expected)
  }
  const cheer = `const tally = { shape: 'own/1', accuracy: 'exact', bytesMax: 1, empty: () => 0, fold: () => 0, merge: () => 0, encode: () => new Uint8Array(), decode: () => 0, read: () => 0 }
    const schema = ${textSchema}
    const cheer = reducer({ message: schema, into: tally, apply: () => {} })`
  t.match(await one('reducers: { cheer }', cheer), [/:11:15: reducers.cheer is reducer\({/])
  const heat = `import { countBy, watched } from 'fanfold'
    const options = { of: () => 'x', into: countBy(), apply: () => {} }
    const heat = watched(options)`
  const viewState = `viewState: ${textSchema}`
  const written = /is watched\({ everyMs, of, into, apply }\), written out in its place/
  for (const each of [
    'heat',
    'heat: watched(options)',
    'heat: watched(options, 1)',
    'heat: (() => heat)()',
  ]) {
    t.match(await one(`watched: { ${each} }, ${viewState}`, heat), [written], each)
  }
  t.match(await one(`watched: { heat: watched({ ...options }) }, ${viewState}`, heat), [
    /a spread hides/,
  ])
  t.match(
    await one(
      `watched, ${viewState}`,
      `${heat.replaceAll('watched', 'seen').replace('seen }', 'watched as seen }')}; const watched = { heat }`,
    ),
    [/watched is an object literal/],
  )
  t.match(await one('get crowd() { return {} }'), [/crowd is a getter/])
  t.match(await one('get presence() { return undefined }'), [/presence is a getter/])
})

t.test('a default export that is not the literal in its place is refused', async t => {
  const head = `import { defineDocument } from 'fanfold'\n`
  const literal = `{ type: 'match', state: () => ({}), messages: {} }`
  const cases: [source: string, expected: RegExp][] = [
    [
      `const it = ${literal}\nexport default defineDocument(it)`,
      /:3:31: defineDocument takes an object literal/,
    ],
    [`const it = defineDocument(${literal})\nexport default it`, /:3:16: must export default/],
    [`const it = defineDocument(${literal})\nexport { it as default }`, /:3:10: the default is/],
    [`export default ((define) => define(${literal}))(defineDocument)`, /:2:16: must export/],
    [`export * from './other.ts'\nexport default defineDocument(${literal})`, /:2:1: export \*/],
  ]
  for (const [source, expected] of cases) {
    const found = await refusals(t, {
      'definition.ts': head + source,
      'other.ts': 'export const a = 1',
    })
    t.equal(found.length, 1, source)
    t.match(found[0], expected)
  }
  const files = {
    'definition.ts': `import * as fanfold from 'fanfold'\nexport default fanfold.defineDocument(${literal})`,
  }
  t.match(await refusals(t, files), [/:2:16: must export default .* by name/])
})

t.test('modules of an edge variant only declare', async t => {
  const inDefinition = (before: string, members = ''): Promise<string[]> =>
    refusals(t, { 'definition.ts': definitionWith(members, before), 'other.ts': 'export {}' })
  const cases: [before: string, expected: RegExp][] = [
    [`import './other.ts'`, /:2:1: an import without names/],
    ['Object.freeze({})', /:2:1: a statement that does something/],
    ['if (true) { }', /:2:1: a statement/],
    ['for (const a of []) { }', /:2:1: a statement/],
  ]
  for (const [before, expected] of cases) t.match(await inDefinition(before), [expected], before)
  const rule = `privacy: { '/a': () => used.length > 1 }`
  const used: [before: string, expected: RegExp][] = [
    ['const used = Object.keys({})', /:2:1: the value is not a literal/],
    ['const used = { ...{} }', /:2:1: the value/],
    ['const used = [(() => [])()]', /:2:1: the value/],
    ['const { used } = { used: [] }', /:2:1: the value/],
    ['enum used { a }', /:2:1: an enum/],
    ['class used { static length = Object.keys({}) }', /:2:1: the class/],
    ['class used { static { } static length = 1 }', /:2:1: the class/],
    ['const a = 1; class used { static length = [a] }', /:2:14: the class/],
    ["class used { ['a'] = 1; static length = 1 }", /:2:1: the class/],
  ]
  for (const [before, expected] of used) {
    t.match(await inDefinition(before, rule), [expected], before)
  }
  t.same(await inDefinition('const cut = Object.keys({})'), [], 'what nothing is left of is cut')
})

t.test('what the rules import only declares too, and joins by imports', async t => {
  const rule = definitionWith(`privacy: { '/a': isOpen }`, `import { isOpen } from './rule.ts'`)
  const withRule = (text: string, more: Record<string, string> = {}): Promise<string[]> =>
    refusals(t, {
      'definition.ts': rule,
      'rule.ts': text,
      'b.ts': 'export const b = () => 1',
      ...more,
    })
  const isOpen = 'export const isOpen = () => true'
  t.same(await withRule(`export { b } from './b.ts'\n${isOpen}`), [])
  t.match(await withRule(`${isOpen}\nexport const key = Math.sqrt(2)`), [
    /^rule\.ts:2:1: the value/,
  ])
  t.match(await withRule(`import './b.ts'\n${isOpen}`), [/^rule\.ts:1:1: an import without names/])
  t.match(await withRule(`${isOpen}\nconsole.log(1)`), [/^rule\.ts:2:1: a statement/])
  t.match(
    await withRule(`import { b } from './b.ts'\nexport const isOpen = () => b()`, {
      'b.ts': 'export const b = () => 1\nglobalThis.x = 1',
    }),
    [/^b\.ts:2:1: a statement/],
  )
  t.match(await withRule(`export const isOpen = () => require('./b.ts').b()`), [
    /^rule\.ts:1:37: an edge variant imports by import statements only/,
  ])
  t.match(await withRule(`export const isOpen = async () => (await import('./b.ts')).b()`), [
    /import/,
  ])
  t.match(await withRule(`import { b } from './definition.ts'\nexport const isOpen = () => b`), [
    /No matching export|imports the definition's own module/,
  ])
  t.match(await withRule(`import fs from 'node:fs'\nexport const isOpen = () => fs`), [
    /modules of Node/,
  ])
})

t.test('a variant over its limit is refused with the numbers', async t => {
  const long = 'x'.repeat(524_288)
  const found = await refusals(t, {
    'definition.ts': definitionWith(`privacy: { '/a': (_, { key }) => key === '${long}' }`),
  })
  t.match(found, [/ceiling 0 has 524\d{3} bytes, at most 524288/])
})

t.test('a definition is cut under whatever name it is found', async t => {
  const directory = t.testdir({
    node_modules: { match: { 'definition.ts': labelled, 'other.ts': '' } },
    link: t.fixture('symlink', 'node_modules/match'),
  })
  const { edges } = await buildDefinition(join(directory, 'link', 'definition.ts'))
  t.equal(edges.length, 3)
  t.notMatch(edges[0]?.code, /state|odds/)
})
