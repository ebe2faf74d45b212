/*
 * Plots of what results files say. A plot is figures/<name>.plot.json, drawn into docs/images/<name>.svg: a spec of
 * Vega-Lite (https://vega.github.io/vega-lite) whose `data` names figures instead of having values:
 *
 *   "data": { "figures": { "A": "crowd: {viewers} viewers, 100 edges", "unit": "aggregates/s in" } }
 *
 * All figures of file A that are called so and have that unit are rows with the numbers in the places of the braces
 * (`viewers`), and with `median`, `min` and `max`. `{peer:text}` is a place of any text.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { parse, View } from 'vega'
import { compile } from 'vega-lite'
import { figureFile, NotMeasured } from './figure-files.mjs'

const suffix = '.plot.json'
/** Pages are read on white and on black. */
const look = {
  background: 'white',
  padding: 12,
  config: { font: 'sans-serif', axis: { grid: true, gridColor: '#e5e5e5' } },
}

/** The plots of the repository at `root`: where each is put, and what it is then. */
export async function drawPlots(root, files) {
  const folder = `${root}/load-tests/figures`
  const plots = []
  for (const file of readdirSync(folder).filter(name => name.endsWith(suffix))) {
    const name = file.slice(0, -suffix.length)
    try {
      const spec = JSON.parse(readFileSync(`${folder}/${file}`, 'utf8'))
      const drawn = { ...look, ...withRows(spec, files) }
      const view = new View(parse(compile(drawn).spec), { renderer: 'none' })
      plots.push({ path: `images/${name}.svg`, svg: `${await view.toSVG()}\n` })
    } catch (error) {
      if (error instanceof NotMeasured) continue
      throw new Error(`load-tests/figures/${file}: ${error.message}`)
    }
  }
  return plots
}

/** The spec with rows for all figures that it names, at whatever depth. */
function withRows(spec, files) {
  if (Array.isArray(spec)) return spec.map(part => withRows(part, files))
  if (typeof spec !== 'object' || spec === null) return spec
  const entries = Object.entries(spec).map(([key, value]) => {
    const isNamed = key === 'data' && value.figures !== undefined
    return [key, isNamed ? { values: rowsOf(value.figures, files) } : withRows(value, files)]
  })
  return Object.fromEntries(entries)
}

/** `{viewers}`, `{peer:text}`. */
const placePattern = /\{\w+(?::text)?\}/g

function columnOf(place) {
  const [column, kind] = place.slice(1, -1).split(':')
  return { column, isText: kind === 'text' }
}

function rowsOf({ unit, ...named }, files) {
  const [[letter, name]] = Object.entries(named)
  const file = figureFile(files, letter)
  const literals = name.split(placePattern).map(text => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  const columns = [...name.matchAll(placePattern)].map(([place]) => columnOf(place))
  const values = columns.map(({ isText }) => (isText ? '(.+?)' : '([\\d.]+)'))
  const pattern = new RegExp(
    `^${literals.map((literal, at) => `${literal}${values[at] ?? ''}`).join('')}$`,
  )
  const rows = Object.values(file.benchmarks)
    .flat()
    .flatMap(({ bench, unit: measured, median, min, max }) => {
      const match = measured === unit ? pattern.exec(bench) : null
      if (match === null) return []
      const cells = columns.map(({ column, isText }, at) => [
        column,
        isText ? match[at + 1] : Number(match[at + 1]),
      ])
      return [{ ...Object.fromEntries(cells), median, min, max }]
    })
  if (rows.length === 0) throw new Error(`${file.name} has no figure "${name}" in ${unit}`)
  return rows
}
