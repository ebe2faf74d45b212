const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** A duration with its unit (`500ms`, `1.5h`, `90d`) in ms, or `undefined` when it is none. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,12}(?:\.\d{1,6})?)(ms|s|m|h|d)$/.exec(text.trim())
  const factor = unitMs[match?.[2] ?? '']
  return factor === undefined ? undefined : Math.round(Number(match?.[1]) * factor)
}
