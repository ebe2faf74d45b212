/*
 * docs/protocol.md is normative, so its tables must be those of the declarations: each row there is
 * declared, each declaration has its row, and every cell says the same. To repair a failure, change the
 * row that the difference names.
 */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { closeCodes } from '../src/close-code.ts'
import { type ErrorMeaning, errorCodes } from '../src/error-code.ts'
import { limits } from '../src/limits.ts'
import { linkFrameTypes } from '../src/link-frame.ts'
import { recordKinds } from '../src/log-record.ts'
import { signalKinds } from '../src/signal.ts'
import { linkSubprotocol, protocolVersion, viewerSubprotocol } from '../src/version.ts'

const text = readFileSync(new URL('../../../../docs/protocol.md', import.meta.url), 'utf8')

/** The rows of the first table behind a line that begins with `heading`, cells without Markdown. */
function table(heading: string, columns: number): string[][] {
  const lines = text.split('\n')
  const start = lines.findIndex(line => line.startsWith(heading))
  const first = lines.findIndex((line, index) => index > start && line.startsWith('| --- '))
  const rows: string[][] = []
  for (const line of lines.slice(first + 1)) {
    if (!line.startsWith('|')) break
    const cells = line.split(/(?<!\\)\|/).slice(1, -1)
    rows.push(cells.slice(0, columns).map(cell => plain(cell.trim())))
  }
  return start === -1 || first === -1 ? [] : rows
}

const plain = (cell: string): string =>
  /^`.*`$/.test(cell) ? cell.slice(1, -1) : cell.replace(/\\(.)/g, '$1')

const yesNo = (value: boolean): string => (value ? 'yes' : 'no')

await t.test('the limits are those of the declaration', async t => {
  const declared = Object.entries(limits).map(([name, { value, unit, meaning }]) => [
    name,
    value.toLocaleString('en-US'),
    unit,
    meaning,
  ])
  t.same(table('## 10. Limits', 4), declared)
})

await t.test('the close codes are those of the declaration', async t => {
  const declared = Object.entries(closeCodes).map(([name, { code, reconnect, meaning }]) => [
    name,
    String(code),
    yesNo(reconnect),
    meaning,
  ])
  t.same(table('## 11. Close codes', 4), declared)
})

await t.test('the error codes are those of the declaration', async t => {
  const rows: [string, ErrorMeaning][] = Object.entries(errorCodes)
  const declared = rows.map(([code, { status, retry, close, meaning }]) => [
    code,
    String(status),
    yesNo(retry),
    close ?? '',
    meaning,
  ])
  t.same(table('## 12. Error codes', 5), declared)
})

await t.test('the frame types are those of the declaration, each with its fields', async t => {
  const declared = Object.entries(linkFrameTypes).map(([kind, type]) => [kind, String(type)])
  t.same(table('## 6. Link frames', 2), declared)
  for (const kind of Object.keys(linkFrameTypes)) {
    t.ok(text.includes(`\n### ${kind}\n`), `${kind} has a section`)
  }
})

await t.test('the kinds of signals are those of the declaration', async t => {
  const declared = Object.entries(signalKinds).map(([kind, number]) => [kind, String(number)])
  t.same(table('| kind | number | direction | value |', 2), declared)
})

await t.test('the kinds of records are those of the declaration', async t => {
  const declared = Object.entries(recordKinds).map(([kind, number]) => [kind, String(number)])
  t.same(table('MUST be in rising order of tags', 2), declared)
})

await t.test('version and subprotocols are those of the declaration', async t => {
  t.ok(text.startsWith(`# The Fanfold protocol, version ${protocolVersion}\n`))
  t.ok(text.includes(`\`${linkSubprotocol}\``))
  t.ok(text.includes(`\`${viewerSubprotocol}\``))
})

await t.test('every error code that the text names is declared', async t => {
  const named = new Set(text.match(/FANFOLD_[A-Z_]+[A-Z]/g))
  t.ok(named.size > 0)
  for (const code of named) t.ok(Object.hasOwn(errorCodes, code), code)
})
