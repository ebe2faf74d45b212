/*
 * The configuration for people: what a node runs with, every option with its meaning, and the tables
 * of the documents, all from the one declaration.
 */
import type { LoadedConfig } from './config.ts'
import { environmentFileOf, environmentOf, flagOf } from './config-name.ts'
import { type ConfigName, type ConfigRow, configNames, configRow } from './config-table.ts'
import { autoWord, describeRange, formatValue } from './config-value.ts'

/** One option as a person reads it. */
export type DescribedOption = {
  readonly name: ConfigName
  /** The value, or `(redacted)` for a secret, or `(none)`. */
  readonly value: string
  /** Where it was said: a flag, a variable, a line of a file, or `default`. */
  readonly source: string
}

/** Every option with its value and where that came from; secrets are not shown. */
export function describeConfig({ values, places }: LoadedConfig): readonly DescribedOption[] {
  return configNames.map(name => {
    const row = configRow(name)
    const value = values.get(name)
    const text = value === undefined ? '' : formatValue(row, value)
    const shown = row.secret && value !== undefined ? '(redacted)' : text === '' ? '(none)' : text
    return { name, value: shown, source: places.get(name) ?? 'default' }
  })
}

/** One flag, for a parser of command lines and its help. */
export type ConfigFlag = {
  /** Without dashes. */
  readonly flag: string
  readonly name: ConfigName
  /** What stands behind it in the help: `<port>`; nothing for a switch that is off without it. */
  readonly argument: string
  readonly isRepeatable: boolean
  readonly meaning: string
}

/** Every flag, in the order of the table. */
export const configFlags = (): readonly ConfigFlag[] =>
  configNames.map(name => {
    const row = configRow(name)
    return {
      flag: flagOf(name),
      name,
      argument: row.type === 'switch' && row.default !== true ? '' : `<${argumentOf(row)}>`,
      isRepeatable: row.type === 'list',
      meaning: `${row.meaning}${defaultOf(row, ' Default: ')}`,
    }
  })

/** Every option with its meaning and default, as a configuration file that changes nothing. */
export function configDefaults(): string {
  const lines = ['# Every option of a node, with its default.']
  let section = ''
  for (const name of configNames) {
    const row = configRow(name)
    const [first = name, inner] = name.split('.')
    const indent = inner === undefined ? '' : '  '
    if (inner === undefined) section = ''
    else if (first !== section) {
      section = first
      // A section whose options are all commented out would hold nothing, which is no map.
      const isEmpty = configNames.every(
        other => !other.startsWith(`${first}.`) || configRow(other).default === undefined,
      )
      lines.push('', `${isEmpty ? '# ' : ''}${first}:`)
    }
    const key = row.secret ? `${inner ?? first}File` : (inner ?? first)
    const value = row.default === undefined ? argumentOf(row) : yamlValue(row)
    const comment = row.default === undefined ? '# ' : ''
    lines.push(
      ...(inner === undefined ? [''] : []),
      `${indent}# ${row.meaning} ${capitalised(describeRange(row))}.`,
      `${indent}${comment}${key}: ${value}`,
    )
  }
  return `${lines.join('\n')}\n`
}

/** Every environment variable with its meaning, one a line. */
export function configEnvironment(): string {
  const rows = configNames.map(name => {
    const row = configRow(name)
    return [row.secret ? environmentFileOf(name) : environmentOf(name), row] as const
  })
  const width = Math.max(...rows.map(([variable]) => variable.length))
  const lines = rows.map(
    ([variable, row]) => `${variable.padEnd(width)}  ${row.meaning}${defaultOf(row, ' Default: ')}`,
  )
  return `${lines.join('\n')}\n`
}

/** The table of options in docs/operations.md. */
export function configMarkdown(): string {
  const rows = configNames.map(name => {
    const row = configRow(name)
    const variable = row.secret ? environmentFileOf(name) : environmentOf(name)
    const cells = [
      `\`${name}\``,
      `\`--${flagOf(name)}\` <br> \`${variable}\``,
      defaultOf(row, ''),
      describeRange(row).replaceAll('|', '\\|'),
      row.meaning,
    ]
    return `| ${cells.join(' | ')} |`
  })
  return [
    '| option | flag and variable | default | range | meaning |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n')
}

const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

const defaultOf = (row: ConfigRow, before: string): string => {
  if (row.default === undefined) return ''
  const text = formatValue(row, row.default)
  return text === '' ? '' : `${before}${text}`
}

function yamlValue(row: ConfigRow): string {
  const { default: value = [] } = row
  if (typeof value === 'object') return `[${value.map(yamlText).join(', ')}]`
  return yamlText(defaultOf(row, ''))
}

/** A colon at the end would begin a map, a star at the beginning would stand for something else. */
const yamlText = (text: string): string => (/:$|^\*/.test(text) ? `'${text}'` : text)

function argumentOf(row: ConfigRow): string {
  if (row.secret) return 'file'
  const type = row.type === 'list' ? (row.items ?? 'text') : row.type
  if (row.auto) return `${type}|${autoWord}`
  if (type === 'switch') return 'true|false'
  return type === 'enum' ? (row.values ?? []).join('|') : type
}
