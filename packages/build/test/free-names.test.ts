import t from 'tap'
import { boundNames, freeNames } from '../src/free-names.ts'
import { parseModule } from '../src/parsed-module.ts'

/** The names that a text takes from outside, each once, in order. */
function freeIn(text: string): string[] {
  const { program } = parseModule('/a.ts', text)
  return [...new Set(program.body.flatMap(freeNames).map(({ name }) => name))]
}

t.test('names that code takes from outside are found', async t => {
  const cases: [text: string, names: string[]][] = [
    ['a.b.c[d](e, ...f)', ['d', 'a', 'e', 'f']],
    ['({ a, b: c, [d]: 1, e() { return f } })', ['a', 'c', 'd', 'f']],
    ['(({ a = x, b: [c] }, ...d) => a + c + d + y)', ['x', 'y']],
    ['(function f(a) { return f(a) + arguments.length + this.b })', ['arguments', 'this']],
    ['(() => { { let a = 1; var b = a } return a + b })', ['a']],
    ['(() => { try { } catch ({ a }) { a } return a })', ['a']],
    ['(() => { for (const a of b) a; for (let i = 0; i < n; i++) i; return i })', ['b', 'n', 'i']],
    ['(x => { switch (x) { case 1: { let a = b } default: c } })', ['b', 'c']],
    [
      '(() => { class A extends B { static c = d; #e = f; g() { return this.#e + A } } })',
      ['B', 'd', 'f'],
    ],
    ['(() => { out: for (;;) break out })', []],
    ['`$' + '{a}`; tag`$' + '{b}`; a?.b?.[c]', ['a', 'tag', 'b', 'c']],
    ['(a: T, b = c as U) => <V>d!', ['c', 'd']],
    ['((a: typeof x): a is X => f<Y>(a) satisfies Z)', ['f']],
    ['new.target, import.meta', []],
  ]
  for (const [text, names] of cases) {
    const inFunction = text.startsWith('new.target') ? `(function () { ${text} })` : text
    t.same(freeIn(inFunction), names, text)
  }
})

t.test('it is told which member is read, and what is written', async t => {
  const { program } = parseModule(
    '/a.ts',
    `a.b; c['d']; e[f]; g.h.i = 1; j++; delete k.l; (m as N).o = 1`,
  )
  t.same(
    program.body.flatMap(freeNames).map(({ name, member, isWritten }) => [name, member, isWritten]),
    [
      ['a', 'b', false],
      ['c', 'd', false],
      ['f', undefined, false],
      ['e', undefined, false],
      ['g', 'h', true],
      ['j', undefined, true],
      ['k', 'l', true],
      ['m', 'o', true],
    ],
  )
})

t.test('a pattern binds all the names in it', async t => {
  const { program } = parseModule('/a.ts', 'const { a, b: { c }, d: [e, , ...f], g = 1, ...h } = x')
  const [statement] = program.body
  const [declaration] = statement?.type === 'VariableDeclaration' ? statement.declarations : []
  t.same(boundNames(declaration?.id), ['a', 'c', 'e', 'f', 'g', 'h'])
  t.same(boundNames(undefined), [])
})
