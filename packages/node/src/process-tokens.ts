import type { ProcessContext } from './process-context.ts'
import { createTokenVerifier, noTokens, type TokenVerifier } from './viewer-tokens.ts'

/** How a process tells viewers and writers apart. Who is given nothing to check tokens by has nobody who shows one. */
export function verifierOf({
  config,
  metrics,
}: Pick<ProcessContext, 'config' | 'metrics'>): TokenVerifier {
  const { tokenKey: key, tokenJwksUrl: jwksUrl } = config
  if (key === undefined && jwksUrl === undefined) return noTokens
  return createTokenVerifier({
    key,
    jwksUrl,
    audience: config.tokenAudience,
    issuer: config.tokenIssuer,
    refused: reason => metrics.labelled('rejected_tokens_total', reason).inc(),
  })
}
