/* What a tenant may take, as the command line says it and people read it. */
import { usageError } from './command-error.ts'
import type { Options } from './options.ts'
import { type Quota, quotaBounds } from './quota-use.ts'
import type { VerbOption } from './verb.ts'

/** What is said anew of each bound; null takes it away. */
export type QuotaWish = Readonly<Partial<Record<keyof Quota, number | null>>>

/** The options that say it. */
export const quotaOptions: readonly VerbOption[] = [
  {
    flags: '--quota-documents <n>',
    meaning: 'Documents of the tenant in use at a time, in the whole fleet; none for no bound.',
  },
  {
    flags: '--quota-viewers <n>',
    meaning: 'Viewers of the tenant at a time, in the whole fleet; none for no bound.',
  },
  {
    flags: '--quota-bytes <size>',
    meaning:
      'Bytes per second to viewers of the tenant, in the whole fleet, as 10MiB; none for no bound.',
  },
  { flags: '--no-quota', meaning: 'Nothing is said any more of what the tenant may take.' },
]

const names = {
  documentsMax: 'quotaDocuments',
  viewersMax: 'quotaViewers',
  bytesPerSecondMax: 'quotaBytes',
} as const
const units = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, KiB: 1_024, MiB: 1_048_576, GiB: 1_073_741_824 }

/** What the options say; undefined where they say nothing. @throws CommandError */
export function quotaGiven(options: Options): QuotaWish | undefined {
  const given = quotaBounds.flatMap(bound => {
    const text = options.text(names[bound])
    return text === undefined ? [] : [[bound, boundOf(bound, text)] as const]
  })
  if (!options.isUnset('quota')) return given.length === 0 ? undefined : Object.fromEntries(given)
  if (given.length > 0) throw usageError('--no-quota stands without a bound')
  return Object.fromEntries(quotaBounds.map(bound => [bound, null]))
}

/** True where a quota is as it is wished already. */
export const isKept = (quota: Quota | undefined, wish: QuotaWish): boolean =>
  quotaBounds.every(bound => {
    const { [bound]: wished } = wish
    return wished === undefined || (wished ?? undefined) === quota?.[bound]
  })

/** The quota with what is wished of it. */
export function quotaAfter(quota: Quota | undefined, wish: QuotaWish): Quota {
  const bounds = quotaBounds.flatMap(bound => {
    const { [bound]: max = quota?.[bound] } = wish
    return typeof max === 'number' ? [[bound, max] as const] : []
  })
  return Object.fromEntries(bounds)
}

/** What a tenant may take, for people. */
export function quotaText(quota: Quota = {}): string {
  const { documentsMax, viewersMax, bytesPerSecondMax } = quota
  const parts = [
    ...(documentsMax === undefined ? [] : [`${documentsMax} documents`]),
    ...(viewersMax === undefined ? [] : [`${viewersMax} viewers`]),
    ...(bytesPerSecondMax === undefined ? [] : [`${bytesPerSecondMax} bytes per second`]),
  ]
  return parts.length === 0 ? 'as much as there is' : parts.join(', ')
}

function boundOf(bound: keyof Quota, text: string): number | null {
  if (text === 'none') return null
  const [, digits = '', unit = ''] = /^(\d{1,15})([A-Za-z]*)$/.exec(text) ?? []
  const factors: Readonly<Record<string, number>> = bound === 'bytesPerSecondMax' ? units : {}
  const factor = unit === '' ? 1 : factors[unit]
  const max = Number(digits) * (factor ?? Number.NaN)
  if (digits !== '' && Number.isSafeInteger(max)) return max
  const flag = `--quota-${bound === 'bytesPerSecondMax' ? 'bytes' : names[bound].slice(5).toLowerCase()}`
  const shape = bound === 'bytesPerSecondMax' ? 'a size such as 10MiB' : 'a whole number'
  throw usageError(`${flag} is ${shape}, or none, got ${JSON.stringify(text)}`)
}
