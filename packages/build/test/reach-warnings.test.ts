import t, { type Test } from 'tap'
import { build, definitionWith, type Files } from './project.ts'

/** What building warns about: `file:line:column sentence` each. */
async function warnings(test: Test, files: Files): Promise<string[]> {
  const { warnings } = await build(test, files)
  // That its patterns are names of nothing is another test's.
  const reaching = warnings.filter(({ message }) => !message.includes('leads nowhere'))
  return reaching.map(({ place, message }) => `${place.replace(/^.*\//, '')} ${message}`)
}

t.test('a rule that reaches beside its parameters is warned of by its pattern', async t => {
  const one = async (rule: string, before = ''): Promise<string[]> =>
    await warnings(t, { 'definition.ts': definitionWith(`privacy: { '/a': ${rule} }`, before) })
  const cases: [rule: string, expected: RegExp][] = [
    ['() => Date.now() > 1', /^definition\.ts:7:26 privacy\.\/a reaches Date\.now, which is none/],
    ['() => new Date().getTime() > 1', /reaches Date,/],
    ['() => Math.random() > 1', /reaches Math\.random,/],
    ["() => Math['random']() > 1", /reaches Math\.random,/],
    ["() => 'a' in globalThis", /reaches globalThis,/],
    ['() => process.env.A === "1"', /reaches process\.env,/],
    ['() => fetch("x") !== undefined', /reaches fetch,/],
    ['a => console.log(a) === undefined', /reaches console\.log,/],
    ['function () { return this !== undefined }', /reaches this,/],
    ['function () { return arguments.length > 1 }', /reaches arguments\.length,/],
    ['{ reads: ["/b"], allow() { return this !== undefined } }', /reaches this,/],
    ['() => (Object.x = 1) === 1', /reaches Object\.x,/],
  ]
  for (const [rule, expected] of cases) t.match(await one(rule), [expected], rule)
  t.match(await one('() => count > 1', 'let count = 0'), [
    /reaches count, a variable of its module/,
  ])
  t.match(await one('() => (seen.x = 1) === 1', 'const seen = { x: 0 }'), [
    /changes seen, which outlives/,
  ])
  t.match(await one('() => seen.x++ > 1', 'const seen = { x: 0 }'), [/changes seen/])
})

t.test('parameters, constants, functions and the pure parts of the language are fine', async t => {
  const before = `
    const limit = 3
    const names = { ann: [limit] }
    class Box { value = 1; get() { return this.value } }
    function isNamed(name) { const all = Object.keys(names); return all.includes(name) }
  `
  const rule = `(audience, { key, keys: [first = 'x', ...rest], reads }) => {
    const { a: b, ...more } = audience
    let count = 0
    for (const one of rest) count += one.length
    for (let i = 0; i < 3; i++) count = i
    try { JSON.parse(key) } catch (error) { count = Math.max(count, String(error).length) }
    switch (count) { case 1: { const inner = 1; count = inner } }
    label: while (count > 0) { count--; continue label }
    function helper(x = count) { var hoisted = x; return hoisted ?? undefined ?? NaN }
    const again = function me(n) { return n > 0 ? me(n - 1) : structuredClone([b, more]) }
    count += new Box().get() + [...new Map(), ...new Set()].length + Number(again(1).length)
    return isNamed(first) && helper() > limit && reads['/a'] === key
  }`
  t.same(
    await warnings(t, {
      'definition.js': '',
      'definition.ts': definitionWith(
        `privacy: { '/x': ${rule.replaceAll('name)', 'name: string)')} }`,
        before.replace('(name)', '(name: string)'),
      ),
    }),
    [],
  )
})

t.test('the policy, the view and what they import are looked through', async t => {
  const found = await warnings(t, {
    'definition.ts': definitionWith(
      `observe: { allow: now.isOpen, audience: () => all.deep(), clearance: byDefault },
      view: visible => ({ ...visible, at: again() }),`,
      `import * as all from './all.ts'
      import * as now from './now.ts'
      import byDefault, { again } from './more.ts'`,
    ),
    'now.ts': `export const isOpen = () => Date.now() > 1
export const notUsed = () => fetch('x')`,
    'all.ts': `export * from './deep.ts'`,
    'deep.ts': `import { secret } from './secret.ts'\nexport const deep = () => secret()`,
    'secret.ts': `const own = () => process.pid\nexport { own as secret }`,
    'more.ts': `export default () => performance.now()\nexport { other as again } from './other.ts'`,
    'other.ts': `export const other = () => crypto`,
  })
  t.match(found, [
    /^now\.ts:1:29 observe\.allow reaches Date\.now,/,
    /^secret\.ts:1:19 observe\.audience reaches process\.pid,/,
    /^more\.ts:1:22 observe\.clearance reaches performance\.now,/,
    /^other\.ts:1:28 view reaches crypto,/,
  ])
})

t.test('what is cut is not looked through', async t => {
  const files = {
    'definition.ts': definitionWith('').replace(
      'messages: {}',
      `messages: { now: message({} as any, s => { (s as any).now = Date.now() }) }`,
    ),
  }
  const { warnings } = await build(t, {
    'definition.ts': files['definition.ts'].replace(
      '{} as any, s',
      `{ '~standard': { validate: () => ({ value: 1 }) } } as any, s`,
    ),
  })
  t.same(warnings, [])
})
