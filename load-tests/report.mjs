/** The middle of an odd number of values, or of the lower half of an even one. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 2)]
}

/** The value below which this part (0 … 1) of the values is. */
export function quantile(values, part) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]
}

/** Prints one result as a line of JSON; `floor` and `aim` are what the figure is held against. */
export function report({ bench, unit, values, ...rest }) {
  const round = value => (Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3)))
  console.log(
    JSON.stringify({
      bench,
      unit,
      median: round(median(values)),
      min: round(Math.min(...values)),
      max: round(Math.max(...values)),
      runs: values.length,
      ...rest,
    }),
  )
}
