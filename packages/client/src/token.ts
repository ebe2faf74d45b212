/** Who the client is: a text, or what fetches one; asked again for each connection and renewal. */
export type TokenSource = string | (() => string | Promise<string>)

/** The part of a token's remaining life after which it is renewed, least and most. */
const renewAfter = { least: 0.7, most: 0.9 }

/** No timer runs longer; a token that lives longer is renewed once a day. */
const renewAfterMsMax = 86_400_000

/** The source's token of now. */
export const fetchToken = async (source: TokenSource): Promise<string> =>
  typeof source === 'string' ? source : await source()

/**
 * How long from now to renew a token, ms, at 70 to 90 percent of what is left of its life, so that
 * tokens made at one time are not renewed at one time.
 *
 * Returns `undefined` for a token that does not say when it ends.
 */
export function renewalDelayMs(token: string, nowMs: number, chance: number): number | undefined {
  const expiresAtMs = expiryMs(token)
  if (expiresAtMs === undefined) return undefined
  const part = renewAfter.least + (renewAfter.most - renewAfter.least) * chance
  return Math.min(renewAfterMsMax, Math.max(1_000, (expiresAtMs - nowMs) * part))
}

/** When a JSON Web Token ends, ms since 1970; its signature is the server's to check. */
function expiryMs(token: string): number | undefined {
  const payload = token.split('.')[1]
  if (payload === undefined) return undefined
  try {
    const claims: unknown = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/')))
    if (typeof claims !== 'object' || claims === null || !('exp' in claims)) return undefined
    return typeof claims.exp === 'number' ? claims.exp * 1_000 : undefined
  } catch {
    return undefined
  }
}
