/** Bounds of a definition, in one table; `labelMax`, `labelsMax` and `variantBytesMax` are the protocol's. */
export const definitionLimits = {
  rulesMax: {
    value: 256,
    unit: 'rules',
    meaning: 'patterns under `privacy`, and as many under `labels`',
  },
  readsMax: { value: 16, unit: 'paths', meaning: 'paths on which one privacy rule depends' },
} as const
