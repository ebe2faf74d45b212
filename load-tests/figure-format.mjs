// How a figure is written, once for all: `0.12`, `1.2`, `12.3`, from a hundred on `1,234`, and from a thousand
// of a unit on in the next one.

/** From how much of a unit on a figure is written in another, and how many of it make one of that. */
const larger = {
  µs: { from: 1_000, of: 1_000, unit: 'ms' },
  ms: { from: 1_000, of: 1_000, unit: 's' },
  bytes: { from: 10_000, of: 1_000, unit: 'KB' },
  KB: { from: 1_000, of: 1_000, unit: 'MB' },
}
/** Units that are written beside the number; after others the page says what is counted. */
const written = ['µs', 'ms', 's', 'bytes', 'KB', 'MB', 'KiB', 'MiB', '%']
const ratios = ['ratio', 'times']

/** The unit that so many of `unit` are written in, and how many of `unit` it has. */
function scaleOf(value, unit) {
  let scale = { divisor: 1, unit }
  for (let next = larger[unit]; next !== undefined; next = larger[scale.unit]) {
    if (Math.abs(value) / scale.divisor < next.from) break
    scale = { divisor: scale.divisor * next.of, unit: next.unit }
  }
  return scale
}

function numberOf(value, unit, isCount) {
  if (isCount || Math.abs(value) >= 99.95) return Math.round(value).toLocaleString('en-US')
  if (ratios.includes(unit)) return (Math.round(value * 100) / 100).toFixed(2)
  if (Math.abs(value) < 1) return value.toPrecision(2)
  return (Math.round(value * 10) / 10).toFixed(1)
}

/** These of a figure's values, in the unit that suits the first of them. */
function write(figure, ...names) {
  const { unit } = figure
  const scale = scaleOf(figure[names[0]], unit)
  // What is whole in each round is counted in whole ones.
  const { median = figure.min, min, max } = figure
  const isCount =
    !ratios.includes(unit) && scale.divisor === 1 && [median, min, max].every(Number.isInteger)
  return {
    numbers: names.map(name => numberOf(figure[name] / scale.divisor, unit, isCount)),
    unit: written.includes(unit) ? ` ${scale.unit}` : '',
  }
}

/** One of its values, by its name: `1.2 ms`. */
export function formatOne(figure, name) {
  const { numbers, unit } = write(figure, name)
  return `${numbers[0]}${unit}`
}

/** A ratio, in hundredths. */
export function formatRatio(value) {
  return numberOf(value, 'ratio', false)
}

/** A bound, which is what it is and was not measured: `60 s`. */
export function formatBound(value, unit) {
  const scale = scaleOf(value, unit)
  const suffix = written.includes(unit) ? ` ${scale.unit}` : ''
  return `${(value / scale.divisor).toLocaleString('en-US')}${suffix}`
}

/** From the smallest to the largest: `1.2 to 3.4 ms`. */
export function formatRange(figure) {
  const { numbers, unit } = write(figure, 'min', 'max')
  return `${numbers.join(' to ')}${unit}`
}

/** What was measured: `1.2 ms (1.0 to 1.5)`, both of two (`1.0, 1.5 ms`), or what there is of one. */
export function formatSpread(figure) {
  const { runs = 1 } = figure
  if (runs < 2) return formatOne(figure, 'median')
  const { numbers, unit } =
    runs === 2 ? write(figure, 'min', 'max') : write(figure, 'median', 'min', 'max')
  if (runs === 2) return `${numbers.join(', ')}${unit}`
  return `${numbers[0]}${unit} (${numbers[1]} to ${numbers[2]})`
}
