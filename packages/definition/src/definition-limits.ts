/** Bounds of a definition, in one table; `labelMax`, `labelsMax` and `variantBytesMax` are the protocol's. */
export const definitionLimits = {
  rulesMax: {
    value: 256,
    unit: 'rules',
    meaning: 'patterns under `privacy`, and as many under `labels`',
  },
  reducersMax: {
    value: 256,
    unit: 'reducers',
    meaning: 'under `reducers` and `watched` together: an aggregate has as many sums',
  },
  readsMax: { value: 16, unit: 'paths', meaning: 'paths on which one privacy rule depends' },
} as const
