import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runProgram, type Terminal } from '@fanfold/cli'
import { documentLimits } from '@fanfold/document'
import { configTable, createConfig, createLog, mintToken, startNode } from '@fanfold/node'
import t from 'tap'
import {
  anchorsOf,
  brokenLinks,
  codeWith,
  pageAt,
  readPages,
  readSources,
  root,
  shownCalls,
} from './documentation.ts'

const pages = readPages()
const readme = pageAt('README.md')

await t.test('every link inside the repository leads somewhere', async t => {
  t.ok(pages.length >= 20, `${pages.length} pages`)
  for (const page of pages) t.same(brokenLinks(page), [], page.path)
})

await t.test('a broken link is found', async t => {
  const text = '[a](no.md) [b](docs/protocol.md#none) [c](#here) [d](https://x.example) \n# Here'
  t.same(brokenLinks({ path: 'README.md', text }), ['no.md', 'docs/protocol.md#none'])
  t.same(anchorsOf('## 12. Error codes\n# `a` & b'), ['12-error-codes', 'a--b'])
})

/** What `fanfold … --help` says, or the code of its failure. */
async function helpOf(words: readonly string[]): Promise<string | number> {
  let text = ''
  const out = {
    isTerminal: false,
    write: async (chunk: string) => {
      text += chunk
    },
  }
  const terminal: Terminal = {
    out,
    err: { isTerminal: false, write: async () => undefined },
    environment: {},
    directory: root,
    clock: { now: () => 0, wallClock: () => 0, wait: async () => undefined },
    interrupted: new AbortController().signal,
    logs: undefined,
    user: undefined,
    readInput: async () => '',
    readLine: async () => undefined,
    onHangup: () => undefined,
    exit: () => {
      throw new Error('nothing ends the process')
    },
  }
  const code = await runProgram([...words, '--help'], terminal)
  return code === 0 ? text : code
}

/** The longest beginning of `words` that is a verb, possibly of a verb. */
async function verbOf(words: readonly string[]): Promise<string[]> {
  const help = await helpOf([])
  const [first = '', second = ''] = words
  const isVerb = (text: string | number, name: string): boolean =>
    new RegExp(`^ {2}${name}\\b`, 'm').test(String(text)) && /^[a-z]+$/.test(name)
  if (!isVerb(help, first)) return []
  return isVerb(await helpOf([first]), second) ? [first, second] : [first]
}

await t.test('every shown call of the command has a verb and flags that exist', async t => {
  const calls = pages.flatMap(page => shownCalls(page).map(call => ({ page, ...call })))
  t.ok(calls.length >= 20, `${calls.length} calls`)
  for (const { page, words, flags } of calls) {
    const verb = await verbOf(words)
    t.not(verb.length, 0, `${page.path}: fanfold ${words.join(' ')}`)
    const help = String(await helpOf(verb))
    for (const flag of flags) {
      t.ok(help.includes(` ${flag}`), `${page.path}: fanfold ${verb.join(' ')} ${flag}`)
    }
  }
})

await t.test('every file that is named in code type exists', async t => {
  const named = /`((?:packages|docs|infra|examples|load-tests)\/[\w./-]+|[a-z]+\/src\/[\w-]+\.ts)`/g
  for (const { path, text } of pages) {
    for (const [, name = ''] of text.matchAll(named)) {
      const file = /^[a-z]+\/src\//.test(name) ? `packages/${name}` : name
      t.ok(existsSync(`${root}${file}`), `${path}: ${name}`)
    }
  }
  for (const [, image = ''] of readme.text.matchAll(/<img[^>]* src="([^"]+)"/g)) {
    t.ok(existsSync(`${root}${image}`), image)
  }
})

await t.test('every code, variable, option, metric and script that is named exists', async t => {
  const sources = readSources()
  const metrics = pageAt('docs/operations.md').text.split('<!-- metrics')[1] ?? ''
  const scripts: Readonly<Record<string, string>> = JSON.parse(pageAt('package.json').text).scripts
  for (const { path, text } of pages) {
    // What is in no source is put together from the name of an option.
    for (const [, code = ''] of text.matchAll(/\b(FANFOLD_[A-Z]+(?:_[A-Z]+)*)\b(?!_)/g)) {
      const option = code
        .slice('FANFOLD_'.length)
        .replace(/_FILE$/, '')
        .replaceAll('_', '')
      const isOption = Object.keys(configTable).some(
        name => name.replaceAll('.', '').toUpperCase() === option,
      )
      t.ok(isOption || sources.includes(code), `${path}: ${code}`)
    }
    const dotted = /`((?:limits|link|logging|node|stream|log|document|definition)\.[a-zA-Z-]+)`/g
    for (const [, name = ''] of text.matchAll(dotted)) {
      const isFile = name.endsWith('.ts')
      t.ok(isFile || name in configTable || sources.includes(`'${name}'`), `${path}: ${name}`)
    }
    for (const [, metric = ''] of text.matchAll(/\b(fanfold_[a-z_]+?)(?:_bucket)?\b(?![a-z_])/g)) {
      t.ok(metrics.includes(`\`${metric}\``), `${path}: ${metric}`)
    }
    for (const [, script = '', workspace] of text.matchAll(
      /npm run ([a-z]+)(?: -w (\S+?))?[`\s)]/g,
    )) {
      if (workspace === undefined) t.ok(script in scripts, `${path}: npm run ${script}`)
    }
  }
})

await t.test('the readme has every package, and nothing that is none', async t => {
  const folders = readdirSync(`${root}packages`).filter(name =>
    existsSync(`${root}packages/${name}/package.json`),
  )
  const rows = [...readme.text.matchAll(/\[(\w+)\]\(packages\/(\w+)[/)]/g)]
  const named = rows.filter(([, label, folder]) => label === folder).map(([, label]) => label)
  t.same(named.toSorted(), folders.toSorted())
  t.ok(readme.text.split('\n').length <= 150)
})

await t.test('the limits of documents are those of the declaration', async t => {
  const rows = Object.entries(documentLimits).map(
    ([name, { value, unit, meaning }]) =>
      `| \`${name}\` | ${value.toLocaleString('en-US')} | ${unit} | ${meaning} |`,
  )
  const { text } = pageAt('docs/definitions.md')
  const section = text.slice(text.indexOf('\n## Limits'))
  t.same(
    [...section.matchAll(/^\| `.*$/gm)].map(([row]) => row),
    rows,
  )
})

await t.test('the definitions that are shown work as they stand', async t => {
  // Beside the packages, where its imports are found.
  const beside = fileURLToPath(new URL('./shown/', import.meta.url))
  mkdirSync(beside, { recursive: true })
  const data = mkdtempSync(join(tmpdir(), 'fanfold-docs-'))
  t.teardown(() => rmSync(data, { recursive: true, force: true }))
  const key = 'the key of this test and of nothing else'
  const token = await mintToken({
    key,
    subject: 'ada',
    documents: ['**'],
    allow: ['write', 'create'],
    claims: { referee: true },
    ttlMs: 60_000,
  })
  const shown = [
    {
      path: 'README.md',
      sends: [
        ['start', {}, 200],
        ['goal', { team: 'home' }, 200],
      ],
    },
    {
      path: 'docs/definitions.md',
      sends: [
        ['goal', { id: 'g1', team: 'home', minute: 3 }, 422],
        ['kickOff', {}, 200],
        ['goal', { id: 'g1', team: 'home', minute: 3 }, 200],
        ['goal', { id: 'g2', team: 'home', minute: 999 }, 422],
        ['correct', { id: 'g1' }, 200],
      ],
    },
  ] as const
  for (const [index, { path, sends }] of shown.entries()) {
    const file = join(beside, `match-${index}.ts`)
    writeFileSync(file, codeWith(pageAt(path), 'defineDocument({'))
    const node = await startNode({
      config: createConfig(
        { roles: 'authority', definitions: [file], tokenKey: key, port: 0, adminPort: 0, data },
        beside,
      ),
      log: createLog({ level: 'silent', node: 'docs', region: 'docs' }),
      fail: error => t.fail(String(error)),
    })
    for (const [message, value, status] of sends) {
      const url = `http://127.0.0.1:${node.port}/v1/documents/acme/match/m${index}/messages/${message}`
      const answer = await fetch(url, {
        method: 'POST',
        body: JSON.stringify(value),
        headers: { authorization: `Bearer ${token}` },
      })
      t.equal(answer.status, status, `${path}: ${message} ${await answer.text()}`)
    }
    await node.stop()
  }
})
